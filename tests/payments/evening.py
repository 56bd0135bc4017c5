"""What stories of the evening share: days of bookings, and a gateway whose bills a story writes."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import IO, Final

from compliance.audit.actor import SYSTEM
from payments.acquiring.models import Attempt, Payment, Refund
from payments.channels.base import Done, Outcome, Rejected
from payments.channels.bills import (
    NO_BILL,
    BillFile,
    BillLine,
    BillUnreadable,
    LineKind,
    LineState,
    day_span,
    next_morning,
)
from payments.channels.models import Channel
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post
from payments.money import Money
from payments.reconciliation.fees import set_fee_rate
from payments.reconciliation.matching import Terms
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.run import begin, carry_on, claim, claim_due, work
from payments.reconciliation.states import RunState
from tests.cast import Shop

DAY: Final = date(2026, 11, 20)
NOON: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MORNING: Final = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
"""Half an hour after the bill is ready."""
RATE: Final = Terms(rate_ppm=6000, returns_on_refund=False)


def fee(minor: int) -> int:
    return (minor * 6000 + 500_000) // 1_000_000


@dataclass
class FakeBills:
    """Fulfils `Bills` from what the story wrote down."""

    days: dict[date, list[BillLine]] = field(default_factory=dict)
    answers: deque[Outcome[BillFile]] = field(default_factory=deque)
    """Given before any bill is."""
    spoiled: str = ""
    """What a reader finds wrong at the very end."""
    fetched: int = 0

    def bill_span(self, day: date) -> tuple[datetime, datetime]:
        return day_span(day)

    def bill_ready_at(self, day: date) -> datetime:
        return next_morning(day)

    def fetch_bill(self, day: date, into: IO[bytes]) -> Outcome[BillFile]:
        self.fetched += 1
        if self.answers:
            return self.answers.popleft()
        if day not in self.days:
            return Rejected(code=NO_BILL, message="")
        lines = [[*line[:7], line.at.isoformat()] for line in self.days[day]]
        into.write(json.dumps([self.spoiled, lines]).encode())
        return Done(BillFile(name="bill.json", media_type="application/json"))

    def parse_bill(self, raw: IO[bytes], *, day: date) -> Iterator[BillLine]:
        spoiled, lines = json.load(raw)
        for *values, at in lines:
            yield BillLine._make([*values, datetime.fromisoformat(at)])
        if spoiled:
            raise BillUnreadable(spoiled, len(lines) + 1)


@dataclass
class Evening:
    """One channel of one shop, with the fees agreed."""

    shop: Shop
    channel: Channel
    bills: FakeBills

    def agree_on_fees(self) -> None:
        set_fee_rate(
            channel=self.channel, first_day=date(2026, 1, 1), terms=RATE, actor=SYSTEM, at=NOON
        )

    def booked(
        self, number: str, minor: int = 10000, *, at: datetime = NOON, state: str = "succeeded"
    ) -> Attempt:
        """A payment as our books know it."""
        is_paid = state == "succeeded"
        public_id = f"pay_{number}"
        payment = Payment.objects.create(
            public_id=public_id, merchant=self.shop.merchant, livemode=False,
            merchant_order_no=number, amount_minor=minor, currency="CNY", subject="tea",
            fingerprint=b"x" * 32, state="paid" if is_paid else "pending",
            method="first" if is_paid else "", channel=self.channel if is_paid else None,
            paid_at=at if is_paid else None, created_at=at, expires_at=at + timedelta(hours=2),
        )  # fmt: skip
        if is_paid:
            self._post("payment.paid", public_id, minor, AccountKind.MERCHANT_PAYABLE, at)
        return Attempt.objects.create(
            number=number, payment=payment, channel=self.channel, method="first", product="qr",
            state=state, amount_minor=minor, currency="CNY", created_at=at,
            expires_at=at + timedelta(hours=2),
            ended_at=None if state in {"open", "created", "unknown", "closing"} else at,
        )  # fmt: skip

    def gave_back(
        self, attempt: Attempt, number: str, minor: int, *, at: datetime = NOON,
        state: str = "succeeded",
    ) -> Refund:  # fmt: skip
        """A refund as our books know it."""
        if state == "succeeded":
            self._post(
                "refund.late_returned", f"ref_{number}", -minor, AccountKind.REFUND_IN_TRANSIT, at
            )
        return Refund.objects.create(
            public_id=f"ref_{number}", number=number, payment=attempt.payment, attempt=attempt,
            merchant=attempt.payment.merchant, merchant_refund_no=number, is_late_return=False,
            amount_minor=minor, currency="CNY", reason="late", state=state,
            created_at=at, ended_at=at if state in {"succeeded", "failed"} else None,
        )  # fmt: skip

    def _post(self, kind: str, subject: str, minor: int, other: AccountKind, at: datetime) -> None:
        owner = (
            self.shop.merchant.public_id
            if other == AccountKind.MERCHANT_PAYABLE
            else self.channel.code
        )
        amount = Money(minor)
        post(
            kind=kind, subject=subject, livemode=False, at=at,
            entries=[
                debit(AccountKind.CHANNEL_RECEIVABLE, self.channel.code, amount),
                credit(other, owner, amount),
            ],
        )  # fmt: skip

    def billed(
        self,
        number: str,
        minor: int = 10000,
        *,
        day: date = DAY,
        at: datetime = NOON,
        kind: LineKind = LineKind.PAYMENT,
        cost: int | None = None,
        state: LineState = LineState.DONE,
        theirs: str = "",
    ) -> BillLine:  # fmt: skip
        """Write a line into a day's bill."""
        lines = self.bills.days.setdefault(day, [])
        usual = fee(minor) if kind == LineKind.PAYMENT else 0
        line = BillLine(
            len(lines) + 1, kind, number, theirs or f"gw{number}", minor,
            usual if cost is None else cost, state, at,
        )  # fmt: skip
        lines.append(line)
        return line

    def both(self, number: str, minor: int = 10000) -> Attempt:
        """What everybody agrees upon."""
        self.billed(number, minor)
        return self.booked(number, minor)

    def reconcile(self, day: date = DAY, *, at: datetime = MORNING) -> ReconciliationRun:
        """Ask for the bill, whether it is due or not."""
        run = claim(begin(self.channel, day, at=at), at=at)
        work(run, at=at)
        run.refresh_from_db()
        return run

    def go_on(self, *, at: datetime) -> list[RunState]:
        """What the worker does."""
        states = []
        while run := claim_due(at=at):
            states.append(carry_on(run, at=at))
        return states


def found(day: date = DAY) -> dict[tuple[str, str], str]:
    """The day's differences: (class, number) and their states."""
    rows = Difference.objects.filter(run__day=day).order_by("pk")
    told = {(row.found, row.number or row.gateway_number): row.state for row in rows}
    assert len(told) == len(rows)
    return told
