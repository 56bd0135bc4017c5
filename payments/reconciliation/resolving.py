"""What people do about differences: take them, hand them on, and end them with four eyes.

Each resolution is asked for by one person and agreed to by another. What moves money books a
balanced journal; after it, the channel owes us just what its bill says. What moves none says so.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy

from compliance.approvals.models import Approval
from compliance.approvals.pages import admin_page
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from payments.acquiring.models import Verdict
from payments.acquiring.outcomes import learn_trade
from payments.channels.base import Trade, TradeState
from payments.channels.registry import line
from payments.money import Money
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Difference, LoadedLine
from payments.reconciliation.settling import book, entries_of
from payments.reconciliation.states import (
    RESOLUTIONS,
    DifferenceState,
    Ending,
    Found,
    Subject,
)
from payments.reconciliation.words import refusal_told

RESOLVE: Final = "difference.resolve"
CLAIM_MAX: Final = 64
NEEDS_CLAIM: Final = frozenset({Ending.GATEWAY_ERROR, Ending.REFUND_RECORDED})
"""The gateway's number for the claim, or for the refund that a person made there."""


@transaction.atomic
def take(*, difference: int, person: User, actor: Actor, at: datetime) -> Difference:
    """Become the owner of an open difference. Raises ReconciliationRefused."""
    row, before = _hand_to(difference, person)
    record(
        actor, "difference.taken", subject=("difference", str(row.pk)), facts=_facts(row),
        before={"owner": before}, after={"owner": person.username}, at=at,
    )  # fmt: skip
    return row


@transaction.atomic
def assign(*, difference: int, to: User, actor: Actor, at: datetime) -> Difference:
    """Give an open difference to a colleague. Raises ReconciliationRefused: not_theirs, when it is
    none of their work.
    """
    row, before = _hand_to(difference, to)
    record(
        actor, "difference.assigned", subject=("difference", str(row.pk)), facts=_facts(row),
        before={"owner": before}, after={"owner": to.username}, at=at,
    )  # fmt: skip
    return row


def _hand_to(key: int, to: User) -> tuple[Difference, str]:
    row = _lock_open(key)
    if not may(to, Ability.BOOKS_REQUEST):
        raise ReconciliationRefused("not_theirs")
    before = row.owner.username if row.owner else ""
    row.owner = to
    row.save(update_fields=["owner"])
    return row, before


def _facts(row: Difference) -> dict[str, str]:
    return {"run": row.run.public_id, "class": row.found}


@transaction.atomic
def request_resolution(
    *,
    difference: int,
    ending: Ending,
    reason: str,
    maker: User,
    actor: Actor,
    at: datetime,
    claim: str = "",
) -> Approval:
    """Ask that a difference is ended in this way. Raises ReconciliationRefused, ApprovalRefused."""
    row = _lock_open(difference)
    claim = claim.strip()[:CLAIM_MAX]
    _require_suited(row, ending, claim)
    return request_approval(
        kind=RESOLVE, subject=("difference", str(row.pk)), reason=reason, maker=maker, actor=actor,
        payload={
            "channel": row.run.channel.code, "day": row.run.day.isoformat(), "class": row.found,
            "number": row.number or row.gateway_number, "ending": str(ending),
            "amount": row.delta.minor, "fee": row.fee_delta.minor, "currency": row.currency,
            "amount_told": str(row.delta), "fee_told": str(row.fee_delta), "claim": claim,
        },
        at=at,
    )  # fmt: skip


def suited(row: Difference) -> list[Ending]:
    """The resolutions that suit a difference, in the order of the table."""
    return [ending for ending in RESOLUTIONS if not _unsuited(row, ending)]


def _require_suited(row: Difference, ending: Ending, claim: str) -> None:
    if problem := _unsuited(row, ending):
        raise ReconciliationRefused(problem, ending=str(ending))
    if ending in NEEDS_CLAIM and not claim:
        raise ReconciliationRefused("claim_missing")


def _unsuited(row: Difference, ending: Ending) -> str:
    if Found(row.found) not in RESOLUTIONS.get(ending, frozenset()):
        return "not_suited"
    if ending == Ending.BOOK_PAYMENT:
        is_paid = row.subject == Subject.PAYMENT and row.theirs_minor is not None
        return "" if is_paid else "not_suited"
    if ending == Ending.ACKNOWLEDGED:
        return ""
    return "" if entries_of(row, ending) else "nothing_moves"


def _resolve(order: Order) -> None:
    """Called by the approval. Its verb runs on the difference as it stands, which is as it was."""
    row = _lock_open(int(order.subject[1]))
    ending = Ending(order.payload["ending"])
    _require_suited(row, ending, order.payload["claim"])
    row.approval, row.claim = order.number, order.payload["claim"]
    VERBS[ending](row, order)


