"""Books journals. This is the only place that writes to the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payments.errors import Refusal
from payments.ledger.chart import account_id
from payments.ledger.models import AccountKind, Journal, Posting
from payments.money import Money


class NotBalanced(Refusal):
    """The entries of a journal do not add up to zero."""

    code = "journal_not_balanced"


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a journal to be. A debit has a positive amount, a credit a negative one."""

    kind: AccountKind
    owner: str
    amount: Money


def debit(kind: AccountKind, owner: str, amount: Money) -> Entry:
    """The account is owed more, or owes less."""
    return Entry(kind, owner, amount)


def credit(kind: AccountKind, owner: str, amount: Money) -> Entry:
    """The account owes more, or is owed less."""
    return Entry(kind, owner, -amount)


def resolve(entries: Sequence[Entry], *, livemode: bool) -> list[tuple[int, int]]:
    """Check that the entries balance and name their accounts: (account id, signed minor units).

    For a caller that writes the journal inside a larger statement of its own.
    """
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.amount.currency] = sums.get(entry.amount.currency, 0) + entry.amount.minor
    if not entries or any(sums.values()):
        raise NotBalanced(sums=sums)
    return [
        (
            account_id(entry.kind, entry.owner, entry.amount.currency, livemode=livemode),
            entry.amount.minor,
        )
        for entry in entries
    ]


def post(
    *, kind: str, subject: str, entries: Sequence[Entry], livemode: bool, at: datetime
) -> Journal:
    """Book one fact, in the caller's transaction, beside the change that it books.

    Raises NotBalanced; a fact booked before raises IntegrityError (`journal_once`).
    """
    lines = resolve(entries, livemode=livemode)
    journal = Journal.objects.create(kind=kind, subject=subject, at=at)
    Posting.objects.bulk_create(
        Posting(journal=journal, account_id=account, amount_minor=minor) for account, minor in lines
    )
    return journal
