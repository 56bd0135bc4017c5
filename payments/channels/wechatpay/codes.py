"""WeChat Pay's error codes, sorted by what they mean for money. The older spellings still occur."""

from http import HTTPStatus
from typing import Final

from payments.channels.base import Rejected, Unknown

ORDER_MISSING: Final = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
REFUND_MISSING: Final = frozenset({"RESOURCE_NOT_EXISTS", "RESOURCE_NOT_EXIST", "REFUNDNOTEXIST"})
ORDER_CLOSED: Final = frozenset({"ORDER_CLOSED", "ORDERCLOSED"})

ORDER_EXISTS: Final = frozenset({"ORDERPAID", "ORDER_PAID", "OUT_TRADE_NO_USED"})
"""On open: an order with our number is there already."""

MAY_BE_A_REPEAT: Final = ORDER_EXISTS | ORDER_CLOSED | {"INVALID_REQUEST", "PARAM_ERROR"}
"""On open: perhaps an earlier try took effect and only this repeat was refused."""

BUSY_WITH_CUSTOMER: Final = frozenset({
    "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "USERPAYING",
})  # fmt: skip
"""On close: the customer may be paying at this moment."""

_UNSURE: Final = BUSY_WITH_CUSTOMER | {
    "SYSTEM_ERROR", "SYSTEMERROR", "BANK_ERROR", "BANKERROR", "SERVICE_UNAVAILABLE",
}  # fmt: skip
"""The gateway does not know either, or wants to be asked later."""

_OUR_FAULT: Final = frozenset({
    "SIGN_ERROR", "NO_AUTH", "MCH_NOT_EXISTS", "ACCOUNT_ERROR", "APPID_MCHID_NOT_MATCH",
})  # fmt: skip
"""An operator must mend the channel."""


def verdict(status: int, code: str, message: str, *, field: str = "") -> Rejected | Unknown:
    """What an authentic error answer means; `field` is the member of ours that it names."""
    is_unsure = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    if is_unsure or code in _UNSURE:
        return Unknown(reason=code)
    is_our_fault = code in _OUR_FAULT or status == HTTPStatus.UNAUTHORIZED
    return Rejected(code=code, message=message, is_our_fault=is_our_fault, field=field)
