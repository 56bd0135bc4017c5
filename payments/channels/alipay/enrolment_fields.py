"""Our fields and those of ant.merchant.expand.indirect.zft.create (直付通二级商户), both ways."""

from collections.abc import Callable
from typing import Final

from payments.channels.base import gettext_noop
from payments.channels.enrolling import Extra, Fixed, Row, Table, When

_INDIVIDUAL: Final[When] = ("entity.entity", frozenset({"individual"}))
_SHOP: Final[When] = ("business.place", frozenset({"shop"}))
_SITE: Final[When] = ("business.place", frozenset({"site"}))
_APP: Final[When] = ("business.place", frozenset({"app"}))
_COMPANY_ACCOUNT: Final[When] = ("account.kind", frozenset({"company"}))
_CARD: Final[When] = ("account.kind", frozenset({"personal"}))

_TYPES: Final = {"enterprise": "01", "institution": "02", "individual": "07"}
_PAPERS: Final = {"enterprise": "201", "institution": "218", "individual": "201"}
_USES: Final = {"company": "01", "personal": "02"}
_SERVICES: Final = {"shop": ["当面付"], "site": ["电脑支付", "wap支付"], "app": ["app支付"]}


def _of(words: dict[str, str] | dict[str, list[str]]) -> Callable[[str], object]:
    return lambda text: words[text]


_CARDS: Final = "biz_cards.0"

EXTRAS: Final = (
    Extra(
        name="mcc", label=gettext_noop("Category code (MCC)"),
        hint=gettext_noop("From Alipay's table, such as 5311."), shape=r"[A-Z]?[0-9_]{2,12}",
    ),
    Extra(
        name="binding_alipay_logon_id", label=gettext_noop("The merchant's Alipay account"),
        hint=gettext_noop("In the merchant's name; there it confirms the contract."),
        is_secret=True,
    ),
    Extra(
        name="service_phone", label=gettext_noop("Telephone for customers"),
        shape=r"[0-9+\-]{5,20}",
    ),
    Extra(
        name="bank_id", label=gettext_noop("Bank's abbreviation"),
        hint=gettext_noop("Such as ICBC or BOC."), shape=r"[A-Z]{2,16}",
    ),
    Extra(name="bank_province", label=gettext_noop("Province of the bank"), shape=r".{2,32}"),
    Extra(name="bank_city", label=gettext_noop("City of the bank"), shape=r".{2,32}"),
    Extra(
        name="province_code", label=gettext_noop("Province code of the shop"), shape=r"[0-9]{6}",
        when=_SHOP,
    ),
    Extra(
        name="city_code", label=gettext_noop("City code of the shop"), shape=r"[0-9]{6}",
        when=_SHOP,
    ),
    Extra(
        name="district_code", label=gettext_noop("District code of the shop"), shape=r"[0-9]{6}",
        when=_SHOP,
    ),
)  # fmt: skip

TABLE: Final[Table] = (
    Row(ours="licence.name", theirs="name"),
    Row(ours="entity.short_name", theirs="alias_name"),
    Row(ours="entity.entity", theirs="merchant_type", turn=_of(_TYPES)),
    Row(ours="extra.mcc", theirs="mcc"),
    Row(ours="entity.entity", theirs="cert_type", turn=_of(_PAPERS)),
    Row(ours="licence.credit_code", theirs="cert_no"),
    Row(ours="documents.licence", theirs="cert_image"),
    Row(ours="licence.name", theirs="cert_name", when=_INDIVIDUAL),
    Row(ours="legal_person.name", theirs="legal_name"),
    Fixed(theirs="legal_cert_type", value="100"),
    Row(ours="legal_person.identity_number", theirs="legal_cert_no"),
    Row(ours="documents.identity_front", theirs="legal_cert_front_image"),
    Row(ours="documents.identity_back", theirs="legal_cert_back_image"),
    Row(ours="extra.province_code", theirs="business_address.province_code", when=_SHOP),
    Row(ours="extra.city_code", theirs="business_address.city_code", when=_SHOP),
    Row(ours="extra.district_code", theirs="business_address.district_code", when=_SHOP),
    Row(ours="business.shop_address", theirs="business_address.address", when=_SHOP),
    Row(ours="extra.service_phone", theirs="service_phone"),
    Row(ours="entity.contact_name", theirs="contact_infos.0.name"),
    Row(ours="entity.contact_mobile", theirs="contact_infos.0.mobile"),
    Row(ours="entity.contact_email", theirs="contact_infos.0.email"),
    Row(ours="account.holder", theirs=f"{_CARDS}.account_holder_name"),
    Row(ours="account.account_number", theirs=f"{_CARDS}.account_no", when=_COMPANY_ACCOUNT),
    Row(ours="account.card_number", theirs=f"{_CARDS}.account_no", when=_CARD),
    Row(ours="account.kind", theirs=f"{_CARDS}.usage_type", turn=_of(_USES)),
    Fixed(theirs=f"{_CARDS}.account_type", value="DC"),
    Row(ours="extra.bank_id", theirs=f"{_CARDS}.account_inst_id"),
    Row(ours="account.bank", theirs=f"{_CARDS}.account_inst_name"),
    Row(ours="extra.bank_province", theirs=f"{_CARDS}.account_inst_province"),
    Row(ours="extra.bank_city", theirs=f"{_CARDS}.account_inst_city"),
    Row(ours="account.bank", theirs=f"{_CARDS}.account_branch_name"),
    Row(ours="account.bank_code", theirs=f"{_CARDS}.bank_code", when=_COMPANY_ACCOUNT),
    Fixed(theirs="default_settle_rule.default_settle_type", value="bankCard"),
    Row(
        ours="account.account_number", theirs="default_settle_rule.default_settle_target",
        when=_COMPANY_ACCOUNT,
    ),
    Row(
        ours="account.card_number", theirs="default_settle_rule.default_settle_target",
        when=_CARD,
    ),
    Row(ours="business.place", theirs="service", turn=_of(_SERVICES)),
    Fixed(theirs="sites.0.site_type", value="01", when=_SITE),
    Row(ours="business.site", theirs="sites.0.site_url", when=_SITE),
    Row(ours="entity.short_name", theirs="sites.0.site_name", when=_SITE),
    Fixed(theirs="sites.0.site_type", value="02", when=_APP),
    Row(ours="business.app_name", theirs="sites.0.site_name", when=_APP),
    Row(ours="documents.premises", theirs="out_door_images.0", when=_SHOP),
    Row(ours="documents.premises", theirs="in_door_images", which="others", when=_SHOP),
    Row(ours="extra.binding_alipay_logon_id", theirs="binding_alipay_logon_id"),
)  # fmt: skip
