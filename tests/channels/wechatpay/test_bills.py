"""WeChat Pay's bill, from bytes written here by hand after published ones, good and bad."""

import gzip
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import httpx
import pytest

from payments.channels.base import Done, Rejected, Unknown
from payments.channels.bills import NO_BILL, BillLine, BillUnreadable, LineKind, LineState
from payments.channels.sandbox.wechatpay import wire
from payments.channels.sandbox.wechatpay.wire import KeyMode
from tests.channels.wechatpay.scene import BASE, NOW, connect, credentials

DAY: Final = date(2026, 11, 22)
HEADER: Final = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"  # noqa: E501
PAID: Final = "`2026-11-22 09:30:05,`wx2421b1c4370ec43b,`MCH,`0,`,`4200002611220930000000000001,`20261122LIN0001,`oUpF8uMuAJO,`NATIVE,`SUCCESS,`ICBC_DEBIT,`CNY,`127.00,`1.00,`0,`0,`0.00,`0.00,`,`,`龙井, 明前, 50g,`pay_1,`0.76800,`0.60%,`128.00,`0.00,`"  # noqa: E501
BACK: Final = "`2026-11-22 10:00:00,`wx2421b1c4370ec43b,`MCH,`0,`,`4200002611220930000000000001,`20261122LIN0001,`oUpF8uMuAJO,`NATIVE,`REFUND,`ICBC_DEBIT,`CNY,`0.00,`0.00,`50300008132026112200001,`RF20261122LIN01,`27.50,`0.00,`ORIGINAL,`SUCCESS,`龙井, 明前, 50g,`pay_1,`-0.16800,`0.60%,`0.00,`28.00,`"  # noqa: E501
SUMS: Final = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`2,`127.00,`27.50,`0.00,`0.60000,`128.00,`28.00\r\n"  # noqa: E501


def bill(*, lines: tuple[str, ...] = (PAID, BACK), sums: str = SUMS, header: str = HEADER) -> str:
    return "\r\n".join([header, *lines, sums])


@pytest.fixture
def read(gateway, keys) -> Callable[..., list[BillLine]]:
    """Read a bill of this merchant."""

    def lines(text: str, *, encoding: str = "utf-8-sig") -> list[BillLine]:
        content = text.replace("MCH", keys["mchid"]).encode(encoding)
        return list(gateway.bills.parse_bill(io.BytesIO(gzip.compress(content)), day=DAY))

    return lines


def test_payments_and_refunds_are_read(read):
    payment, refund = read(bill())
    assert payment == BillLine(
        2, LineKind.PAYMENT, "20261122LIN0001", "4200002611220930000000000001", 12800, 77,
        LineState.DONE, datetime(2026, 11, 22, 1, 30, 5, tzinfo=UTC),
    )  # fmt: skip
    assert (refund.kind, refund.number, refund.gateway_number, refund.amount_minor) == (
        LineKind.REFUND, "RF20261122LIN01", "50300008132026112200001", 2800,
    )  # fmt: skip
    assert refund.fee_minor == -17


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_every_encoding_that_occurs_reads_the_same(read, encoding):
    assert read(bill(), encoding=encoding) == read(bill())


def test_refunds_may_be_negative(read):
    text = bill(lines=(PAID, BACK.replace("`28.00,", "`-28.00,").replace("`27.50", "`-27.50")))
    assert read(text) == read(bill())


@pytest.mark.parametrize(("status", "state"), [
    ("PROCESSING", LineState.PENDING), ("CHANGE", LineState.PENDING), ("FAIL", LineState.FAILED),
])  # fmt: skip
def test_a_refund_says_how_far_it_is(read, status, state):
    assert (
        read(bill(lines=(PAID, BACK.replace("ORIGINAL,`SUCCESS", f"ORIGINAL,`{status}"))))[1].state
        == state
    )


def test_older_bills_tell_less(read):
    header = HEADER.replace(",订单金额,申请退款金额,费率备注", "")
    lines = tuple(",`".join(line.split(",`")[:24]) for line in (PAID, BACK))
    sums = "总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\r\n`2,`127.00,`27.50,`0.00,`0.60000\r\n"  # noqa: E501
    assert [line.amount_minor for line in read(bill(header=header, lines=lines, sums=sums))] == [
        12700, 2750,
    ]  # fmt: skip


