"""Taking a lost authenticator away: who could do that alone could become anybody."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.identity.devices import enrolled_since, has_device, remove_all_devices
from compliance.identity.models import User
from compliance.identity.roles import Ability

REMOVE: Final = "second_factor.remove"


def request_removal(
    *, user: User, reason: str, maker: User, actor: Actor, at: datetime
) -> Approval:
    """Ask that somebody may enrol another authenticator. Raises ApprovalRefused."""
    if not has_device(user):
        raise ApprovalRefused("no_change")
    return request_approval(
        kind=REMOVE, subject=("user", str(user.pk)), reason=reason, maker=maker, actor=actor, at=at,
        payload={"username": user.username, "person": user.display_name, "authenticator": ""},
    )  # fmt: skip


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    user = User.objects.get(pk=int(subject[1]))
    return {"username": user.username, "authenticator": ", ".join(enrolled_since(user))}


def _remove(order: Order) -> None:
    user = User.objects.get(pk=int(order.subject[1]))
    remove_all_devices(user=user, actor=order.actor, at=order.at)


def _concerned(payload: Facts) -> Collection[str]:
    return User.objects.filter(username=payload["username"]).values_list("person_ref", flat=True)


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=REMOVE, label=gettext_lazy("Take a lost authenticator away"),
            maker=Ability.SECOND_FACTOR_REQUEST, checker=Ability.SECOND_FACTOR_APPROVE,
            look=_look, execute=_remove, concerns=_concerned,
            words={
                "username": gettext_lazy("user name"), "person": gettext_lazy("person"),
                "authenticator": gettext_lazy("authenticator"),
            },
        )
    )  # fmt: skip
