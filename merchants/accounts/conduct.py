"""Letting a suspended merchant go on, and ending the business with one, takes two of the staff.

Suspending takes one: who sees a fraud does not wait for somebody else.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.identity.models import User
from compliance.identity.roles import Ability
from merchants.accounts.models import Merchant
from merchants.accounts.register import close_merchant, resume_merchant
from merchants.accounts.states import MerchantStatus, Suspension
from merchants.errors import IllegalMove

RESUME: Final = "merchant.resume"
CLOSE: Final = "merchant.close"


def ask_to_resume(
    *, merchant: Merchant, reason: str, by: User, actor: Actor, at: datetime
) -> Approval:
    """Ask that a merchant goes on that the staff suspended.

    Raises IllegalMove or ApprovalRefused.
    """
    if merchant.suspended_for != Suspension.STAFF:
        raise IllegalMove(before=merchant.status, after=MerchantStatus.ACTIVE.value)
    return _ask(RESUME, merchant, reason=reason, by=by, actor=actor, at=at)


def ask_to_close(
    *, merchant: Merchant, reason: str, by: User, actor: Actor, at: datetime
) -> Approval:
    """Ask that the business with a merchant ends. Raises IllegalMove or ApprovalRefused."""
    if merchant.status == MerchantStatus.CLOSED:
        raise IllegalMove(before=merchant.status, after=MerchantStatus.CLOSED.value)
    return _ask(CLOSE, merchant, reason=reason, by=by, actor=actor, at=at)


def _ask(
    kind: str, merchant: Merchant, *, reason: str, by: User, actor: Actor, at: datetime
) -> Approval:
    return request_approval(
        kind=kind, subject=("merchant", merchant.public_id), reason=reason, maker=by, actor=actor,
        payload={"name": merchant.name, "merchant": merchant.public_id}, at=at,
    )  # fmt: skip


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    merchant = Merchant.objects.get(public_id=subject[1])
    return {
        "name": merchant.name, "status": merchant.status, "suspended_for": merchant.suspended_for,
    }  # fmt: skip


def _resume(order: Order) -> None:
    resume_merchant(
        merchant_id=_row(order), reason=f"{order.number}: {order.reason}", actor=order.actor,
        at=order.at,
    )  # fmt: skip


def _close(order: Order) -> None:
    close_merchant(
        merchant_id=_row(order), reason=f"{order.number}: {order.reason}", actor=order.actor,
        at=order.at,
    )  # fmt: skip


def _row(order: Order) -> int:
    return Merchant.objects.only("pk").get(public_id=order.subject[1]).pk


def _their_people(payload: Facts) -> Collection[str]:
    """People of the merchant do not decide about it, whatever other account they use."""
    members = Merchant.objects.get(public_id=payload["merchant"]).members
    return members.values_list("user__person_ref", flat=True)


def _explain(refusal: Exception) -> str:
    return _("the merchant is not where it was: look at its status.")


def register_kinds() -> None:
    """Called once, when the application is ready."""
    for name, label, execute in (
        (RESUME, gettext_lazy("Let a merchant work again"), _resume),
        (CLOSE, gettext_lazy("End the business with a merchant"), _close),
    ):
        register(
            Kind(
                name=name, label=label, maker=Ability.MERCHANTS_REQUEST,
                checker=Ability.MERCHANTS_APPROVE, look=_look, execute=execute,
                concerns=_their_people, refusals=(IllegalMove,), explain=_explain,
                page=admin_page("merchants_merchant", Merchant.objects.all(), "public_id"),
                words={
                    "name": gettext_lazy("name"),
                    "merchant": gettext_lazy("merchant"),
                    "status": gettext_lazy("status"),
                    "suspended_for": gettext_lazy("suspended for"),
                },
                values={
                    "status": dict(MerchantStatus.choices),
                    "suspended_for": dict(Suspension.choices),
                },
            )
        )  # fmt: skip
