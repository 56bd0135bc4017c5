"""What an applicant states, section by section, and how each typed value is read.

A draft keeps what was typed, right or wrong. Reading it gives the values and the faults; the pages
show the faults while somebody types, and submission wants none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, Literal, TypeAlias
from unicodedata import category

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.formats import (
    Unfit,
    read_account_number,
    read_bank_code,
    read_card_number,
    read_credit_code,
    read_icp_number,
    read_identity_number,
)

Value: TypeAlias = str | date | Decimal | int | bool
Typed: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[str, Value]

LONG_TERM: Final = "long"
"""How a term without an end is typed (长期)."""
FOREVER: Final = date.max
ROWS_MAX: Final = 20
TEXT_MAX: Final = 1000
AMOUNT_DIGITS_MAX: Final = 12
MOBILE_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: where, and a stable code for which pages have a sentence."""

    section: str
    field: str
    code: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to type. `read` gives its value or raises Unfit; it gets the day of today."""

    name: str
    read: Callable[[str, date], Value]
    kind: Literal["line", "text", "day", "last_day", "choice"] = "line"
    """How it is typed. A last day may be LONG_TERM."""
    choices: tuple[str, ...] = ()
    is_required: bool = True
    is_secret: bool = False
    """Masked for everybody but its applicant; others see it for a reason that is recorded."""
    only_if: tuple[str, str] = ("", "")
    """Asked only when that other field has that value."""


@dataclass(frozen=True, slots=True)
class Section:
    """One subject, one page. With `rows_max` above one it is a list of equal rows."""

    name: str
    fields: tuple[Field, ...]
    rows_max: int = 1

    @property
    def is_list(self) -> bool:
        """Whether it has rows."""
        return self.rows_max > 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What a section says, row by row; fields with a fault are missing from the values."""

    rows: tuple[Values, ...]
    faults: tuple[Fault, ...]


def read_section(section: Section, typed: Sequence[Typed], *, on: date) -> Reading:
    """Read what was typed. Empty rows of a list count for nothing."""
    rows, faults = [], []
    written = [
        row for row in typed if any(row.get(field.name, "").strip() for field in section.fields)
    ]
    for number, row in enumerate(written if section.is_list else (list(typed) or [{}])[:1]):
        values, wrong = _read_row(section, row, number, on)
        rows.append(MappingProxyType(values))
        faults += wrong
    if len(written) > section.rows_max:
        faults.append(Fault(section.name, "", "too_many_rows"))
    return Reading(tuple(rows), tuple(faults))


def _read_row(
    section: Section, row: Typed, number: int, on: date
) -> tuple[dict[str, Value], list[Fault]]:
    values: dict[str, Value] = {}
    faults = []
    for field in section.fields:
        other, wanted = field.only_if
        if other and row.get(other, "") != wanted:
            continue
        text = row.get(field.name, "").strip()
        try:
            if text:
                values[field.name] = field.read(text, on)
            elif field.is_required:
                faults.append(Fault(section.name, field.name, "missing", number))
        except Unfit as unfit:
            faults.append(Fault(section.name, field.name, unfit.code, number))
    return values, faults


def text(most: int) -> Callable[[str, date], str]:
    """A line of at most so many characters, without control characters."""

    def read(typed: str, on: date) -> str:
        if len(typed) > most:
            raise Unfit("too_long")
        if any(category(character) == "Cc" and character not in "\r\n\t" for character in typed):
            raise Unfit("control_characters")
        return typed

    return read


def one_of(*choices: str) -> Callable[[str, date], str]:
    """One of the offered choices."""

    def read(typed: str, on: date) -> str:
        if typed not in choices:
            raise Unfit("not_offered")
        return typed

    return read


def day(typed: str, on: date) -> date:
    """A day as browsers send it. Raises Unfit: day_shape (also for 31 February)."""
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
    """A share in percent: more than nothing, at most 100, two decimals."""
    try:
        percent = Decimal(typed.rstrip("%％ "))
    except InvalidOperation:
        raise Unfit("share_shape") from None
    if not percent.is_finite() or not Decimal(0) < percent <= Decimal(100):
        raise Unfit("share_range")
    if percent != percent.quantize(Decimal("0.01")):
        raise Unfit("share_shape")
    return percent


def whole_yuan(typed: str, on: date) -> int:
    """An expected amount in whole yuan."""
    digits = typed.replace(",", "").replace("，", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= AMOUNT_DIGITS_MAX):
        raise Unfit("amount_shape")
    return int(digits)


def identity(typed: str, on: date) -> str:
    """An identity card's number."""
    return read_identity_number(typed, on=on)


