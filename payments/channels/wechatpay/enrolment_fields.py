"""Our fields and those of /v3/applyment4sub/applyment/ (特约商户进件), both ways.

The administrator of the new merchant number is the legal person: for anybody else WeChat Pay wants
identity papers that our files do not hold. For the same reason an enterprise can be enrolled here
only when the legal person is one of its beneficial owners.
"""

from collections.abc import Callable
from typing import Final

from payments.channels.base import gettext_noop
from payments.channels.enrolling import LONG_TERM, Extra, Fixed, Row, Table, When

FOREVER: Final = "长期"
OTHER_BANK: Final = "其他银行"

_LICENSED: Final[When] = ("entity.entity", frozenset({"enterprise", "individual"}))
_ENTERPRISE: Final[When] = ("entity.entity", frozenset({"enterprise"}))
_INSTITUTION: Final[When] = ("entity.entity", frozenset({"institution"}))
_SHOP: Final[When] = ("business.place", frozenset({"shop"}))
_SITE: Final[When] = ("business.place", frozenset({"site"}))
_APP: Final[When] = ("business.place", frozenset({"app"}))
_COMPANY_ACCOUNT: Final[When] = ("account.kind", frozenset({"company"}))
_CARD: Final[When] = ("account.kind", frozenset({"personal"}))

_SUBJECTS: Final = {
    "enterprise": "SUBJECT_TYPE_ENTERPRISE",
    "individual": "SUBJECT_TYPE_INDIVIDUAL",
    "institution": "SUBJECT_TYPE_INSTITUTIONS",
}
_ACCOUNTS: Final = {
    "company": "BANK_ACCOUNT_TYPE_CORPORATE",
    "personal": "BANK_ACCOUNT_TYPE_PERSONAL",
}
_SCENES: Final = {
    "shop": ["SALES_SCENES_STORE"], "site": ["SALES_SCENES_WEB"], "app": ["SALES_SCENES_APP"],
}  # fmt: skip
BANKS: Final = (
    "工商银行", "交通银行", "招商银行", "民生银行", "中信银行", "浦发银行", "兴业银行", "光大银行",
    "广发银行", "平安银行", "北京银行", "华夏银行", "农业银行", "建设银行", "邮政储蓄银行",
    "中国银行", "宁波银行",
)  # fmt: skip
"""Banks that WeChat Pay knows by name; for all others it wants the branch."""


def bank(text: str) -> str:
    """The bank as WeChat Pay calls it."""
    return next((name for name in BANKS if name in text), OTHER_BANK)


def term(text: str) -> str:
    """The last day of a term."""
    return FOREVER if text == LONG_TERM else text


def _of(words: dict[str, str] | dict[str, list[str]]) -> Callable[[str], object]:
    return lambda text: words[text]


_LICENCE: Final = "subject_info.business_license_info"
_CERTIFICATE: Final = "subject_info.certificate_info"
_CARD_INFO: Final = "subject_info.identity_info.id_card_info"
_SALES: Final = "business_info.sales_info"
_BANK: Final = "bank_account_info"

EXTRAS: Final = (
    Extra(
        name="settlement_id", label=gettext_noop("Settlement rule (settlement_id)"),
        hint=gettext_noop("From WeChat Pay's table of fees, such as 719."), shape=r"[0-9]{1,4}",
    ),
    Extra(
        name="qualification_type", label=gettext_noop("Industry (qualification_type)"),
        hint=gettext_noop("The words of the same line of that table."), shape=r".{1,64}",
    ),
    Extra(
        name="service_phone", label=gettext_noop("Telephone for customers"),
        shape=r"[0-9+\-]{5,20}",
    ),
    Extra(
        name="bank_address_code", label=gettext_noop("City code of the bank"),
        hint=gettext_noop("Six digits, such as 350100."), shape=r"[0-9]{6}",
    ),
    Extra(
        name="shop_address_code", label=gettext_noop("City code of the shop"),
        hint=gettext_noop("Six digits, such as 350100."), shape=r"[0-9]{6}", when=_SHOP,
    ),
    Extra(
        name="identity_address", label=gettext_noop("Address on the legal person's card"),
        is_secret=True, when=_ENTERPRISE,
    ),
)  # fmt: skip

