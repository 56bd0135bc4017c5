"""Single values as UnionPay writes them: times, amounts, texts, and what its answer codes mean."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from payments.channels.base import NotAuthentic, Rejected
from payments.money import Money

BEIJING: Final = timezone(timedelta(hours=8))
CURRENCIES: Final[dict[str, str]] = {
    "156": "CNY", "344": "HKD", "840": "USD", "978": "EUR", "826": "GBP",
    "702": "SGD", "036": "AUD", "124": "CAD", "392": "JPY", "410": "KRW",
}  # fmt: skip
"""ISO 4217 numbers. We charge in the first; the others make a wrong currency tellable."""

SUCCESS: Final = frozenset({"00", "A6"})
"""A6 is a defective success: the money is certain, details are missing."""
UNDECIDED: Final = frozenset({"01", "02", "03", "04", "05"})
"""No ready answer, busy, time-out inside, unknown, accepted: ask again."""
DUPLICATE: Final = "12"
NOT_FOUND: Final = "34"
TOO_OFTEN: Final = "37"
OUR_FAULT: Final = frozenset({"10", "11", "13", "31", "32", "43"})
"""Format, signature, missing field, merchant's state, no permission, no such business."""

_CODE: Final = re.compile(r"[0-9A-Z]{2}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}")
_MOMENT: Final = re.compile(r"[0-9]{14}")
_SPECIAL: Final = str.maketrans("&={}[]\"'", "＆＝｛｝［］＂＇")
"""Characters that UnionPay's parsers stumble over, and the wide ones it recommends instead."""


def moment(at: datetime) -> str:
    """A time as UnionPay writes it: Beijing, to the second. Raises ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError("naive time")
    return at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def read_moment(text: str) -> datetime | None:
    """What `moment` wrote, or None."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        return None


def finished_at(fields: Mapping[str, str]) -> datetime | None:
    """When the money moved: `traceTime` (MMDDhhmmss), in the year that `txnTime` tells, or None."""
    begun = read_moment(fields.get("txnTime", ""))
    if begun is None:
        return None
    year = begun.astimezone(BEIJING).year
    traced = (read_moment(f"{y}{fields.get('traceTime', '')}") for y in (year - 1, year, year + 1))
    earliest = begun - timedelta(days=1)
    return min((found for found in traced if found and found >= earliest), default=None)


def code_of(fields: Mapping[str, str], name: str = "respCode") -> str:
    """An answer code. Raises NotAuthentic("unreadable") when there is none."""
    code = fields.get(name, "")
    if not _CODE.fullmatch(code):
        raise NotAuthentic("unreadable")
    return code


def amount_of(fields: Mapping[str, str]) -> Money:
    """The amount in fen. Raises NotAuthentic("unreadable")."""
    text, currency = (
        fields.get("txnAmt", ""),
        CURRENCIES.get(fields.get("currencyCode", "")),
    )
    if currency is None or not _AMOUNT.fullmatch(text):
        raise NotAuthentic("unreadable")
    return Money(int(text), currency)


def plain_text(text: str, *, bytes_max: int) -> str:
    """A customer-visible text that is harmless inside a message, cut between characters."""
    kept = "".join(
        "?" if character > "\uffff" else character
        for character in text.translate(_SPECIAL)
        if unicodedata.category(character)[0] != "C"
    )
    return " ".join(kept.split()).encode()[:bytes_max].decode(errors="ignore").strip()


def refused(fields: Mapping[str, str]) -> Rejected:
    """A definite no, in UnionPay's words."""
    code = code_of(fields)
    return Rejected(code=code, message=fields.get("respMsg", ""), is_our_fault=code in OUR_FAULT)
