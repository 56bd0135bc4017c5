"""Alipay's trade bill: a zip of two CSV files in GBK, the details and a summary by shop.

The details open with four lines that begin with `#`, and end with the number and the sum of their
payments and of their refunds: a file without them is cut off. Codes end with a tab, so that a
spreadsheet leaves their digits alone. What Alipay keeps for itself stands there as a negative
number.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from operator import itemgetter
from typing import IO, Final

from payments.channels.alipay.readings import text
from payments.channels.alipay.wire import Wire
from payments.channels.base import Done, Outcome, Rejected, Unknown
from payments.channels.bills import (
    BILL_BYTES_MAX,
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

METHOD: Final = "alipay.data.dataservice.bill.downloadurl.query"
MISSING: Final = frozenset({"isp.bill_not_exist", "isv.bill-not-exist", "BILL_NOT_EXIST"})
INFLATED_BYTES_MAX: Final = 8 * BILL_BYTES_MAX

_TRADE, _NUMBER, _KIND, _DONE_AT = "支付宝交易号", "商户订单号", "业务类型", "完成时间"
_AMOUNT, _RECEIVED, _REFUND, _FEE = (
    "订单金额（元）", "商家实收（元）", "退款批次号/请求号", "服务费（元）",
)  # fmt: skip
NEEDED: Final = (_TRADE, _NUMBER, _KIND, _DONE_AT, _AMOUNT, _RECEIVED, _REFUND, _FEE)
PAYMENT, REFUND = "交易", "退款"

_ACCOUNT: Final = re.compile(r"#账号：\[([0-9]{16})[0-9]*\]")
_PERIOD: Final = re.compile(r"#起始日期：\[([0-9]{4})年([0-9]{2})月([0-9]{2})日")
_SUM: Final = re.compile(
    r"#(交易|退款)合计：([0-9]{1,10})笔，商家实收(?:退款)?共(-?[0-9.]{1,20})元.*"
)
_END: Final = "业务明细列表结束"
_EXPORTED: Final = "#导出时间"


class TradeBills:
    """Fulfils `bills.Bills` for one seller."""

    def __init__(self, wire: Wire, seller: str) -> None:
        self._wire, self._seller = wire, seller

    def bill_span(self, day: date) -> tuple[datetime, datetime]:
        """A calendar day."""
        return day_span(day)

    def bill_ready_at(self, day: date) -> datetime:
        """Ten o'clock on the next day."""
        return next_morning(day)

    def fetch_bill(self, day: date, into: IO[bytes]) -> Outcome[BillFile]:
        """Ask for the address, and fetch at once: it lives for half a minute."""
        biz = {"bill_type": "trade", "bill_date": day.isoformat()}
        answer = self._wire.call(METHOD, biz)
        if isinstance(answer, Rejected) and answer.code in MISSING:
            return Rejected(code=NO_BILL, message=answer.message)
        if isinstance(answer, Unknown) and answer.reason in MISSING:
            return Rejected(code=NO_BILL, message=answer.reason)
        if not isinstance(answer, Done):
            return answer
        url = text(answer.value, "bill_download_url")
        if not url:
            return Unknown(reason="unreadable")
        fetched = self._wire.download(url, into, bytes_max=BILL_BYTES_MAX)
        if not isinstance(fetched, Done):
            return fetched
        return Done(BillFile(name=f"{day:%Y%m%d}.csv.zip", media_type="application/zip"))

    def parse_bill(self, raw: IO[bytes], *, day: date) -> Iterator[BillLine]:
        """Read the details line by line, then compare their sums. Raises BillUnreadable."""
        try:
            with zipfile.ZipFile(raw) as packed, packed.open(_details(packed)) as unpacked:
                yield from _Reader(self._seller, day).read(unpacked)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise BillUnreadable("truncated") from error


