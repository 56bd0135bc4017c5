"""The demo's merchants and the people who sign in."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from compliance.audit.actor import SYSTEM
from compliance.identity.devices import add_device
from compliance.identity.roles import grant_role
from compliance.identity.states import StaffRole
from compliance.models import User
from merchants.access import by_member
from merchants.accounts.abilities import SCOPES
from merchants.accounts.callback_secret import callback_secret_of
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.accounts.team_requests import ask_to_invite
from merchants.models import Merchant

STAFF: Final = {
    "operator": ("lin.operator", "林岚", StaffRole.OPERATOR),
    "operator_checker": ("zhao.checker", "赵启明", StaffRole.OPERATOR_CHECKER),
    "compliance_officer": ("shen.compliance", "沈知微", StaffRole.COMPLIANCE_OFFICER),
    "compliance_approver": ("he.approver", "何以宁", StaffRole.COMPLIANCE_APPROVER),
    "finance": ("xu.finance", "许清如", StaffRole.FINANCE),
    "risk": ("tao.risk", "陶然", StaffRole.RISK),
    "auditor": ("su.auditor", "苏见秋", StaffRole.AUDITOR),
    "administrator": ("admin", "管理员", StaffRole.ADMINISTRATOR),
}
MEMBERS: Final = {
    "merchant_owner": ("ming.owner", "茗一鸣", 0, Role.OWNER),
    "merchant_partner": ("mu.partner", "沐春", 0, Role.OWNER),
    "merchant_finance": ("gu.finance", "顾盼", 0, Role.FINANCE),
    "second_owner": ("yun.owner", "云舒", 1, Role.OWNER),
}
MERCHANTS: Final = (("茗山茶业有限公司", "茗山茶业"), ("云间书店", "云间书店"))


@dataclass(frozen=True)
class Cast:
    """Who is in the demo, and everything that `demo.json` tells about them."""

    merchants: list[Merchant]
    document: dict[str, Any]


def make_cast(*, at: datetime) -> Cast:
    """Create merchants, keys, members and staff. Passwords and keys are random for each
    installation.
    """
    merchants = [
        register_merchant(name=name, short_name=short, actor=SYSTEM, at=at)
        for name, short in MERCHANTS
    ]
    document: dict[str, Any] = {}
    for place, merchant in zip(("merchant", "second_merchant"), merchants, strict=True):
        _, api_key = create_api_key(
            merchant_id=merchant.pk, livemode=False, label="Shop", scopes=SCOPES,
            actor=SYSTEM, at=at,
        )  # fmt: skip
        document[place] = {
            "id": merchant.public_id,
            "name": merchant.name,
            "api_key": api_key,
            "callback_secret": callback_secret_of(merchant.pk),
        }
    users: dict[str, Any] = {}
    for place, (username, name, merchant_index, role) in MEMBERS.items():
        user, users[place] = _person(username, name, at=at)
        add_member(
            user=user, merchant_id=merchants[merchant_index].pk, role=role, actor=SYSTEM, at=at
        )
    for place, (username, name, staff_role) in STAFF.items():
        user, users[place] = _person(username, name, at=at)
        grant_role(user=user, role=staff_role, actor=SYSTEM, at=at)
    document["users"] = users
    return Cast(merchants, document)


def ask_for_a_colleague(merchant: Merchant, *, at: datetime) -> None:
    """One owner of the tea shop asks for a bookkeeper: the other finds it in the portal's inbox."""
    owner = User.objects.get(username=MEMBERS["merchant_owner"][0])
    ask_to_invite(
        access=by_member(owner, merchant.public_id, address=""), maker=owner,
        username="bai.books", display_name="白露", email="bai.books@demo.example",
        role=Role.FINANCE, reason="下月起由白露负责对账和退款。", at=at,
    )  # fmt: skip


def _person(username: str, name: str, *, at: datetime) -> tuple[User, dict[str, str]]:
    password = secrets.token_urlsafe(15)
    totp_secret = base64.b32encode(secrets.token_bytes(20)).decode()
    user = User.objects.create_user(
        username=username,
        email=f"{username}@demo.example",
        password=password,
        display_name=name,
    )
    add_device(user=user, secret=totp_secret, actor=SYSTEM, at=at)
    return user, {
        "username": username,
        "password": password,
        "totp_secret": totp_secret,
    }
