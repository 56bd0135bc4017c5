"""How one typed value is read: each reader gets the text and the day of today.

A reader gives the value, or raises Unfit with the code of what is wrong.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final
from unicodedata import category

from merchants.onboarding.formats import Unfit, read_identity_number, squeezed

LONG_TERM: Final = "long"
"""How a term without an end is typed (长期)."""
FOREVER: Final = date.max
"""What is typed as 9999-12-31 means the same."""
AMOUNT_DIGITS_MAX: Final = 12
_LAYOUT: Final = "\r\n\t"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
"""Of Unicode: what steers, turns the direction or fills no place, and so hides what a name says."""
_DAY_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHARE_SHAPE: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_AMOUNT_SHAPE: Final = re.compile(rf"[0-9]{{1,{AMOUNT_DIGITS_MAX}}}")
_MOBILE_SHAPE: Final = re.compile(r"1[0-9]{10}")
_EMAIL_SHAPE: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_WEB_SHAPE: Final = re.compile(r"https?://[^\s/@.?#]+(\.[^\s/@.?#]+)+([/?#]\S*)?", re.IGNORECASE)


def line(most: int) -> Callable[[str, date], str]:
    """At most so many characters, all visible. Raises Unfit: too_long, control_characters."""

    def read(typed: str, on: date) -> str:
        if len(typed) > most:
            raise Unfit("too_long")
        if any(category(character) in _INVISIBLE for character in typed):
            raise Unfit("control_characters")
        return typed

    return read


def text(most: int) -> Callable[[str, date], str]:
    """The same over several lines."""
    read_line = line(most)

    def read(typed: str, on: date) -> str:
        read_line(typed.translate(dict.fromkeys(map(ord, _LAYOUT), " ")), on)
        return typed

    return read


def one_of(*choices: str) -> Callable[[str, date], str]:
    """One of the offered choices. Raises Unfit: not_offered."""

    def read(typed: str, on: date) -> str:
        if typed not in choices:
            raise Unfit("not_offered")
        return typed

    return read


def day(typed: str, on: date) -> date:
    """A day as browsers send it. Raises Unfit: day_shape (also for 31 February)."""
    if not _DAY_SHAPE.fullmatch(typed):
        raise Unfit("day_shape")
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Unfit("day_shape") from None


def end_day(typed: str, on: date) -> date:
    """The last day of a term, or FOREVER. Raises Unfit: day_shape, expired."""
    if typed == LONG_TERM:
        return FOREVER
    last = day(typed, on)
    if last < on:
        raise Unfit("expired")
    return last


def begin_day(typed: str, on: date) -> date:
    """The first day of a term. Raises Unfit: day_shape, begins_later."""
    first = day(typed, on)
    if first > on:
        raise Unfit("begins_later")
    return first


def share(typed: str, on: date) -> Decimal:
    """A share in percent: more than nothing, at most 100, two decimals.

    Raises Unfit: share_shape, share_range.
    """
    digits = squeezed(typed).removesuffix("%")
    if not _SHARE_SHAPE.fullmatch(digits):
        raise Unfit("share_shape")
    percent = Decimal(digits)
    if not Decimal(0) < percent <= Decimal(100):
        raise Unfit("share_range")
    if percent != percent.quantize(Decimal("0.01")):
        raise Unfit("share_shape")
    return percent


def whole_yuan(typed: str, on: date) -> int:
    """An expected amount in whole yuan. Raises Unfit: amount_shape."""
    digits = squeezed(typed).replace(",", "")
    if not _AMOUNT_SHAPE.fullmatch(digits):
        raise Unfit("amount_shape")
    return int(digits)


def identity(typed: str, on: date) -> str:
    """An identity card's number. Raises Unfit as `read_identity_number` does."""
    return read_identity_number(typed, on=on)


def mobile(typed: str, on: date) -> str:
    """A mobile number of the mainland. Raises Unfit: mobile_shape."""
    number = squeezed(typed).replace("-", "").removeprefix("+86")
    if not _MOBILE_SHAPE.fullmatch(number):
        raise Unfit("mobile_shape")
    return number


def email(typed: str, on: date) -> str:
    """An e-mail address, as far as its shape tells. Raises Unfit: email_shape, or as `line`."""
    if not _EMAIL_SHAPE.fullmatch(typed):
        raise Unfit("email_shape")
    return line(254)(typed, on)


def web_address(typed: str, on: date) -> str:
    """Of a shop on the web; no address with a password. Raises Unfit: web_address_shape, or as
    `line`.
    """
    if not _WEB_SHAPE.fullmatch(typed):
        raise Unfit("web_address_shape")
    return line(300)(typed, on)