def mobile(typed: str, on: date) -> str:
    """A mobile number of the mainland. Raises Unfit: mobile_shape."""
    number = typed.replace(" ", "").replace("-", "").removeprefix("+86")
    if not (
        len(number) == MOBILE_DIGITS and number.isascii() and number.isdigit() and number[0] == "1"
    ):
        raise Unfit("mobile_shape")
    return number


def email(typed: str, on: date) -> str:
    """An e-mail address, as far as its shape tells. Raises Unfit: email_shape."""
    name, at, host = typed.rpartition("@")
    if not (name and at and "." in host.strip(".")) or any(c.isspace() for c in typed):
        raise Unfit("email_shape")
    return text(254)(typed, on)


def web_address(typed: str, on: date) -> str:
    """Of a shop on the web. Raises Unfit: web_address_shape."""
    scheme, _, rest = typed.partition("://")
    if scheme not in {"http", "https"} or "." not in rest.partition("/")[0] or " " in typed:
        raise Unfit("web_address_shape")
    return text(300)(typed, on)


def _plain(read: Callable[[str], str]) -> Callable[[str, date], str]:
    """A reader that does not ask which day it is."""

    def read_typed(typed: str, _on: date) -> str:
        return read(typed)

    return read_typed


def _choice(name: str, *choices: str) -> Field:
    return Field(name, one_of(*choices), kind="choice", choices=choices)


ENTITY: Final = Section(
    "entity",
    (
        _choice("entity", "enterprise", "individual", "institution"),
        Field("short_name", text(32)),
        Field("contact_name", text(64)),
        Field("contact_mobile", mobile, is_secret=True),
        Field("contact_email", email),
    ),
)
LICENCE: Final = Section(
    "licence",
    (
        Field("name", text(128)),
        Field("credit_code", _plain(read_credit_code)),
        Field("valid_from", begin_day, kind="day"),
        Field("valid_to", end_day, kind="last_day"),
        Field("address", text(200)),
        Field("scope", text(TEXT_MAX), kind="text"),
    ),
)
LEGAL_PERSON: Final = Section(
    "legal_person",
    (
        Field("name", text(64)),
        Field("identity_number", identity, is_secret=True),
        Field("valid_from", begin_day, kind="day"),
        Field("valid_to", end_day, kind="last_day"),
        Field("mobile", mobile, is_secret=True),
    ),
)
SHAREHOLDERS: Final = Section(
    "shareholders",
    (
        _choice("kind", "person", "company"),
        Field("name", text(128)),
        Field("identity_number", identity, is_secret=True, only_if=("kind", "person")),
        Field("credit_code", _plain(read_credit_code), only_if=("kind", "company")),
        Field("share", share),
    ),
    rows_max=ROWS_MAX,
)
OWNERS: Final = Section(
    "owners",
    (
        _choice("basis", "share", "control", "manager"),
        Field("name", text(64)),
        Field("identity_number", identity, is_secret=True),
        Field("share", share, only_if=("basis", "share")),
        Field("explanation", text(500), kind="text", is_required=False),
    ),
    rows_max=ROWS_MAX,
)
ACCOUNT: Final = Section(
    "account",
    (
        _choice("kind", "company", "personal"),
        Field("holder", text(128)),
        Field("bank", text(64)),
        Field("bank_code", _plain(read_bank_code), only_if=("kind", "company")),
        Field(
            "account_number", _plain(read_account_number), is_secret=True,
            only_if=("kind", "company"),
        ),
        Field(
            "card_number", _plain(read_card_number), is_secret=True, only_if=("kind", "personal"),
        ),
    ),
)  # fmt: skip
BUSINESS: Final = Section(
    "business",
    (
        _choice("category", *CATEGORIES),
        Field("description", text(500), kind="text"),
        _choice("place", "site", "app", "shop"),
        Field("site", web_address, only_if=("place", "site")),
        Field("app_name", text(64), only_if=("place", "app")),
        Field("icp_number", _plain(read_icp_number), is_required=False),
        Field("shop_address", text(200), only_if=("place", "shop")),
        Field("monthly_volume", whole_yuan),
        Field("usual_amount", whole_yuan),
    ),
)

SECTIONS: Final[Mapping[str, Section]] = MappingProxyType(
    {
        section.name: section
        for section in (
            ENTITY, LICENCE, LEGAL_PERSON, SHAREHOLDERS, OWNERS, ACCOUNT, BUSINESS,
        )
    }
)  # fmt: skip
_NOT_ASKED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "individual": frozenset({"shareholders", "owners"}),
        "institution": frozenset({"shareholders"}),
    }
)
"""An individual business belongs to its operator; an institution has no shareholders."""


def sections_for(entity: str) -> tuple[Section, ...]:
    """The sections that such a business fills in, in their order."""
    left_out = _NOT_ASKED.get(entity, frozenset())
    return tuple(section for name, section in SECTIONS.items() if name not in left_out)