def _settle(row: Difference, order: Order) -> None:
    ending = Ending(order.payload["ending"])
    book(row, entries_of(row, ending), at=order.at)
    _end(row, ending, order)


def accept_as_suspense(row: Difference, order: Order) -> None:
    """Money that nobody can explain yet: it is in the channel's books, and in suspense."""
    _settle(row, order)


def write_off_fee(row: Difference, order: Order) -> None:
    """The gateway kept another fee, and we let it be: an expense."""
    _settle(row, order)


def accept_as_timing(row: Difference, order: Order) -> None:
    """The other side will come. Until then the amount is in suspense, and goes back by itself."""
    _settle(row, order)


def claim_from_gateway(row: Difference, order: Order) -> None:
    """The gateway erred and was told so; its claim number is kept. The amount waits in suspense."""
    _settle(row, order)


def record_refund(row: Difference, order: Order) -> None:
    """A person gives the money back in the gateway's own console: here it is only written down."""
    _settle(row, order)


def book_payment(row: Difference, order: Order) -> None:
    """The gateway says paid, and we did not hear of it: learn it as if it had told us.

    What was over by then is given back. Raises ReconciliationRefused: not_booked.
    """
    billed = LoadedLine.objects.get(day=row.run.day, bill_id=row.run.bill_id or 0, row=row.row or 0)
    connected = line(row.run.channel.code)
    trade = Trade(
        number=row.number, state=TradeState.PAID, amount=Money(billed.amount_minor, row.currency),
        gateway_number=row.gateway_number, paid_at=billed.at,
        merchant=connected.gateway.merchant_number, app=connected.gateway.app_number,
    )  # fmt: skip
    learned = learn_trade(connected, trade, source="bill", actor=order.actor, at=order.at)
    if learned.verdict not in {Verdict.BOOKED, Verdict.LATE, Verdict.ALREADY}:
        raise ReconciliationRefused("not_booked", why=learned.reason)
    _end(row, Ending.BOOK_PAYMENT, order)
    # The fee of the line is booked when the day is matched again.
    type(row.run).objects.filter(pk=row.run.pk).update(due_at=order.at)


def acknowledge(row: Difference, order: Order) -> None:
    """A person knows of it, and no money moves."""
    _end(row, Ending.ACKNOWLEDGED, order)


def _end(row: Difference, ending: Ending, order: Order) -> None:
    row.end(DifferenceState.RESOLVED, ending, at=order.at)
    record(
        order.actor, "difference.resolved", subject=("difference", str(row.pk)),
        facts={
            "run": row.run.public_id, "class": row.found, "ending": str(ending),
            "number": row.number, "amount": row.delta.minor, "fee": row.fee_delta.minor,
            "currency": row.currency, "claim": row.claim, "journal": row.journal,
            "request": order.number,
        },
        before={"state": str(DifferenceState.OPEN)}, after={"state": row.state},
        reason=order.reason, at=order.at,
    )  # fmt: skip


VERBS: Final[Mapping[Ending, Callable[[Difference, Order], None]]] = {
    Ending.SUSPENSE: accept_as_suspense,
    Ending.WRITE_OFF: write_off_fee,
    Ending.TIMING: accept_as_timing,
    Ending.GATEWAY_ERROR: claim_from_gateway,
    Ending.REFUND_RECORDED: record_refund,
    Ending.BOOK_PAYMENT: book_payment,
    Ending.ACKNOWLEDGED: acknowledge,
}


def _lock_open(key: int) -> Difference:
    row = (
        Difference.objects.select_for_update(of=["self"])
        .select_related("run__channel", "owner")
        .get(pk=key)
    )
    if row.state != DifferenceState.OPEN:
        raise ReconciliationRefused("not_open", state=row.state)
    return row


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    row = Difference.objects.get(pk=int(subject[1]))
    return {
        "state": row.state, "class": row.found, "amount": row.delta.minor,
        "fee": row.fee_delta.minor,
    }  # fmt: skip


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=RESOLVE, label=gettext_lazy("Resolve a difference"),
            maker=Ability.BOOKS_REQUEST, checker=Ability.BOOKS_APPROVE, look=_look,
            execute=_resolve, refusals=(ReconciliationRefused,), explain=refusal_told,
            page=admin_page("payments_difference", Difference.objects.all(), "pk"),
            words={
                "channel": gettext_lazy("channel"), "day": gettext_lazy("day"),
                "class": gettext_lazy("class"), "number": gettext_lazy("number"),
                "ending": gettext_lazy("resolution"),
                "amount": "", "fee": "", "currency": "",
                "amount_told": gettext_lazy("amount"), "fee_told": gettext_lazy("fee"),
                "claim": gettext_lazy("claim number"), "state": gettext_lazy("state"),
            },
            values={
                "class": dict(Found.choices), "ending": dict(Ending.choices),
                "state": dict(DifferenceState.choices),
            },
        )
    )  # fmt: skip
