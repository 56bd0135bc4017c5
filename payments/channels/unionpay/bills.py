"""UnionPay's files of a clearing day: what was cleared (ZM), and what went wrong (ZME).

They come inside one signed message, in a zip that is compressed once more and written in base64.
Records have columns of fixed widths in bytes, so they are cut before they are decoded. There are no
sums at the end: the zip's own check and the length of every record tell whether a file is whole.
The day ends at 23:00.
"""

import base64
import binascii
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import IO, Final

from payments.channels.base import Done, NotAuthentic, Outcome, Rejected, Unknown
from payments.channels.bills import (
    BEIJING,
    NO_BILL,
    BillFile,
    BillLine,
    BillUnreadable,
    LineKind,
    LineState,
    day_span,
    lines_of,
    next_morning,
    short,
)
from payments.channels.http import NoAnswer
from payments.channels.unionpay.wire import FILE_MESSAGE_BYTES_MAX, Unanswered, Wire
from payments.channels.unionpay.words import code_of, refused

NO_FILE: Final = "98"
INFLATED_BYTES_MAX: Final = 8 * 1024**3
DAY_BEGINS: Final = time(23)

ZM_WIDTHS: Final = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21,
    15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip
ZME_WIDTHS: Final = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 2, 6, 10, 4, 12, 13, 13, 15, 15, 1, 12, 2, 135,
)  # fmt: skip
SENDER, TRACE_NUMBER, TRACE_TIME, AMOUNT = 2, 3, 4, 6
QUERY_ID, ORDER, FEE, TXN_TYPE, MERCHANT = 9, 11, 15, 19, 27
ZME_FEE, ZME_MERCHANT = 14, 16

KINDS: Final = {
    "01": LineKind.PAYMENT, "04": LineKind.REFUND, "31": LineKind.REFUND, "33": LineKind.REFUND,
}  # fmt: skip
"""Purchases, refunds, and voids of purchases and of completions. Others a person must look at."""

_SIGNED: Final = re.compile(rb"([CD ])([0-9]{12})")
_FEN: Final = re.compile(rb"[0-9]{12}")
_MOMENT: Final = re.compile(r"[0-9]{10}", re.ASCII)


class Columns:
    """Where the columns of a record lie."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        starts = [0, *accumulate(width + 1 for width in widths)]
        self.slices = [slice(at, at + width) for at, width in zip(starts, widths, strict=False)]
        self.length = starts[-1] - 1

    def cut(self, line: bytes, row: int) -> list[bytes]:
        """The record's values, as they stand. Raises BillUnreadable."""
        record = line.rstrip(b"\r\n")
        if len(record) != self.length:
            raise BillUnreadable("columns", row)
        return [record[place] for place in self.slices]


ZM: Final = Columns(ZM_WIDTHS)
ZME: Final = Columns(ZME_WIDTHS)


