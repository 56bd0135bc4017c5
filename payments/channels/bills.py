"""Bills: the files in which gateways say, a day late, what they did with our money.

A dialect whose gateway makes bills offers `Bills` beside `Gateway`. A bill may hold a million
lines, so it travels as a stream: fetched into a file, kept as it came, and read line by line. A
bill is believed as a whole or not at all: whatever does not fit raises BillUnreadable.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from io import BufferedReader, RawIOBase
from typing import IO, Final, NamedTuple, Protocol, cast, runtime_checkable

from payments.channels.base import Outcome

BEIJING: Final = timezone(timedelta(hours=8))
NO_BILL: Final = "no_bill"
"""The code with which a dialect rejects: there is no bill (yet), or nothing happened that day."""
BILL_BYTES_MAX: Final = 2 * 1024**3
"""A larger download is no bill."""
CHUNK: Final = 256 * 1024
LINE_BYTES_MAX: Final = 64 * 1024
LINES_MAX: Final = 50_000_000
NUMBER_MAX: Final = 64

_AMOUNT: Final = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,5}))?", re.ASCII)
PLACES: Final = 5
"""Where the point stands from the end in an amount with two places."""


class LineKind(StrEnum):
    """What a line tells of."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    """A payer's bank takes money back, or a clearing error is mended."""


class LineState(StrEnum):
    """How sure the gateway is."""

    DONE = "done"
    PENDING = "pending"
    FAILED = "failed"


class BillLine(NamedTuple):
    """One line, read. A named tuple, because there may be a million of them.

    `number` is ours, "" where the line names none. Amounts are in fen and never negative; `kind`
    says which way the money went. `fee_minor` is what the line cost us: negative, it was given
    back. `row` counts the lines of the file that lies in the bill, from 1.
    """

    row: int
    kind: LineKind
    number: str
    gateway_number: str
    amount_minor: int
    fee_minor: int
    state: LineState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFile:
    """What came, besides its bytes."""

    name: str
    media_type: str


class BillUnreadable(ValueError):
    """The file is not a whole bill of ours. `problem` is one of our words, `row` its line or 0.

    The words: `truncated`, `not_a_bill`, `encoding`, `columns`, `amount`, `time`, `number`,
    `currency`, `other_merchant`, `other_day`, `negative_payment`, `totals`, `hash`, `too_large`.
    """

    def __init__(self, problem: str, row: int = 0) -> None:
        super().__init__(f"{problem} at line {row}" if row else problem)
        self.problem, self.row = problem, row


class Bills(Protocol):
    """What is spoken with a gateway about its bills."""

    def bill_span(self, day: date) -> tuple[datetime, datetime]:
        """The first moment of the gateway's day and the first after it."""

    def bill_ready_at(self, day: date) -> datetime:
        """When the bill of the day may first be asked for."""

    def fetch_bill(self, day: date, into: IO[bytes]) -> Outcome[BillFile]:
        """Write the day's bill, as it comes, into a file. No part of it counts before `Done`.

        `Rejected` with NO_BILL: there is none yet, or nothing happened. What the gateway says about
        the file (a hash, a signature) is checked here.
        """

    def parse_bill(self, raw: IO[bytes], *, day: date) -> Iterator[BillLine]:
        """Read a bill from a file that can be sought in. Raises BillUnreadable, perhaps at the very
        end: nothing that was yielded counts before the iterator is exhausted.
        """


@runtime_checkable
class MakesBills(Protocol):
    """A connected gateway that makes bills. Ask `isinstance(gateway, MakesBills)`."""

    @property
    def bills(self) -> Bills:
        """How its bills are fetched and read."""


# --- for dialects --------------------------------------------------------------------------------


def day_span(day: date, *, begins: time = time.min) -> tuple[datetime, datetime]:
    """A day in Beijing. One that begins in the evening begins on the evening before."""
    first = datetime.combine(day, begins, BEIJING)
    if begins > time(12):
        first -= timedelta(days=1)
    return first.astimezone(UTC), (first + timedelta(days=1)).astimezone(UTC)


def next_morning(day: date, *, at: time = time(10)) -> datetime:
    """A time in Beijing on the day after."""
    return datetime.combine(day + timedelta(days=1), at, BEIJING).astimezone(UTC)


def lines_of(unpacked: IO[bytes]) -> Iterator[bytes]:
    """The lines of what is being unpacked, none of them endless. Raises BillUnreadable."""
    stream = BufferedReader(cast("RawIOBase", unpacked), CHUNK)
    for row, line in enumerate(iter(lambda: stream.readline(LINE_BYTES_MAX), b""), 1):
        if len(line) == LINE_BYTES_MAX or row > LINES_MAX:
            raise BillUnreadable("too_large", row)
        yield line


def text_of(line: bytes, encoding: str, row: int) -> str:
    """A line as text. Raises BillUnreadable: a bill does not change its encoding on the way."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise BillUnreadable("encoding", row) from error


def fen(text: str, row: int) -> int:
    """Yuan with at most two places, as fen. Raises BillUnreadable."""
    minor, rest = divmod(hundred_thousandths(text, row), 1000)
    if rest:
        raise BillUnreadable("amount", row)
    return minor


def hundred_thousandths(text: str, row: int) -> int:
    """Yuan with up to five places, exactly: some gateways count fees so. Raises BillUnreadable."""
    try:
        return _exact(text)
    except ValueError as error:
        raise BillUnreadable("amount", row) from error


@lru_cache(maxsize=65536)
def _exact(text: str) -> int:
    # A shop has its prices, and each stands in the bill many times.
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError("not an amount")
    sign, whole, part = found.groups()
    value = int(whole) * 100_000 + int((part or "").ljust(PLACES, "0"))
    return -value if sign else value


def rounded(exact: int) -> int:
    """Hundred-thousandths of a yuan as fen, half a fen away from nothing."""
    return (exact + 500) // 1000 if exact >= 0 else -((-exact + 500) // 1000)


def moment(text: str, row: int) -> datetime:
    """A time in Beijing as bills write it: 2026-11-23 12:00:00. Raises BillUnreadable."""
    try:
        return _moment(text)
    except ValueError as error:
        raise BillUnreadable("time", row) from error


@lru_cache(maxsize=256)
def _moment(text: str) -> datetime:
    # Lines stand in the order of their times, and a busy second has many of them.
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError("a time of its own zone")
    return at.replace(tzinfo=BEIJING)


def short(number: str, row: int) -> str:
    """A number that fits, of plain signs as every gateway's is: a cut one would be another one.

    Raises BillUnreadable.
    """
    if len(number) <= NUMBER_MAX and number.isascii() and number.isalnum():
        return number
    is_plain = number.isascii() and number.isprintable() and "\\" not in number
    if len(number) > NUMBER_MAX or not is_plain:
        raise BillUnreadable("number", row)
    return number


def columns_of(header: list[str], needed: tuple[str, ...], row: int) -> dict[str, int]:
    """Where each column stands. Gateways add columns and change their order: names decide.

    Raises BillUnreadable when one that we need is missing.
    """
    places = {name.strip(): place for place, name in enumerate(header)}
    if any(name not in places for name in needed):
        raise BillUnreadable("columns", row)
    return places
