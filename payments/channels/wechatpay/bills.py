"""WeChat Pay's trade bill: where it is fetched, and what its columns mean.

It is ready after 10:00 on the next day. The hash that the signed answer names is of the file
inside the compressed one. Every value has a backtick before it, so that commas in the names of
goods part no columns.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import IO, Final, cast

from payments.channels.base import Done, Outcome, Rejected, Unknown
from payments.channels.bills import (
    BILL_BYTES_MAX,
    CHUNK,
    NO_BILL,
    BillFile,
    BillLine,
    BillUnreadable,
    LineKind,
    LineState,
    columns_of,
    day_span,
    fen,
    hundred_thousandths,
    lines_of,
    moment,
    next_morning,
    rounded,
    short,
    text_of,
)
from payments.channels.wechatpay.calls import Caller
from payments.channels.wechatpay.reading import Fields, Unreadable

MISSING: Final = frozenset({"NO_STATEMENT_EXIST", "NO_STATEMENT", "STATEMENT_CREATING"})
INFLATED_BYTES_MAX: Final = 8 * BILL_BYTES_MAX

_TIME, _MERCHANT, _TRADE, _NUMBER = "交易时间", "商户号", "微信订单号", "商户订单号"
_STATUS, _CURRENCY, _FEE = "交易状态", "货币种类", "手续费"
_REFUND_ID, _REFUND_NUMBER, _REFUND_STATUS = "微信退款单号", "商户退款单号", "退款状态"
NEEDED: Final = (_TIME, _MERCHANT, _TRADE, _NUMBER, _STATUS, _CURRENCY, _FEE, _REFUND_ID,
                 _REFUND_NUMBER, _REFUND_STATUS)  # fmt: skip
AMOUNTS: Final = (("订单金额", "应结订单金额"), ("申请退款金额", "退款金额"))
"""What was asked for, and what older bills tell in its place: less what coupons paid."""
REFUND_STATES: Final = {
    "SUCCESS": LineState.DONE, "FAIL": LineState.FAILED, "FAILED": LineState.FAILED,
}  # fmt: skip
"""Others (PROCESSING, CHANGE: the payer's card is gone) are not final."""
_PAYMENT, _REFUND, _DONE = LineKind.PAYMENT, LineKind.REFUND, LineState.DONE
"""Looked up once: a name of an enumeration costs more than the rest of making a line."""
TOTALS: Final = {
    "总交易单数": "lines",
    "订单总金额": "payments",
    "申请退款总金额": "refunds",
    "手续费总金额": "fees",
}
_COUNT: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


class TradeBills:
    """Fulfils `bills.Bills` for one merchant."""

    def __init__(self, caller: Caller, merchant: str) -> None:
        self._caller, self._merchant = caller, merchant

    def bill_span(self, day: date) -> tuple[datetime, datetime]:
        """A calendar day."""
        return day_span(day)

    def bill_ready_at(self, day: date) -> datetime:
        """Ten o'clock on the next day."""
        return next_morning(day)

    def fetch_bill(self, day: date, into: IO[bytes]) -> Outcome[BillFile]:
        """Ask for the address, fetch at once (it lives for minutes), compare the hash."""
        params = {"bill_date": day.isoformat(), "bill_type": "ALL", "tar_type": "GZIP"}
        answer = self._caller.get("/v3/bill/tradebill", params)
        if isinstance(answer, Rejected) and answer.code in MISSING:
            return Rejected(code=NO_BILL, message=answer.message)
        if not isinstance(answer, Done):
            return answer
        try:
            url, expected = _told(answer.value)
            fetched = self._caller.download(url, into, bytes_max=BILL_BYTES_MAX)
            if isinstance(fetched, Done):
                _require_whole(into, expected)
        except Unreadable:
            return Unknown(reason="unreadable")
        except BillUnreadable as error:
            return Unknown(reason=error.problem)
        if not isinstance(fetched, Done):
            return fetched
        return Done(BillFile(name=f"{day:%Y%m%d}ALL.csv.gz", media_type="application/gzip"))

    def parse_bill(self, raw: IO[bytes], *, day: date) -> Iterator[BillLine]:
        """Read line by line, then compare the sums. Raises BillUnreadable."""
        with gzip.GzipFile(fileobj=raw) as unpacked:
            try:
                yield from _Reader(self._merchant).read(cast("IO[bytes]", unpacked))
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise BillUnreadable("truncated") from error


class _Reader:
    """One pass over one bill."""

    def __init__(self, merchant: str) -> None:
        self._merchant = merchant
        self._sums = dict.fromkeys(TOTALS.values(), 0)

    def read(self, unpacked: IO[bytes]) -> Iterator[BillLine]:
        numbered = enumerate(lines_of(unpacked), 1)
        _row, first = next(numbered, (0, b""))
        header, encoding = _header(first)
        places, width = columns_of(header, NEEDED, 1), len(header)
        pick = itemgetter(*_picker(places))
        for row, line in numbered:
            if not line.startswith(b"`"):
                yield from self._finish(text_of(line, encoding, row), row, numbered, encoding)
                return
            values = text_of(line, encoding, row).rstrip("\r\n")[1:].split(",`")
            if len(values) != width:
                raise BillUnreadable("columns", row)
            yield self._line(row, pick(values))
        raise BillUnreadable("truncated")

    def _line(self, row: int, values: Sequence[str]) -> BillLine:
        """The values in the order of `_picker`."""
        (at, merchant, trade, number, status, currency, fee, refund_id, refund_number,
         refund_status, paid, refunded) = values  # fmt: skip
        if merchant != self._merchant:
            raise BillUnreadable("other_merchant", row)
        if currency != "CNY":
            raise BillUnreadable("currency", row)
        sums, exact = self._sums, hundred_thousandths(fee, row)
        sums["lines"] += 1
        sums["fees"] += exact
        if status == "SUCCESS":
            amount = fen(paid, row)
            if amount < 0:
                raise BillUnreadable("negative_payment", row)
            sums["payments"] += amount
            return BillLine(
                row, _PAYMENT, short(number, row), short(trade, row), amount,
                rounded(exact), _DONE, moment(at, row),
            )  # fmt: skip
        amount = abs(fen(refunded, row))
        sums["refunds"] += amount
        state = REFUND_STATES.get(refund_status, LineState.PENDING)
        return BillLine(
            row, _REFUND, short(refund_number, row), short(refund_id or trade, row), amount,
            rounded(exact), state, moment(at, row),
        )  # fmt: skip

    def _finish(
        self, head: str, row: int, rest: Iterator[tuple[int, bytes]], encoding: str
    ) -> Iterator[BillLine]:
        """The sums at the end: their names, their values, and nothing after them."""
        names = [name.strip() for name in head.split(",")]
        if names[0] not in TOTALS:
            raise BillUnreadable("columns", row)
        _at, line = next(rest, (0, b""))
        values = text_of(line, encoding, row + 1).rstrip("\r\n").removeprefix("`").split(",`")
        if not line:
            raise BillUnreadable("truncated")
        if len(values) != len(names):
            raise BillUnreadable("columns", row + 1)
        told = dict(zip(names, values, strict=True))
        for name, key in TOTALS.items():
            if name in told and _total(key, told[name], row + 1) != self._sums[key]:
                raise BillUnreadable("totals", row + 1)
        if any(line.strip() for _row, line in rest):
            raise BillUnreadable("columns", row + 2)
        return iter(())


def _total(key: str, text: str, row: int) -> int:
    match key:
        case "lines":
            if not _COUNT.fullmatch(text):
                raise BillUnreadable("totals", row)
            return int(text)
        case "fees":
            return hundred_thousandths(text, row)
        case _:
            return abs(fen(text, row))


def _header(line: bytes) -> tuple[list[str], str]:
    """The names of the columns and the encoding they are in. Some carry a mark for UTF-8."""
    for encoding in ("utf-8-sig", "gbk"):
        try:
            names = line.decode(encoding).rstrip("\r\n").split(",")
        except UnicodeDecodeError:
            continue
        if names[0].strip().lstrip("`") == _TIME:
            return [name.strip().lstrip("`") for name in names], encoding.removesuffix("-sig")
    raise BillUnreadable("not_a_bill", 1)


def _picker(places: dict[str, int]) -> list[int]:
    amounts = [next((n for n in names if n in places), "") for names in AMOUNTS]
    if not all(amounts):
        raise BillUnreadable("columns", 1)
    return [places[name] for name in (*NEEDED, *amounts)]


def _told(fields: Fields) -> tuple[str, str]:
    if fields.text("hash_type") != "SHA1":
        raise Unreadable("hash_type")
    return fields.text("download_url"), fields.text("hash_value").lower()


def _require_whole(packed: IO[bytes], expected: str) -> None:
    """Compare the SHA-1 of the file inside, as WeChat Pay names it. Raises BillUnreadable.

    It guards against damage. Against forgery guards the signature over the answer that named it.
    """
    packed.seek(0)
    digest, count = hashlib.sha1(usedforsecurity=False), 0
    try:
        with gzip.GzipFile(fileobj=packed) as unpacked:
            while chunk := unpacked.read(CHUNK):
                digest.update(chunk)
                count += len(chunk)
                if count > INFLATED_BYTES_MAX:
                    raise BillUnreadable("too_large")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BillUnreadable("truncated") from error
    if digest.hexdigest() != expected:
        raise BillUnreadable("hash")