class ClearingFiles:
    """Fulfils `bills.Bills` for one merchant."""

    def __init__(self, wire: Wire, merchant: str) -> None:
        self._wire, self._merchant = wire, merchant

    def bill_span(self, day: date) -> tuple[datetime, datetime]:
        """From 23:00 on the evening before."""
        return day_span(day, begins=DAY_BEGINS)

    def bill_ready_at(self, day: date) -> datetime:
        """Nine o'clock on the next day."""
        return next_morning(day, at=time(9))

    def fetch_bill(self, day: date, into: IO[bytes]) -> Outcome[BillFile]:
        """Ask for the files of the day. The zip that lies in the answer is what is kept."""
        try:
            told = self._wire.ask_file(day)
            match code_of(told):
                case "00":
                    into.write(_unpacked(told.get("fileContent", "")))
                case code if code == NO_FILE:
                    return Rejected(code=NO_BILL, message=told.get("respMsg", ""))
                case _:
                    return refused(told)
        except NoAnswer as error:
            return Unknown(reason=error.reason, was_sent=error.was_sent)
        except (Unanswered, NotAuthentic) as error:
            return Unknown(reason=error.reason)
        except BillUnreadable as error:
            return Unknown(reason=error.problem)
        name = f"INN{day:%y%m%d}_{self._merchant}.zip"
        return Done(BillFile(name=name, media_type="application/zip"))

    def parse_bill(self, raw: IO[bytes], *, day: date) -> Iterator[BillLine]:
        """What was cleared, then what went wrong. Raises BillUnreadable."""
        try:
            with zipfile.ZipFile(raw) as packed:
                cleared = _member(packed, "ZM", self._merchant, day)
                disputed = _member(packed, "ZME", self._merchant, day)
                if cleared is None:
                    raise BillUnreadable("not_a_bill")
                row = 0
                for info, read in ((cleared, self._cleared), (disputed, self._disputed)):
                    if info is None:
                        continue
                    with packed.open(info) as unpacked:
                        for line in lines_of(unpacked):
                            row += 1
                            yield read(line, row, day)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise BillUnreadable("truncated") from error

    def _cleared(self, line: bytes, row: int, day: date) -> BillLine:
        values = ZM.cut(line, row)
        if _text(values[MERCHANT], row) != self._merchant:
            raise BillUnreadable("other_merchant", row)
        kind = KINDS.get(_text(values[TXN_TYPE], row), LineKind.DISPUTE)
        return BillLine(
            row, kind, short(_text(values[ORDER], row), row),
            short(_text(values[QUERY_ID], row), row), _fen(values[AMOUNT], row),
            _cost(values[FEE], row), LineState.DONE, _moment(values[TRACE_TIME], row, day),
        )  # fmt: skip

    def _disputed(self, line: bytes, row: int, day: date) -> BillLine:
        """An error record names no order: sender, trace number and time are all there is."""
        values = ZME.cut(line, row)
        if _text(values[ZME_MERCHANT], row) != self._merchant:
            raise BillUnreadable("other_merchant", row)
        trace = b"".join(values[at].strip() for at in (SENDER, TRACE_NUMBER, TRACE_TIME))
        return BillLine(
            row, LineKind.DISPUTE, "", short(_text(trace, row), row), _fen(values[AMOUNT], row),
            _cost(values[ZME_FEE], row), LineState.DONE, _moment(values[TRACE_TIME], row, day),
        )  # fmt: skip


def _unpacked(content: str) -> bytes:
    """The zip out of the message."""
    unpacking = zlib.decompressobj()
    try:
        zipped = unpacking.decompress(
            base64.b64decode(content, validate=True), FILE_MESSAGE_BYTES_MAX
        )
    except (binascii.Error, ValueError, zlib.error) as error:
        raise BillUnreadable("not_a_bill") from error
    if not unpacking.eof or unpacking.unused_data:
        raise BillUnreadable("truncated")
    return zipped


def _member(packed: zipfile.ZipFile, what: str, merchant: str, day: date) -> zipfile.ZipInfo | None:
    name = f"INN{day:%y%m%d}88{what}_{merchant}"
    found = [info for info in packed.infolist() if info.filename.rsplit("/", 1)[-1] == name]
    other = any(f"88{what}_" in info.filename for info in packed.infolist())
    if not found:
        if other:
            raise BillUnreadable("other_day")
        return None
    if len(found) != 1 or found[0].file_size > INFLATED_BYTES_MAX:
        raise BillUnreadable("too_large" if len(found) == 1 else "not_a_bill")
    return found[0]


def _text(value: bytes, row: int) -> str:
    """Numbers are plain letters and digits, whatever the file's encoding."""
    try:
        return value.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise BillUnreadable("encoding", row) from error


def _fen(value: bytes, row: int) -> int:
    if not _FEN.fullmatch(value):
        raise BillUnreadable("amount", row)
    return int(value)


def _cost(value: bytes, row: int) -> int:
    """A fee with the side of our account that it is booked on: D is taken, C is given back."""
    found = _SIGNED.fullmatch(value)
    if found is None:
        raise BillUnreadable("amount", row)
    return -int(found[2]) if found[1] == b"C" else int(found[2])


def _moment(value: bytes, row: int, day: date) -> datetime:
    """MMDDhhmmss in whichever year brings it nearest to the day."""
    text, noon = _text(value, row), datetime.combine(day, time(12), BEIJING)
    if not _MOMENT.fullmatch(text):
        raise BillUnreadable("time", row)
    found = []
    for year in (day.year - 1, day.year, day.year + 1):
        try:
            at = datetime.strptime(f"{year}{text}", "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        except ValueError:
            continue
        found.append(at)
    nearest = min(found, key=lambda at: abs(at - noon), default=None)
    if nearest is None or abs(nearest - noon) > timedelta(days=45):
        raise BillUnreadable("time", row)
    return nearest.astimezone(UTC)
