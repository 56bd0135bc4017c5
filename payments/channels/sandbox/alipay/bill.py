"""A day's bill as Alipay packs it. Written from the published layout, apart from who reads it."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from payments.channels.sandbox.alipay.wire import clock, yuan
from payments.channels.sandbox.bills import Deed

HEADER: Final = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
RULE: Final = "-" * 41
SUMMARY_HEADER: Final = (
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）"
)


def write_bill(deeds: Sequence[Deed], seller: str, day: date) -> bytes:
    """Details and summary in one zip, both GBK, and so are their names."""
    until = day + timedelta(days=1)
    head = [
        "#支付宝业务明细查询",
        f"#账号：[{seller}0156]",
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{until:%Y年%m月%d日} 00:00:00]",
        f"#{RULE}业务明细列表{RULE}",
        HEADER,
    ]
    payments = [deed for deed in deeds if not deed.is_refund]
    refunds = [deed for deed in deeds if deed.is_refund]
    paid, back = (sum(d.amount_minor for d in part) for part in (payments, refunds))
    tail = [
        f"#{RULE}业务明细列表结束{RULE}",
        f"#交易合计：{len(payments)}笔，商家实收共{yuan(paid)}元，商家优惠共0.00元",
        f"#退款合计：{len(refunds)}笔，商家实收退款共{_signed(-back)}元，商家优惠退款共0.00元",
        f"#导出时间：[{until:%Y年%m月%d日} 06:27:10]",
    ]
    total = f"合计,,{len(payments)},{len(refunds)},{_signed(paid - back)}"
    summary = ["#支付宝业务汇总查询", SUMMARY_HEADER, total]
    packed, stem = io.BytesIO(), f"{seller}0156_{day:%Y%m%d}"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in (
            ("业务明细", [*head, *map(_line, deeds), *tail]), ("业务明细(汇总)", summary),
        ):  # fmt: skip
            # A name with letters of cp437 keeps its bytes, so these are GBK without the UTF-8 mark.
            named = f"{stem}_{name}.csv".encode("gbk").decode("cp437")
            info = _UnmarkedInfo(named, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, ("\r\n".join(lines) + "\r\n").encode("gbk", "replace"))
    return packed.getvalue()


class _UnmarkedInfo(zipfile.ZipInfo):
    """An entry whose name is written in cp437's bytes."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  zipfile's own name
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def _line(deed: Deed) -> str:
    sign = -1 if deed.is_refund else 1
    amount = _signed(sign * deed.amount_minor)
    at = clock(deed.at)
    subject = deed.subject.replace(",", "，").replace("\n", " ")
    return ",".join((
        f"{deed.order_gateway_number}\t", f"{deed.order}\t",
        "退款" if deed.is_refund else "交易", subject, at, at, "\t", "\t", "\t", "\t",
        "*林(159****5620)\t", amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "",
        "0.00\t", "0.00", f"{deed.number if deed.is_refund else ''}\t",
        _signed(-deed.fee_minor), "0.00", "",
    ))  # fmt: skip


def _signed(minor: int) -> str:
    return f"-{yuan(-minor)}" if minor < 0 else yuan(minor)
