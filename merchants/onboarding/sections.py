"""What an applicant states, section by section, and how a section is read.

A draft keeps what was typed, right or wrong. Reading it gives the values and the faults; the pages
show the faults while somebody types, and submission wants none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.formats import (
    Unfit,
    read_account_number,
    read_bank_code,
    read_card_number,
    read_credit_code,
    read_icp_number,
)
from merchants.onboarding.values import (
    begin_day,
    email,
    end_day,
    identity,
    line,
    mobile,
    one_of,
    share,
    text,
    web_address,
    whole_yuan,
)

Value: TypeAlias = str | date | Decimal | int | bool
Typed: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[str, Value]

ROWS_MAX: Final = 20
TEXT_MAX: Final = 1000


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


def first_row(read: Mapping[str, Reading], section: str) -> Values:
    """The only row of a section that is no list; empty when it was not read."""
    return next(iter(read[section].rows), {}) if section in read else {}


def _read_row(
    section: Section, row: Typed, number: int, on: date
) -> tuple[dict[str, Value], list[Fault]]:
    values: dict[str, Value] = {}
    faults = []
    for field in section.fields:
        other, wanted = field.only_if
        if other and row.get(other, "").strip() != wanted:
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
        Field("short_name", line(32)),
        _choice("contact_role", "legal_person", "authorised"),
        Field("contact_name", line(64)),
        Field("contact_mobile", mobile, is_secret=True),
        Field("contact_email", email),
    ),
)
LICENCE: Final = Section(
    "licence",
    (
        Field("name", line(128)),
        Field("credit_code", _plain(read_credit_code)),
        Field("valid_from", begin_day, kind="day"),
        Field("valid_to", end_day, kind="last_day"),
        Field("address", line(200)),
        Field("scope", text(TEXT_MAX), kind="text"),
    ),
)
LEGAL_PERSON: Final = Section(
    "legal_person",
    (
        Field("name", line(64)),
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
        Field("name", line(128)),
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
        Field("name", line(64)),
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
        Field("holder", line(128)),
        Field("bank", line(64)),
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
        Field("app_name", line(64), only_if=("place", "app")),
        Field("icp_number", _plain(read_icp_number), is_required=False),
        Field("shop_address", line(200), only_if=("place", "shop")),
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
