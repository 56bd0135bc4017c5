"""Alipay's bill, from bytes written here by hand after published ones, good and bad."""

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Final

import pytest

from payments.channels.alipay import Alipay
from payments.channels.base import Unknown
from payments.channels.bills import BillLine, BillUnreadable, LineKind, LineState
from payments.channels.http import GatewayHttp

SELLER: Final = "2088111737371294"
DAY: Final = date(2019, 9, 16)
HEAD: Final = """#支付宝业务明细查询
#账号：[20881117373712940156]
#起始日期：[2019年09月16日 00:00:00]   终止日期：[2019年09月17日 00:00:00]
#-----------------------------------------业务明细列表----------------------------------------
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注
"""
ROWS: Final = """2019091622001465870515233238\t,20190916165659224L3VUQRL9\t,交易\t,明前龙井 50g,2019-09-16 16:58:56,2019-09-16 16:58:58,\t,\t,\t,\t,*庚辰(182****01)\t,128.00,126.00,0.00,0.00,0.00,2.00,0.00,,0.00\t,0.00,\t,-0.77,0.00,
2019091622001465870515233238\t,20190916165659224L3VUQRL9\t,退款\t,明前龙井 50g,2019-09-16 17:00:01,2019-09-16 17:01:38,\t,\t,\t,\t,*庚辰(182****01)\t,-28.00,-28.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,re20190916150216\t,0.17,0.00,
"""  # noqa: E501
FOOT: Final = """#-----------------------------------------业务明细列表结束------------------------------------
#交易合计：1笔，商家实收共126.00元，商家优惠共2.00元
#退款合计：1笔，商家实收退款共-28.00元，商家优惠退款共0.00元
#导出时间：[2019年09月17日 05:46:49]
"""  # noqa: E501


def packed(text: str, *, encoding: str = "gbk", also: str = "业务明细(汇总)") -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        summary = "#支付宝业务汇总查询\n"
        for name, content in (("业务明细", text), (also, summary)):
            name = f"{SELLER}0156_20190916_{name}.csv"  # noqa: PLW2901
            archive.writestr(name, content.encode(encoding))
    return into.getvalue()


@pytest.fixture
def read(connection):
    """Read a packed bill as the seller whose it is."""
    mine = type(connection)(
        code="alipay", base_url=connection.base_url, front_url=connection.front_url,
        credentials={**connection.credentials, "seller_id": SELLER},
    )  # fmt: skip
    gateway = Alipay().connect(mine, GatewayHttp())

    def lines(content: bytes, day: date = DAY) -> list[BillLine]:
        return list(gateway.bills.parse_bill(io.BytesIO(content), day=day))

    return lines


def test_payments_and_refunds_are_read(read):
    payment, refund = read(packed(HEAD + ROWS + FOOT))
    assert payment == BillLine(
        6, LineKind.PAYMENT, "20190916165659224L3VUQRL9", "2019091622001465870515233238", 12800,
        77, LineState.DONE, datetime(2019, 9, 16, 8, 58, 58, tzinfo=UTC),
    )  # fmt: skip
    assert (refund.kind, refund.number, refund.amount_minor, refund.fee_minor) == (
        LineKind.REFUND, "re20190916150216", 2800, -17,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_bill_that_was_saved_anew_reads_the_same(read, encoding, ends):
    text = (HEAD + ROWS + FOOT).replace("\n", ends)
    assert read(packed(text, encoding=encoding)) == read(packed(HEAD + ROWS + FOOT))


def test_columns_are_found_by_name(read):
    swapped = [
        line.replace("商户订单号,业务类型", "业务类型,商户订单号") if n == 4 else line
        for n, line in enumerate((HEAD + ROWS + FOOT).splitlines())
    ]
    for n in (5, 6):
        parts = swapped[n].split(",")
        parts[1], parts[2] = parts[2], parts[1]
        swapped[n] = ",".join(parts)
    assert read(packed("\n".join(swapped) + "\n")) == read(packed(HEAD + ROWS + FOOT))


def test_refunds_may_be_written_without_their_sign(read):
    text = HEAD + ROWS.replace("-28.00", "28.00") + FOOT.replace("-28.00", "28.00")
    assert read(packed(text))[1].amount_minor == 2800


WHOLE: Final = HEAD + ROWS + FOOT
BAD: Final = {
    "cut in the middle of a line": (WHOLE[: len(HEAD) + 60], "columns"),
    "without its end": (HEAD + ROWS, "truncated"),
    "without its sums": (HEAD + ROWS + FOOT.splitlines()[0] + "\n", "truncated"),
    "without its last line": (WHOLE[: WHOLE.index("#导出")], "truncated"),
    "a line lost": (HEAD + ROWS.splitlines()[0] + "\n" + FOOT, "totals"),
    "an amount changed": (HEAD + ROWS.replace("126.00", "126.01") + FOOT, "totals"),
    "a foreign line": (HEAD + "a,b,c\n" + ROWS + FOOT, "columns"),
    "a strange kind": (HEAD + ROWS.replace("交易\t", "转账\t") + FOOT, "columns"),
    "another merchant's": (WHOLE.replace("20881117373712940156", "20880000000000000156"),
                           "other_merchant"),
    "another day's": (WHOLE.replace("2019年09月16日", "2019年09月15日"), "other_day"),
    "a negative payment": (HEAD + ROWS.replace(",128.00", ",-128.00") + FOOT, "negative_payment"),
    "thirds of a fen": (HEAD + ROWS.replace(",128.00", ",128.005") + FOOT, "amount"),
    "no amount": (HEAD + ROWS.replace(",128.00", ",many") + FOOT, "amount"),
    "no time": (HEAD + ROWS.replace("2019-09-16 16:58:58", "yesterday") + FOOT, "time"),
    "a number that is too long": (HEAD + ROWS.replace("VUQRL9", "9" * 60) + FOOT, "number"),
    "a column lost": (WHOLE.replace(",服务费（元）", ""), "columns"),
    "no bill": ("hello\n", "not_a_bill"),
    "a line without end": (HEAD + "9" * 70_000, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(BAD))
def test_a_bill_that_is_not_whole_is_not_believed(read, what):
    text, problem = BAD[what]
    with pytest.raises(BillUnreadable) as refused:
        read(packed(text))
    assert refused.value.problem == problem


def test_encodings_do_not_change_on_the_way(read):
    content = HEAD.encode("gbk") + ROWS.encode() + FOOT.encode("gbk")
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("details.csv", content)
    with pytest.raises(BillUnreadable) as refused:
        read(into.getvalue())
    assert refused.value.problem in {"encoding", "columns", "totals"}


@pytest.mark.parametrize("keep", [0, 10, 200, -30])
def test_a_zip_that_was_cut_off_is_not_believed(read, keep):
    with pytest.raises(BillUnreadable) as refused:
        read(packed(WHOLE)[:keep])
    assert refused.value.problem == "truncated"


def test_two_files_of_details_are_no_bill(read):
    with pytest.raises(BillUnreadable) as refused:
        read(packed(WHOLE, also="业务明细2"))
    assert refused.value.problem == "not_a_bill"


def test_a_file_from_elsewhere_is_not_fetched(alipay):
    fetch = alipay._wire.download
    for url in ("http://bill.alipay.com/x", "https://alipay.com.evil.example/x", "file:///etc/x"):
        outcome = fetch(url, io.BytesIO(), bytes_max=10)
        assert outcome == Unknown(reason="foreign_address")
