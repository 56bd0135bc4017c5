"""A business of the demo that has applied: reviewers find it in their queue, beside its papers.

Names are invented. Numbers have right check digits in an area that does not exist.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from compliance.audit.actor import SYSTEM, Actor
from compliance.identity.devices import add_device
from compliance.identity.models import User
from compliance.protection.vault.files import Upload
from merchants.access import by_member
from merchants.days import day_of
from merchants.onboarding.agreement import CURRENT
from merchants.onboarding.applying import register_applicant
from merchants.onboarding.documents import documents_needed
from merchants.onboarding.drafting import add_document, find_application, save_section
from merchants.onboarding.reading import standing_of
from merchants.onboarding.submitting import submit

EMAIL: Final = "xi.owner@demo.example"
BUSINESS: Final = "溪亭文具"
PAPER: Final = (900, 600)
OWNER: Final = {"name": "溪亭月", "identity_number": "119999198802060015"}
PARTNER: Final = {"name": "何沐晴", "identity_number": "119999199109170026"}

SECTIONS: Final[Mapping[str, Sequence[Mapping[str, str]]]] = {
    "entity": [{
        "entity": "enterprise", "short_name": BUSINESS, "contact_role": "legal_person",
        "contact_name": "溪亭月", "contact_mobile": "13800000000", "contact_email": EMAIL,
    }],
    "licence": [{
        "name": "溪亭文具有限公司", "credit_code": "91119999MA0DEMX13H",
        "valid_from": "2019-06-18", "valid_to": "long", "address": "示例市溪亭路一号",
        "scope": "文具用品、办公用品销售",
    }],
    "legal_person": [{
        **OWNER, "valid_from": "2018-04-01", "valid_to": "2038-04-01", "mobile": "13800000000",
    }],
    "shareholders": [
        {"kind": "person", **OWNER, "share": "70"}, {"kind": "person", **PARTNER, "share": "30"},
    ],
    "owners": [
        {"basis": "share", **OWNER, "share": "70"}, {"basis": "share", **PARTNER, "share": "30"},
    ],
    "account": [{
        "kind": "company", "holder": "溪亭文具有限公司", "bank": "示例银行溪亭支行",
        "bank_code": "000000000000", "account_number": "100000000000001",
    }],
    "business": [{
        "category": "other_services", "description": "文具和办公用品", "place": "shop",
        "shop_address": "示例市溪亭路一号", "monthly_volume": "80000", "usual_amount": "60",
    }],
}  # fmt: skip


def apply_for_one(*, at: datetime) -> dict[str, str]:
    """Register, fill in, and hand in; how its owner signs in."""
    stranger = Actor("anonymous", "", "", "127.0.0.1")
    register_applicant(
        business=BUSINESS, display_name="溪亭月", email=EMAIL, language="zh-hans",
        actor=stranger, at=at,
    )  # fmt: skip
    user = User.objects.get(email=EMAIL)
    password, totp = secrets.token_urlsafe(15), base64.b32encode(secrets.token_bytes(20)).decode()
    user.set_password(password)
    user.save(update_fields=["password"])
    add_device(user=user, secret=totp, actor=SYSTEM, at=at)
    access = by_member(user, None, address="127.0.0.1")
    common: dict[str, Any] = {"access": access, "by": user, "at": at}
    for section, typed in SECTIONS.items():
        save_section(section=section, typed=typed, version=0, **common)
    standing = standing_of(find_application(access), on=day_of(at))
    for need in documents_needed(standing.entity, standing.read):
        if need.is_required:
            add_document(kind=need.kind, upload=_paper(need.kind), valid_to=None, **common)
    submit(agreement=CURRENT, language="zh-hans", **common)
    return {"username": user.username, "password": password, "totp_secret": totp}


def _paper(kind: str) -> Upload:
    """A picture that says what it stands for, and that it is none."""
    picture = Image.new("RGB", PAPER, "#f4f1ea")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, PAPER[0] - 20, PAPER[1] - 20), outline="#8a7f6a", width=3)
    draw.text(
        (60, 80), kind.replace("_", " ").upper(), fill="#333", font=ImageFont.load_default(44)
    )
    draw.text((60, 180), "SPECIMEN - NOT A DOCUMENT", fill="#b03020",
              font=ImageFont.load_default(36))  # fmt: skip
    drawn = BytesIO()
    picture.save(drawn, "PNG")
    return Upload(f"{kind}.png", "image/png", drawn.getvalue())
