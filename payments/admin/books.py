"""Journals as small balanced tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.ledger.models import Journal
from payments.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: its account, and its amount on one of two sides."""

    account: str
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class JournalTable:
    """A journal with its lines, and what each side adds up to, per currency."""

    journal: Journal
    lines: Sequence[Line]
    sums: Sequence[Money]


def journal_table(journal: Journal) -> JournalTable:
    """The postings and their accounts should have been fetched with it."""
    lines, sums = [], dict[str, Money]()
    for posting in journal.postings.all():
        amount = Money(posting.amount_minor, posting.account.currency)
        is_debit = amount.minor > 0
        lines.append(
            Line(str(posting.account), amount if is_debit else None, None if is_debit else -amount)
        )
        if is_debit:
            so_far = sums.get(amount.currency, Money(0, amount.currency))
            sums[amount.currency] = so_far + amount
    return JournalTable(journal, lines, list(sums.values()))


def journal_tables(journals: Sequence[Journal]) -> Sequence[JournalTable]:
    """Several, in their order."""
    return [journal_table(journal) for journal in journals]
