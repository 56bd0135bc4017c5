"""A clearing day's files as UnionPay packs them. Written from the published table of columns,
apart from who reads them.
"""

import base64
import io
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Final

from payments.channels.sandbox.bills import Deed
from payments.channels.sandbox.unionpay.wire import moment

_TRACE_DIGITS: Final = 6


def pack_files(deeds: Sequence[Deed], merchant: str, day: date) -> str:
    """Transactions and errors (of which there are none), as `fileContent`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = "".join(f"{_record(deed, merchant)}\r\n" for deed in deeds)
        for name, text in (("ZM", lines), ("ZME", "")):
            info = zipfile.ZipInfo(f"INN{day:%y%m%d}88{name}_{merchant}", (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode("gbk"))
    return base64.b64encode(zlib.compress(packed.getvalue())).decode()


def _record(deed: Deed, merchant: str) -> str:
    """Forty-two columns, a blank between them."""
    at = moment(deed.at)[4:]
    trace = deed.gateway_number[-_TRACE_DIGITS:]
    fee = _sided(deed.fee_minor, plus="D", minus="C")
    signed = deed.amount_minor if not deed.is_refund else -deed.amount_minor
    settled = _sided(signed - deed.fee_minor, plus="C", minus="D")
    original = deed.order_gateway_number if deed.is_refund else ""
    nothing = _sided(0, plus="C", minus="D")
    columns: tuple[tuple[str, int], ...] = (
        ("S30" if deed.is_refund else "S22", 3), ("00049992", 11), ("00049992", 11), (trace, 6),
        (at, 10), ("6226********0048", 19), (f"{deed.amount_minor:012d}", 12), ("5411", 4),
        ("07", 2), (deed.gateway_number, 21), ("", 2), (deed.number, 32), ("01", 2), ("", 6),
        ("", 10), (fee, 13), (settled, 13), ("0001", 4), ("", 15),
        ("04" if deed.is_refund else "01", 2), ("00" if deed.is_refund else "01", 2),
        ("000201", 6), ("01", 2), ("", 4), ("", 32), ("0", 1), (original, 21), (merchant, 15),
        ("0", 1), ("", 15), ("", 32), (nothing, 13), (settled, 13),
        ("", 8), ("", 32), (nothing, 13), (nothing, 13),
        ("0" * 12, 12), ("", 2), ("0", 1), (deed.order if deed.is_refund else "", 32), ("", 98),
    )  # fmt: skip
    return " ".join(value.ljust(width)[:width] for value, width in columns)


def _sided(minor: int, *, plus: str, minus: str) -> str:
    return f"{plus if minor >= 0 else minus}{abs(minor):012d}"
