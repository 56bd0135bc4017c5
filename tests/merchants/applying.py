"""A tea shop that applies: what Lin types, which papers she adds, who reviews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from PIL import Image

from compliance.audit.actor import Actor
from compliance.identity.models import User
from compliance.numbers import new_number
from compliance.protection.vault.files import Upload
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.access import MerchantAccess, by_member
from merchants.onboarding.agreement import CURRENT
from merchants.onboarding.applying import register_applicant
from merchants.onboarding.drafting import add_document, save_section
from merchants.onboarding.models import Application, Document
from merchants.onboarding.reading import standing_of
from merchants.onboarding.reviewing import Word, give_verdicts, targets_of
from merchants.onboarding.submitting import submit
from tests.cast import NOON
from tests.compliance.people import PASSWORD

STRANGER: Final = Actor("anonymous", "", "", "198.51.100.7")
CODE: Final = "91350100M000100Y43"
OTHER_CODE: Final = "91110102MA0179UA3A"
LIN: Final = "11010519491231002X"
MEI: Final = "110105199003071239"
SECRETS: Final = (LIN, MEI, "13800138000", "6222020200112233445")

TYPED: Final[Mapping[str, Sequence[Mapping[str, str]]]] = {
    "entity": [{
        "entity": "enterprise", "short_name": "茗山茶业", "contact_role": "legal_person",
        "contact_name": "林岚", "contact_mobile": "13800138000",
        "contact_email": "lin@tea.example",
    }],
    "licence": [{
        "name": "茗山茶业有限公司", "credit_code": CODE, "valid_from": "2015-03-01",
        "valid_to": "long", "address": "福建省福州市鼓楼区一号", "scope": "茶叶销售",
    }],
    "legal_person": [{
        "name": "林岚", "identity_number": LIN, "valid_from": "2016-05-01",
        "valid_to": "2036-05-01", "mobile": "13800138000",
    }],
    "shareholders": [
        {"kind": "person", "name": "林岚", "identity_number": LIN, "share": "60"},
        {"kind": "person", "name": "梅青", "identity_number": MEI, "share": "40"},
    ],
    "owners": [
        {"basis": "share", "name": "林岚", "identity_number": LIN, "share": "60"},
        {"basis": "share", "name": "梅青", "identity_number": MEI, "share": "40"},
    ],
    "account": [{
        "kind": "company", "holder": "茗山茶业有限公司", "bank": "中国银行福州分行",
        "bank_code": "104391010016", "account_number": "6222020200112233445",
    }],
    "business": [{
        "category": "clothing", "description": "茶服", "place": "shop",
        "shop_address": "福州市鼓楼区一号", "monthly_volume": "50000", "usual_amount": "128",
    }],
}  # fmt: skip
PAPERS: Final = (
    "licence",
    "identity_front",
    "identity_back",
    "account_proof",
    "premises",
    "owners_identity",
)


def picture(colour: str = "white") -> Upload:
    """A photo of a paper."""
    kept = BytesIO()
    Image.new("RGB", (60, 40), colour).save(kept, "PNG")
    return Upload("paper.png", "image/png", kept.getvalue())


def register(email: str = "lin@tea.example", business: str = "Mingshan Tea") -> None:
    register_applicant(
        business=business, display_name="Lin", email=email, language="en", actor=STRANGER, at=NOON
    )


def accept(email: str = "lin@tea.example") -> User:
    """The registered person chooses a password behind the link of the letter."""
    user = User.objects.get(email=email)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def apply(email: str = "lin@tea.example", business: str = "Mingshan Tea") -> MerchantAccess:
    """A registered business with a person who has joined."""
    register(email, business)
    return by_member(accept(email), None, address="198.51.100.7")


def person_of(access: MerchantAccess) -> User:
    return User.objects.get(pk=access.actor.person or 0)


def write(
    access: MerchantAccess, section: str, *, version: int | None = None, at: datetime = NOON,
    **changes: Any,
) -> int:  # fmt: skip
    """Lin types a section as it stands in her papers, but for the changes in its first row."""
    rows = [dict(row) for row in TYPED[section]]
    rows[0] |= changes
    return write_rows(access, section, rows, version=version, at=at)


def write_rows(
    access: MerchantAccess, section: str, rows: Sequence[Mapping[str, str]], *,
    version: int | None = None, at: datetime = NOON,
) -> int:  # fmt: skip
    application = application_of(access)
    if version is None:
        draft = application.drafts.filter(section=section).first()
        version = draft.version if draft else 0
    return save_section(
        access=access, by=person_of(access), section=section, typed=rows, version=version, at=at
    )


def add(access: MerchantAccess, kind: str, **more: Any) -> Document:
    """Lin adds a paper, and the scanner finds nothing."""
    upload = more.pop("upload", None) or picture()
    document = add_document(
        access=access, by=person_of(access), kind=kind, upload=upload,
        valid_to=more.pop("valid_to", None), at=NOON,
    )  # fmt: skip
    StoredFile.objects.filter(pk=document.file_id).update(state=FileState.CLEAN, scan_at=None)
    return document


def shelve(access: MerchantAccess, kind: str) -> Document:
    """A paper as if it had been added and scanned: looking at pictures takes its time."""
    number = new_number("doc_", at=NOON)
    file = StoredFile.objects.create(
        public_id=number, purpose="onboarding", owner_kind="merchant", owner_id=access.merchant,
        name=f"{kind}.png", media_type="image/png", size=1, sha256=b"1", received_sha256=b"1",
        facts={}, state=FileState.CLEAN, storage_name=number, key_sealed="", uploaded_by="lin",
        created_at=NOON,
    )  # fmt: skip
    return Document.objects.create(
        application=application_of(access), kind=kind, file=file, added_by=person_of(access),
        added_at=NOON,
    )  # fmt: skip


def fill(access: MerchantAccess, *, code: str = CODE) -> Application:
    """All sections and papers."""
    for section in TYPED:
        changes: dict[str, Any] = {"credit_code": code} if section == "licence" else {}
        write(access, section, **changes)
    for kind in PAPERS:
        shelve(access, kind)
    return application_of(access)


def hand_in(access: MerchantAccess, *, at: datetime = NOON) -> Application:
    return submit(access=access, by=person_of(access), agreement=CURRENT, language="zh-hans", at=at)


def application_of(access: MerchantAccess) -> Application:
    return Application.objects.filter(merchant_id=access.merchant_id).latest("pk")


def judge_all(application: Application, by: User, *, wrong: Mapping[str, str] = {}) -> None:
    """A word on everything: right, but for those with a reason."""
    standing = standing_of(application, on=NOON.date())
    words = [
        Word(target, target not in wrong, wrong.get(target, ""), told="please look")
        for target in targets_of(standing)
    ]
    give_verdicts(
        application=application.public_id, words=words, by=by, actor=actor_of(by), at=NOON
    )


def actor_of(user: User) -> Actor:
    return Actor("user", str(user.pk), user.username, "198.51.100.9", person=user.pk)
