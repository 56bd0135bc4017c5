"""What Alipay's answer codes mean for us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from payments.channels.base import Done, Outcome, Rejected, Unknown

ANSWERED: Final = "10000"
OUR_FAULT: Final = frozenset({"20001", "40001", "40002", "40003", "40006"})
"""Token, missing parameter, wrong parameter (a bad signature too), condition, permission."""
REFUSED: Final = "40004"

NOT_EXIST: Final = "ACQ.TRADE_NOT_EXIST"
MOVED_ON: Final = frozenset(
    {
        "ACQ.TRADE_HAS_SUCCESS",
        "ACQ.TRADE_HAS_FINISHED",
        "ACQ.TRADE_HAS_CLOSE",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.REASON_TRADE_STATUS_INVALID",
        "ACQ.REASON_ILLEGAL_STATUS",
    }
)
"""The order is not where the call supposed it to be; only a query tells where it is."""
OTHER_CONTENT: Final = "ACQ.CONTEXT_INCONSISTENT"

_UNDECIDED: Final = ("ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "isp.", "aop.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An authentic answer: its codes and its business fields."""

    code: str
    sub_code: str
    message: str
    fields: Mapping[str, Any]


def judge(said: Said) -> Outcome[Mapping[str, Any]]:
    """One of the three outcomes. A code that we do not know leaves everything open."""
    name = said.sub_code or said.code
    if said.code == ANSWERED:
        return Done(said.fields)
    if said.code in OUR_FAULT:
        return Rejected(code=name, message=said.message, is_our_fault=True)
    if said.code == REFUSED and said.sub_code and not said.sub_code.startswith(_UNDECIDED):
        return Rejected(code=name, message=said.message)
    return Unknown(reason=name)
