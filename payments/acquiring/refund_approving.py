"""The second person behind a large refund: a colleague, or another of the staff.

A refund that a program asked for has no person behind it, so one person of the merchant releases
it: the program and the person are the two.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.registry import LASTS, Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.approvals.states import ApprovalState
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import REFUNDS_WRITE
from merchants.accounts.colleagues import COLLEAGUES
from payments.acquiring.ended_refunds import give_up
from payments.acquiring.models import Payment, Refund
from payments.acquiring.refund_facts import PROGRAM, RefundFacts, refund_facts
from payments.acquiring.refund_queries import RefundUnknown, own_refunds
from payments.acquiring.states import RefundState
from payments.errors import Refusal
from payments.money import Money

BY_COLLEAGUE: Final = "refund.release"
BY_STAFF: Final = "refund.release_staff"
WAITS_MAX: Final = timedelta(days=2)
"""A program's refund that nobody releases by then is given up, as requests of people are."""
SWEPT: Final = LASTS + timedelta(minutes=5)
"""After this no request of a person can be waiting any more."""


class NotWaiting(Refusal):
    """The refund does not wait for anybody: it is on its way, or over."""

    code = "refund_not_waiting"


class NeedsColleague(Refusal):
    """A person asked for it; the second one agrees in the inbox of requests."""

    code = "refund_waits_in_inbox"


def ask_second(
    refund: Refund, *, maker: User, merchant: str, actor: Actor, at: datetime
) -> Approval:
    """Ask a second person. Called in the transaction that made the refund.

    Raises ApprovalRefused.
    """
    return request_approval(
        kind=BY_COLLEAGUE if merchant else BY_STAFF, subject=("refund", refund.public_id),
        payload={
            "payment": refund.payment.public_id, "amount": str(refund.amount),
            "minor": refund.amount_minor,
        },
        reason=refund.reason or _("Refund of %(amount)s") % {"amount": refund.amount},
        maker=maker, actor=actor, merchant=merchant, at=at,
    )  # fmt: skip


@transaction.atomic
def release_refund(*, access: MerchantAccess, refund: str, by: User, at: datetime) -> RefundFacts:
    """A person lets a program's refund go. The caller has asked for the second factor.

    Raises AccessRefused, RefundUnknown, NotWaiting or NeedsColleague.
    """
    row = _lock_program_refund(access, refund)
    _release(row, released_by=by.username, actor=access.actor, at=at)
    return refund_facts(row)


@transaction.atomic
def refuse_refund(*, access: MerchantAccess, refund: str, reason: str, at: datetime) -> RefundFacts:
    """A person does not let a program's refund go. Raises what `release_refund` does."""
    row = _lock_program_refund(access, refund)
    give_up(row, RefundState.REJECTED, actor=access.actor, reason=reason, at=at)
    return refund_facts(row)


def give_up_unreleased(*, at: datetime, limit: int) -> int:
    """Give up refunds whose second person said no, or nothing for too long; says how many.

    Safe to run at once and twice.
    """
    waiting = Refund.objects.filter(state=RefundState.AWAITING).order_by("created_at")
    ended = 0
    for public_id, doer, created_at in waiting.values_list("public_id", "doer", "created_at")[
        :limit
    ]:
        why = _why_over(public_id, doer, created_at, at)
        if not why:
            continue
        with transaction.atomic():
            row = lock_refund(public_id)
            if row.state == RefundState.AWAITING:
                give_up(row, RefundState.REJECTED, actor=SYSTEM, reason=why, at=at)
                ended += 1
    return ended


def lock_refund(public_id: str) -> Refund:
    """The refund, with its payment locked first as everywhere. Raises Refund.DoesNotExist."""
    payment = Refund.objects.values_list("payment_id", flat=True).get(public_id=public_id)
    Payment.objects.select_for_update().only("pk").get(pk=payment)
    return (
        Refund.objects.select_for_update(of=["self"])
        .select_related("payment__merchant", "attempt__channel")
        .get(public_id=public_id)
    )


def _why_over(public_id: str, doer: str, created_at: datetime, at: datetime) -> str:
    if doer.startswith(PROGRAM):
        return "nobody released it in time" if at - created_at > WAITS_MAX else ""
    asked = Approval.objects.filter(
        kind__in=[BY_COLLEAGUE, BY_STAFF], subject_kind="refund", subject_id=public_id
    )
    last = asked.order_by("-pk").values_list("public_id", "state").first()
    if last is None or last[1] in {ApprovalState.PENDING, ApprovalState.EXECUTED}:
        return ""
    return f"request {last[0]} {last[1]}"


def _lock_program_refund(access: MerchantAccess, refund: str) -> Refund:
    require(access, REFUNDS_WRITE)
    if not own_refunds(access).filter(public_id=refund).exists():
        raise RefundUnknown(refund=refund)
    row = lock_refund(refund)
    if row.state != RefundState.AWAITING:
        raise NotWaiting(refund=refund)
    if not row.doer.startswith(PROGRAM):
        raise NeedsColleague(refund=refund)
    return row


def _release(row: Refund, *, released_by: str, actor: Actor, at: datetime) -> None:
    row.due_at, row.released_by = at, released_by
    row.move(RefundState.REQUESTED, at=at)
    record(
        actor, "refund.released", subject=("payment", row.payment.public_id),
        facts={"refund": row.public_id, "amount": row.amount_minor}, at=at,
    )  # fmt: skip


def _execute(order: Order) -> None:
    """Called by the approval."""
    row = lock_refund(order.subject[1])
    if row.state != RefundState.AWAITING:
        raise NotWaiting(refund=row.public_id)
    _release(row, released_by=order.actor.label, actor=order.actor, at=order.at)


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    """How the refund and its payment stand: what is refunded meanwhile is seen."""
    row = Refund.objects.select_related("payment").get(public_id=subject[1])
    refunded = Money(row.payment.refunded_minor, row.currency)
    return {"state": str(row.state), "paid": str(row.payment.amount), "refunded": str(refunded)}


def _page(number: str) -> str:
    row = Refund.objects.filter(public_id=number).only("payment_id").first()
    return "" if row is None else reverse("admin:payments_payment_change", args=[row.payment_id])


def _explain(refusal: Exception) -> str:
    return _("The refund does not wait for a decision any more. (%(code)s)") % {
        "code": getattr(refusal, "code", "")
    }


def register_kinds() -> None:
    """Called once, when the application is ready."""
    words = {
        "payment": gettext_lazy("payment"), "amount": gettext_lazy("amount"), "minor": "",
        "paid": gettext_lazy("paid"), "refunded": gettext_lazy("refunded before"),
        "state": gettext_lazy("state"),
    }  # fmt: skip
    common: dict[str, Any] = {
        "look": _look, "execute": _execute, "refusals": (NotWaiting,), "explain": _explain,
        "words": words, "values": {"state": dict(RefundState.choices)},
    }  # fmt: skip
    register(
        Kind(
            name=BY_COLLEAGUE, label=gettext_lazy("Refund a payment"), judge=COLLEAGUES,
            maker=REFUNDS_WRITE, checker=REFUNDS_WRITE, **common,
        )
    )  # fmt: skip
    register(
        Kind(
            name=BY_STAFF, label=gettext_lazy("Refund a merchant's payment"),
            maker=Ability.REFUNDS_REQUEST, checker=Ability.REFUNDS_APPROVE, page=_page,
            **common,
        )
    )  # fmt: skip
