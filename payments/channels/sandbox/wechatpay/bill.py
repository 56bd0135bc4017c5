"""A day's bill as WeChat Pay writes it. Written from the published layout, apart from who reads
it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Final

from payments.channels.sandbox.bills import Deed

CHINA: Final = timezone(timedelta(hours=8))
HEADER: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS: Final = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
MARK: Final = b"\xef\xbb\xbf"


def write_bill(deeds: Sequence[Deed], keys: Mapping[str, str]) -> bytes:
    """All of the day, then the sums. Byte for byte the same for the same deeds: its hash is told
    before it is fetched.
    """
    rows = [_row(deed, keys) for deed in deeds]
    paid = sum(deed.amount_minor for deed in deeds if not deed.is_refund)
    back = sum(deed.amount_minor for deed in deeds if deed.is_refund)
    fees = sum(deed.fee_minor for deed in deeds)
    sums = [str(len(deeds)), _yuan(paid), _yuan(back), "0.00", _fee(fees), _yuan(paid), _yuan(back)]
    lines = [HEADER, *map(_marked, rows), TOTALS, _marked(sums)]
    return MARK + "\r\n".join(lines).encode() + b"\r\n"


def _row(deed: Deed, keys: Mapping[str, str]) -> list[str]:
    paid = _yuan(0 if deed.is_refund else deed.amount_minor)
    back = _yuan(deed.amount_minor if deed.is_refund else 0)
    refund = deed.is_refund
    return [
        deed.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"), keys["appid"], keys["mchid"], "0",
        "", deed.order_gateway_number, deed.order, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "NATIVE",
        "REFUND" if refund else "SUCCESS", "OTHERS", "CNY", paid, "0.00",
        deed.gateway_number if refund else "0", deed.number if refund else "0", back, "0.00",
        "ORIGINAL" if refund else "", "SUCCESS" if refund else "", deed.subject, "",
        _fee(deed.fee_minor), "0.60%", paid, back, "",
    ]  # fmt: skip


def _marked(values: Sequence[str]) -> str:
    return ",".join(f"`{value}" for value in values)


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _fee(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{_yuan(abs(minor))}000"