BAD: Final = {
    "without its sums": (bill(sums=""), "truncated"),
    "the values of the sums cut off": (bill(sums=SUMS.split("\r\n")[0] + "\r\n"), "truncated"),
    "a line lost": (bill(lines=(PAID,)), "totals"),
    "an amount changed": (bill(lines=(PAID.replace("`128.00", "`128.01"), BACK)), "totals"),
    "a fee changed": (bill(lines=(PAID.replace("`0.76800", "`0.76900"), BACK)), "totals"),
    "a line twice": (bill(lines=(PAID, PAID, BACK)), "totals"),
    "another merchant's line": (bill(lines=(PAID, BACK.replace("`MCH", "`1999999999"))),
                                "other_merchant"),
    "a foreign line": (bill(lines=(PAID, "`a,`b", BACK)), "columns"),
    "a line that is none": (bill(lines=(PAID, "<html>", BACK)), "columns"),
    "more after the sums": (bill() + PAID, "columns"),
    "dollars": (bill(lines=(PAID.replace("`CNY", "`USD"), BACK)), "currency"),
    "a negative payment": (bill(lines=(PAID.replace("`128.00", "`-128.00"), BACK)),
                           "negative_payment"),
    "thirds of a fen": (bill(lines=(PAID.replace("`128.00", "`128.001"), BACK)), "amount"),
    "a column lost": (bill(header=HEADER.replace("手续费,", "")), "columns"),
    "no bill": ("<html>busy</html>", "not_a_bill"),
    "nothing": ("", "not_a_bill"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(BAD))
def test_a_bill_that_is_not_whole_is_not_believed(read, what):
    text, problem = BAD[what]
    with pytest.raises(BillUnreadable) as refused:
        read(text)
    assert refused.value.problem == problem


def test_a_compressed_file_that_was_cut_off_is_not_believed(gateway, keys):
    content = gzip.compress(bill().replace("MCH", keys["mchid"]).encode())
    for keep in (5, 30, len(content) - 4):
        with pytest.raises(BillUnreadable) as refused:
            list(gateway.bills.parse_bill(io.BytesIO(content[:keep]), day=DAY))
        assert refused.value.problem == "truncated"


# --- fetching -----------------------------------------------------------------------------------


class Counter(httpx.BaseTransport):
    """Answers the question with an address, and the address with a file."""

    def __init__(self, keys, told: dict[str, str], file: bytes, *, status: int = 200) -> None:
        self.keys, self.told, self.file, self.status = keys, told, file, status
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path == "/v3/billdownload/file":
            return httpx.Response(200, content=self.file)
        body = wire.to_bytes(self.told)
        headers = wire.signature_headers(self.keys, KeyMode.PUBLIC_KEY, body, NOW)
        return httpx.Response(self.status, content=body, headers=headers)


def fetched(counter: Counter):
    into = io.BytesIO()
    outcome = connect(credentials(counter.keys), counter).bills.fetch_bill(DAY, into)
    return outcome, into.getvalue()


def told(content: bytes, **changes: str) -> dict[str, str]:
    return {
        "hash_type": "SHA1", "hash_value": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "download_url": f"{BASE}/v3/billdownload/file?token=abc%2Bd", **changes,
    }  # fmt: skip


def test_the_hash_is_of_the_file_inside(keys):
    content = bill().encode()
    counter = Counter(keys, told(content), gzip.compress(content))
    outcome, raw = fetched(counter)
    assert isinstance(outcome, Done)
    assert raw == gzip.compress(content)
    question, download = counter.asked
    assert dict(question.url.params) == {
        "bill_date": "2026-11-22", "bill_type": "ALL", "tar_type": "GZIP",
    }  # fmt: skip
    assert download.headers["Authorization"].startswith("WECHATPAY2-SHA256-RSA2048 ")
    assert download.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("changes", "reason"), [
    ({"hash_value": "00" * 20}, "hash"), ({"hash_type": "MD5"}, "unreadable"),
    ({"download_url": "https://evil.example/v3/billdownload/file"}, "foreign_address"),
])  # fmt: skip
def test_what_the_answer_says_of_the_file_must_hold(keys, changes, reason):
    content = bill().encode()
    outcome, _raw = fetched(Counter(keys, told(content, **changes), gzip.compress(content)))
    assert outcome == Unknown(reason=reason)


def test_a_file_that_is_cut_off_or_no_archive_is_no_bill(keys):
    content = bill().encode()
    for file in (gzip.compress(content)[:-9], b"<html></html>"):
        outcome, _raw = fetched(Counter(keys, told(content), file))
        assert outcome == Unknown(reason="truncated")


def test_no_bill_is_told_as_such(keys):
    no = {"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}
    outcome, _raw = fetched(Counter(keys, no, b"", status=400))
    assert isinstance(outcome, Rejected)
    assert outcome.code == NO_BILL
