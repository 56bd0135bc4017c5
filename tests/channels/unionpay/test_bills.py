"""UnionPay's files, from records laid out here by hand after the published table."""

import base64
import io
import zipfile
import zlib
from datetime import UTC, date, datetime
from typing import Final

import httpx
import pytest

from payments.channels.base import Done, Rejected, Unknown
from payments.channels.bills import NO_BILL, BillLine, BillUnreadable, LineKind, LineState
from payments.channels.sandbox.unionpay import wire
from tests.channels.unionpay.scene import NOW, connect

DAY: Final = date(2026, 11, 22)
MERCHANT: Final = "777000000000001"
QUERY_ID: Final = "202611221200008888888"


def record(**changes: str) -> str:
    """A purchase of 88.80 yuan for which 53 fen are kept; positions count from 0 in the table."""
    values = {
        "code": "S22", "agent": "00049992   ", "sender": "00049992   ", "trace": "888888",
        "at": "1122120000", "account": "6226****0048".ljust(19), "amount": "000000008880",
        "mcc": "5411", "terminal": "07", "query": QUERY_ID, "old": "  ",
        "order": "20261122LIN0001".ljust(32), "card": "01", "orig_trace": " " * 6,
        "orig_at": " " * 10, "fee": "D000000000053", "settled": "C000000008827", "pay": "0001",
        "group": " " * 15, "type": "01", "sub": "01", "biz": "000201", "account_type": "01",
        "bill_type": " " * 4, "bill_no": " " * 32, "interaction": "0", "orig_query": " " * 21,
        "mer": MERCHANT, "split": "0", "sub_mer": " " * 15, "sub_name": " " * 32,
        "sub_amount": "C000000000000", "net": "C000000008827", "term": " " * 8,
        "reserved": " " * 32, "discount": "C000000000000", "invoice": "C000000000000",
        "instalment": "000000000000", "times": "  ", "medium": "0", "orig_order": " " * 32,
        "end": " " * 98, **changes,
    }  # fmt: skip
    assert len(values) == 42
    return " ".join(values.values())


ERROR: Final = " ".join([
    "E74", "00049992   ", "00049992   ", "777777", "1121090000", "6226****0048".ljust(19),
    "000000001000", "5411", "07", "  ", " " * 6, " " * 10, " " * 4, " " * 12, "C000000000006",
    "C000000000994", MERCHANT, " " * 15, "0", " " * 12, "  ", " " * 135,
])  # fmt: skip


def packed(
    *records: str, errors: tuple[str, ...] = (), merchant: str = MERCHANT, day: str = "261122"
) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in (("ZM", records), ("ZME", errors)):
            text = "".join(f"{line}\r\n" for line in lines)
            archive.writestr(f"INN{day}88{name}_{merchant}", text.encode("gbk"))
    return into.getvalue()


@pytest.fixture
def read(gateway):
    def lines(content: bytes, day: date = DAY) -> list[BillLine]:
        return list(gateway.bills.parse_bill(io.BytesIO(content), day=day))

    return lines


def test_a_purchase_a_refund_a_void_and_an_error_are_read(read):
    lines = read(packed(
        record(), record(type="04", fee="C000000000017", order="RF01".ljust(32)),
        record(type="31"), record(type="99"), errors=(ERROR,),
    ))  # fmt: skip
    assert lines[0] == BillLine(
        1, LineKind.PAYMENT, "20261122LIN0001", QUERY_ID, 8880, 53, LineState.DONE,
        datetime(2026, 11, 22, 4, 0, tzinfo=UTC),
    )  # fmt: skip
    assert (lines[1].kind, lines[1].number, lines[1].fee_minor) == (LineKind.REFUND, "RF01", -17)
    assert [line.kind for line in lines[2:]] == [
        LineKind.REFUND, LineKind.DISPUTE, LineKind.DISPUTE,
    ]  # fmt: skip
    assert (lines[4].number, lines[4].gateway_number) == ("", "000499927777771121090000")
    assert (lines[4].row, lines[4].amount_minor, lines[4].fee_minor) == (5, 1000, -6)


