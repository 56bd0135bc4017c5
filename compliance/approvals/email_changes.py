"""Another e-mail address for somebody: who could set it alone could take the account over."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.identity.errors import EmailTaken
from compliance.identity.models import User
from compliance.identity.people import change_email
from compliance.identity.roles import Ability

CHANGE: Final = "person.email"


def request_email(
    *, user: User, email: str, reason: str, maker: User, actor: Actor, at: datetime
) -> Approval:
    """Ask that letters to somebody go to another address. Raises ApprovalRefused."""
    if user.email.casefold() == email.casefold():
        raise ApprovalRefused("no_change")
    if User.objects.filter(email__iexact=email).exists():
        raise ApprovalRefused("email_taken")
    return request_approval(
        kind=CHANGE, subject=("user", str(user.pk)), reason=reason, maker=maker, actor=actor, at=at,
        payload={"username": user.username, "person": user.display_name, "email": email},
    )  # fmt: skip


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    user = User.objects.get(pk=int(subject[1]))
    return {"username": user.username, "email": user.email}


def _change(order: Order) -> None:
    user = User.objects.get(pk=int(order.subject[1]))
    change_email(user=user, email=order.payload["email"], actor=order.actor, at=order.at)


def _concerned(payload: Facts) -> Collection[str]:
    return User.objects.filter(username=payload["username"]).values_list("person_ref", flat=True)


def _explain(refusal: Exception) -> str:
    return _("the address belongs to another account.")


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=CHANGE, label=gettext_lazy("Change a person's e-mail address"),
            maker=Ability.SECOND_FACTOR_REQUEST, checker=Ability.SECOND_FACTOR_APPROVE,
            look=_look, execute=_change, concerns=_concerned, refusals=(EmailTaken,),
            explain=_explain,
            words={
                "username": gettext_lazy("user name"), "person": gettext_lazy("person"),
                "email": gettext_lazy("email address"),
            },
        )
    )  # fmt: skip