class _Reader:
    """One pass over one bill."""

    def __init__(self, seller: str, day: date) -> None:
        self._seller, self._day = seller, day
        self._counts = {PAYMENT: 0, REFUND: 0}
        self._sums = {PAYMENT: 0, REFUND: 0}

    def read(self, unpacked: IO[bytes]) -> Iterator[BillLine]:
        numbered = enumerate(lines_of(unpacked), 1)
        encoding, header, row = self._open(numbered)
        places = columns_of(header, NEEDED, row)
        pick = itemgetter(*(places[name] for name in NEEDED))
        for row, line in numbered:
            told = text_of(line, encoding, row).rstrip("\r\n")
            if told.startswith("#"):
                self._finish(told, row, numbered, encoding)
                return
            values = told.split(",")
            if len(values) != len(header):
                raise BillUnreadable("columns", row)
            yield self._line(row, [value.strip() for value in pick(values)])
        raise BillUnreadable("truncated")

    def _open(self, numbered: Iterator[tuple[int, bytes]]) -> tuple[str, list[str], int]:
        """The lines before the details: whose bill it is, and of which day."""
        encoding, account, period = "", "", ""
        for row, line in numbered:
            encoding = encoding or _encoding(line)
            told = text_of(line, encoding, row).lstrip("\ufeff").rstrip("\r\n")
            if found := _ACCOUNT.match(told):
                account = found[1]
            elif found := _PERIOD.match(told):
                period = "-".join(found.groups())
            elif not told.startswith("#"):
                if account != self._seller:
                    raise BillUnreadable("other_merchant", row)
                if period != self._day.isoformat():
                    raise BillUnreadable("other_day", row)
                return encoding, told.split(","), row
        raise BillUnreadable("truncated")

    def _line(self, row: int, values: list[str]) -> BillLine:
        trade, number, kind, done_at, amount, received, refund, fee = values
        if kind not in self._counts:
            raise BillUnreadable("columns", row)
        self._counts[kind] += 1
        self._sums[kind] += fen(received, row)
        minor, cost = fen(amount, row), rounded(-hundred_thousandths(fee, row))
        if kind == PAYMENT:
            if minor < 0:
                raise BillUnreadable("negative_payment", row)
            return BillLine(
                row, LineKind.PAYMENT, short(number, row), short(trade, row), minor, cost,
                LineState.DONE, moment(done_at, row),
            )  # fmt: skip
        return BillLine(
            row, LineKind.REFUND, short(refund, row), short(trade, row), abs(minor), cost,
            LineState.DONE, moment(done_at, row),
        )  # fmt: skip

    def _finish(
        self, told: str, end: int, rest: Iterator[tuple[int, bytes]], encoding: str
    ) -> None:
        """Both sums, then the time of the export, the very last line."""
        if _END not in told:
            raise BillUnreadable("columns", end)
        compared: set[str] = set()
        for row, line in rest:
            words = text_of(line, encoding, row).rstrip("\r\n")
            if found := _SUM.fullmatch(words):
                kind, count, total = found.groups()
                if (int(count), fen(total, row)) != (self._counts[kind], self._sums[kind]):
                    raise BillUnreadable("totals", row)
                compared.add(kind)
            elif words.startswith(_EXPORTED) and compared == set(self._counts):
                return
            elif words:
                raise BillUnreadable("columns", row)
        raise BillUnreadable("truncated")


def _encoding(line: bytes) -> str:
    """GBK, as Alipay writes; or UTF-8 when somebody saved the file anew."""
    for encoding in ("gbk", "utf-8-sig"):
        try:
            if line.decode(encoding).startswith("#支付宝"):
                return encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise BillUnreadable("not_a_bill", 1)


def _details(packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file that is no summary. Names are GBK without saying so."""
    found = []
    for info in packed.infolist():
        try:
            name = info.filename if info.flag_bits & 0x800 else info.filename.encode(
                "cp437").decode("gbk")  # fmt: skip
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = info.filename
        if name.endswith(".csv") and "汇总" not in name:
            found.append(info)
    if len(found) != 1:
        raise BillUnreadable("not_a_bill")
    if found[0].file_size > INFLATED_BYTES_MAX:
        raise BillUnreadable("too_large")
    return found[0]