def test_columns_are_bytes_and_not_letters(read):
    name = "茗山茶业"
    wide = name + " " * (32 - len(name.encode("gbk")))
    assert len(record(sub_name=wide).encode("gbk")) == len(record())
    assert read(packed(record(sub_name=wide))) == read(packed(record()))


def test_times_are_of_the_year_that_is_nearest(read):
    first = packed(record(at="1231233000"), day="270101")
    line = read(first, date(2027, 1, 1))[0]
    assert line.at == datetime(2026, 12, 31, 15, 30, tzinfo=UTC)


BAD: Final = {
    "a record cut off": (packed(record()[:-7]), "columns"),
    "a foreign line": (packed(record(), "hello"), "columns"),
    "saved anew in UTF-8": (packed(record(sub_name="茗山茶业" + " " * 26)), "columns"),
    "another merchant's": (packed(record(mer="777000000000002")), "other_merchant"),
    "another merchant's file": (packed(record(), merchant="777000000000002"), "other_day"),
    "another day's file": (packed(record(), day="261121"), "other_day"),
    "no amount": (packed(record(amount="-00000008880")), "amount"),
    "a fee on no side": (packed(record(fee="X000000000053")), "amount"),
    "no time": (packed(record(at="1322120000")), "time"),
    "a time of another season": (packed(record(at="0601120000")), "time"),
    "letters in a number": (packed(record(order=("单" + " " * 30))), "encoding"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(BAD))
def test_files_that_are_not_whole_are_not_believed(read, what):
    content, problem = BAD[what]
    with pytest.raises(BillUnreadable) as refused:
        read(content)
    assert refused.value.problem == problem


def test_a_zip_that_was_cut_off_is_not_believed(read):
    for keep in (0, 20, -25):
        with pytest.raises(BillUnreadable) as refused:
            read(packed(record())[:keep])
        assert refused.value.problem == "truncated"


class Counter(httpx.BaseTransport):
    """UnionPay's file host."""

    def __init__(self, keys, **told: str) -> None:
        self.keys, self.told = keys, told
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        form = dict(httpx.QueryParams(request.content.decode()))
        echoed = {name: form[name] for name in ("merId", "orderId", "txnTime", "txnType")}
        fields = {"version": "5.1.0", "signMethod": "01", "encoding": "UTF-8", "respMsg": "x",
                  **echoed, **self.told}  # fmt: skip
        return httpx.Response(200, content=wire.raw(wire.signed(fields, self.keys)))


def content_of(zipped: bytes) -> str:
    return base64.b64encode(zlib.compress(zipped)).decode()


def fetched(counter: Counter):
    into = io.BytesIO()
    outcome = connect(counter.keys, counter, clock=lambda: NOW).bills.fetch_bill(DAY, into)
    return outcome, into.getvalue()


def test_the_zip_is_what_is_kept(keys):
    counter = Counter(keys, respCode="00", fileContent=content_of(packed(record())))
    outcome, raw = fetched(counter)
    assert isinstance(outcome, Done)
    assert raw == packed(record())
    asked = dict(httpx.QueryParams(counter.asked[0].content.decode()))
    assert str(counter.asked[0].url) == "https://filedownload.95516.com/"
    assert (asked["txnType"], asked["txnSubType"], asked["bizType"]) == ("76", "01", "000000")
    assert (asked["fileType"], asked["settleDate"]) == ("00", "1122")


def test_no_file_is_told_as_such(keys):
    outcome, _raw = fetched(Counter(keys, respCode="98"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == NO_BILL


def test_content_that_cannot_be_unpacked_is_no_bill(keys):
    whole = content_of(packed(record()))
    for content in ("", "!!!", whole[:-8], base64.b64encode(b"plain").decode()):
        outcome, raw = fetched(Counter(keys, respCode="00", fileContent=content))
        assert isinstance(outcome, Unknown)
        assert raw == b""


def test_a_file_that_a_stranger_signed_is_no_bill(keys, other_keys):
    forged = Counter(other_keys, respCode="00", fileContent=content_of(packed(record())))
    into = io.BytesIO()
    outcome = connect(keys, forged, clock=lambda: NOW).bills.fetch_bill(DAY, into)
    assert isinstance(outcome, Unknown)
    assert into.getvalue() == b""