TABLE: Final[Table] = (
    Fixed(theirs="contact_info.contact_type", value="LEGAL"),
    Row(ours="legal_person.name", theirs="contact_info.contact_name", is_sealed=True),
    Row(ours="legal_person.mobile", theirs="contact_info.mobile_phone", is_sealed=True),
    Row(ours="entity.contact_email", theirs="contact_info.contact_email", is_sealed=True),
    Row(ours="entity.entity", theirs="subject_info.subject_type", turn=_of(_SUBJECTS)),
    Fixed(theirs="subject_info.finance_institution", value=False),
    Row(ours="documents.licence", theirs=f"{_LICENCE}.license_copy", when=_LICENSED),
    Row(ours="licence.credit_code", theirs=f"{_LICENCE}.license_number", when=_LICENSED),
    Row(ours="licence.name", theirs=f"{_LICENCE}.merchant_name", when=_LICENSED),
    Row(ours="legal_person.name", theirs=f"{_LICENCE}.legal_person", when=_LICENSED),
    Row(ours="licence.address", theirs=f"{_LICENCE}.license_address", when=_LICENSED),
    Row(ours="licence.valid_from", theirs=f"{_LICENCE}.period_begin", when=_LICENSED),
    Row(ours="licence.valid_to", theirs=f"{_LICENCE}.period_end", turn=term, when=_LICENSED),
    Row(ours="documents.licence", theirs=f"{_CERTIFICATE}.cert_copy", when=_INSTITUTION),
    Fixed(
        theirs=f"{_CERTIFICATE}.cert_type", value="CERTIFICATE_TYPE_2388", when=_INSTITUTION
    ),
    Row(ours="licence.credit_code", theirs=f"{_CERTIFICATE}.cert_number", when=_INSTITUTION),
    Row(ours="licence.name", theirs=f"{_CERTIFICATE}.merchant_name", when=_INSTITUTION),
    Row(ours="licence.address", theirs=f"{_CERTIFICATE}.company_address", when=_INSTITUTION),
    Row(ours="legal_person.name", theirs=f"{_CERTIFICATE}.legal_person", when=_INSTITUTION),
    Row(ours="licence.valid_from", theirs=f"{_CERTIFICATE}.period_begin", when=_INSTITUTION),
    Row(ours="licence.valid_to", theirs=f"{_CERTIFICATE}.period_end", turn=term, when=_INSTITUTION),
    Fixed(theirs="subject_info.identity_info.id_holder_type", value="LEGAL"),
    Fixed(theirs="subject_info.identity_info.id_doc_type", value="IDENTIFICATION_TYPE_IDCARD"),
    Row(ours="documents.identity_front", theirs=f"{_CARD_INFO}.id_card_copy"),
    Row(ours="documents.identity_back", theirs=f"{_CARD_INFO}.id_card_national"),
    Row(ours="legal_person.name", theirs=f"{_CARD_INFO}.id_card_name", is_sealed=True),
    Row(ours="legal_person.identity_number", theirs=f"{_CARD_INFO}.id_card_number", is_sealed=True),
    Row(
        ours="extra.identity_address", theirs=f"{_CARD_INFO}.id_card_address", is_sealed=True,
        when=_ENTERPRISE,
    ),
    Row(ours="legal_person.valid_from", theirs=f"{_CARD_INFO}.card_period_begin"),
    Row(ours="legal_person.valid_to", theirs=f"{_CARD_INFO}.card_period_end", turn=term),
    Row(
        ours="owners.legal_person", theirs="subject_info.identity_info.owner",
        turn=lambda text: text == "yes", when=_ENTERPRISE,
    ),
    Row(ours="entity.short_name", theirs="business_info.merchant_shortname"),
    Row(ours="extra.service_phone", theirs="business_info.service_phone"),
    Row(ours="business.place", theirs=f"{_SALES}.sales_scenes_type", turn=_of(_SCENES)),
    Row(ours="entity.short_name", theirs=f"{_SALES}.biz_store_info.biz_store_name", when=_SHOP),
    Row(
        ours="extra.shop_address_code", theirs=f"{_SALES}.biz_store_info.biz_address_code",
        when=_SHOP,
    ),
    Row(
        ours="business.shop_address", theirs=f"{_SALES}.biz_store_info.biz_store_address",
        when=_SHOP,
    ),
    Row(
        ours="documents.premises", theirs=f"{_SALES}.biz_store_info.store_entrance_pic.0",
        when=_SHOP,
    ),
    Row(
        ours="documents.premises", theirs=f"{_SALES}.biz_store_info.indoor_pic", which="others",
        when=_SHOP,
    ),
    Row(ours="business.site", theirs=f"{_SALES}.web_info.domain", when=_SITE),
    Row(ours="documents.premises", theirs=f"{_SALES}.app_info.app_pics", which="all", when=_APP),
    Row(ours="channel.app", theirs=f"{_SALES}.app_info.app_appid", when=_APP),
    Row(ours="extra.settlement_id", theirs="settlement_info.settlement_id"),
    Row(ours="extra.qualification_type", theirs="settlement_info.qualification_type"),
    Row(
        ours="documents.permit", theirs="settlement_info.qualifications", which="all",
        is_required=False,
    ),
    Row(ours="account.kind", theirs=f"{_BANK}.bank_account_type", turn=_of(_ACCOUNTS)),
    Row(ours="account.holder", theirs=f"{_BANK}.account_name", is_sealed=True),
    Row(ours="account.bank", theirs=f"{_BANK}.account_bank", turn=bank),
    Row(ours="extra.bank_address_code", theirs=f"{_BANK}.bank_address_code"),
    Row(ours="account.bank_code", theirs=f"{_BANK}.bank_branch_id", when=_COMPANY_ACCOUNT),
    Row(ours="account.bank", theirs=f"{_BANK}.bank_name"),
    Row(
        ours="account.account_number", theirs=f"{_BANK}.account_number", is_sealed=True,
        when=_COMPANY_ACCOUNT,
    ),
    Row(
        ours="account.card_number", theirs=f"{_BANK}.account_number", is_sealed=True, when=_CARD
    ),
)  # fmt: skip
