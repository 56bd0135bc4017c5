"""What a decided difference does to the books, and how that is taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from payments.ledger.models import AccountKind, Posting
from payments.ledger.posting import Entry, credit, debit, post
from payments.money import Money
from payments.reconciliation.models import Difference
from payments.reconciliation.states import DifferenceState, Ending, Found

COUNTERPART: Final = {
    Ending.SUSPENSE: AccountKind.SUSPENSE,
    Ending.TIMING: AccountKind.SUSPENSE,
    Ending.GATEWAY_ERROR: AccountKind.SUSPENSE,
    Ending.REFUND_RECORDED: AccountKind.REFUND_IN_TRANSIT,
}
"""Where the money is until it is explained. After any of these the channel owes us what its bill
says.
"""
UNBOOKED_FEES: Final = frozenset({Found.ONLY_THEIRS, Found.DUPLICATE, Found.STATUS})
"""Matching books the fees of all other lines."""


def entries_of(difference: Difference, ending: Ending) -> list[Entry]:
    """The journal that the ending needs; empty when no money moves."""
    channel = difference.run.channel.code
    entries: list[Entry] = []
    if difference.found == Found.FEE:
        fee = difference.fee_delta
        kept = (
            AccountKind.CHANNEL_FEE_EXPENSE if ending == Ending.WRITE_OFF else AccountKind.SUSPENSE
        )
        return _moved(fee, from_kind=AccountKind.CHANNEL_RECEIVABLE, to_kind=kept, channel=channel)
    if ending in COUNTERPART:
        entries += _moved(
            difference.delta, from_kind=COUNTERPART[ending],
            to_kind=AccountKind.CHANNEL_RECEIVABLE, channel=channel,
        )  # fmt: skip
        if difference.found in UNBOOKED_FEES:
            fee = Money(difference.theirs_fee_minor or 0, difference.currency)
            entries += _moved(
                fee, from_kind=AccountKind.CHANNEL_RECEIVABLE,
                to_kind=AccountKind.CHANNEL_FEE_EXPENSE, channel=channel,
            )  # fmt: skip
    return entries


def _moved(
    amount: Money, *, from_kind: AccountKind, to_kind: AccountKind, channel: str
) -> list[Entry]:
    if not amount.minor:
        return []
    return [debit(to_kind, channel, amount), credit(from_kind, channel, amount)]


def book(difference: Difference, entries: Sequence[Entry], *, at: datetime) -> None:
    """Book the journal of a resolution. The caller holds the row's lock and saves it."""
    difference.journals += 1
    difference.journal = f"dif_{difference.pk}:{difference.journals}"
    post(
        kind="difference.resolved", subject=difference.journal, entries=entries,
        livemode=difference.run.channel.livemode, at=at,
    )  # fmt: skip


def explain(difference: Difference, ending: Ending, *, actor: Actor, at: datetime) -> None:
    """The other side turned up: the difference is over, and what people booked for it is undone.

    The caller holds the row's lock.
    """
    before = difference.state
    undone = difference.journal
    if undone:
        _take_back(difference, at=at)
    difference.end(DifferenceState.EXPLAINED, ending, at=at)
    record(
        actor, "difference.explained", subject=("difference", str(difference.pk)),
        facts={
            "run": difference.run.public_id, "class": difference.found, "ending": str(ending),
            "number": difference.number, "journal_undone": undone,
        },
        before={"state": before}, after={"state": difference.state}, at=at,
    )  # fmt: skip


def _take_back(difference: Difference, *, at: datetime) -> None:
    postings = Posting.objects.filter(
        journal__kind="difference.resolved", journal__subject=difference.journal
    ).select_related("account")
    entries = [
        Entry(
            AccountKind(one.account.kind), one.account.owner,
            Money(-one.amount_minor, one.account.currency),
        )
        for one in postings
    ]  # fmt: skip
    post(
        kind="difference.undone", subject=difference.journal, entries=entries,
        livemode=difference.run.channel.livemode, at=at,
    )  # fmt: skip
    difference.journal = ""
