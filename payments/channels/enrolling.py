"""Enrolling a merchant with a gateway (进件): an ability that a connected channel may have.

A gateway that takes such applications over its interface fulfils `CanEnrol` beside `base.Gateway`;
one that takes them on paper only does not, and the desk keeps its state by hand.

The merchant's file comes as texts by our own names ("licence.name"), and one table per gateway says
where each goes and, the same way back, which of our fields a gateway means when it names its own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

from payments.channels.base import Outcome

LONG_TERM: Final = "long"
"""What a file says for the last day of a term without an end."""
EXTRA: Final = "extra"
DOCUMENTS: Final = "documents"

When: TypeAlias = tuple[str, frozenset[str]]
"""One of our fields, and its values for which something applies."""


class Stand(StrEnum):
    """Where an application stands at the gateway, in one vocabulary for all."""

    INCOMPLETE = "incomplete"
    """The gateway holds a part of it only, and wants it again under the same number."""
    AUDIT = "audit"
    ACCOUNT_CHECK = "account_check"
    """The merchant must prove that the account, or the legal person, is theirs."""
    NEEDS_CHANGES = "needs_changes"
    TO_BE_SIGNED = "to_be_signed"
    OPENING = "opening"
    """Signed; the gateway is opening what was signed for."""
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo of a paper, to be handed over before the application that names it."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantFile:
    """What a merchant's file says, opened for one call. Printing it shows the number only.

    `number` is ours, at most 32 capital letters and digits, and the same on every retry and after
    every correction. `pictures` holds the gateway's own marks of what was handed over, by
    "documents.<kind>".
    """

    number: str
    values: Mapping[str, str] = field(repr=False)
    pictures: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What only this gateway asks, typed by the operator: no merchant's file holds it."""

    name: str
    label: str
    hint: str = ""
    shape: str = r".{1,128}"
    is_secret: bool = False
    when: When | None = None

    @property
    def key(self) -> str:
        """Its name among the values of a file."""
        return f"{EXTRA}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of our fields and where it goes: "bank_account_info.account_name", "sites.0.site_url".

    `turn` writes it as the gateway does. A paper goes there as the mark of its first picture, of
    all of them as a list, or of all after the first.
    """

    ours: str
    theirs: str
    turn: Callable[[str], object] = str
    is_sealed: bool = False
    """Encrypted for the gateway, where it wants so."""
    is_required: bool = True
    when: When | None = None
    which: Literal["first", "all", "others"] = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Something that the gateway wants to be told and that is always the same."""

    theirs: str
    value: object
    when: When | None = None


Table: TypeAlias = Sequence[Row | Fixed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a gateway sent an application back. `theirs` is its own field, "" for the whole."""

    theirs: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentReading:
    """What a gateway says of one application. `sub_merchant` is there when it is finished."""

    number: str
    stand: Stand
    gateway_number: str = ""
    sub_merchant: str = ""
    sign_url: str = field(default="", repr=False)
    """Whoever opens it may sign: shown to the merchant's owner only."""
    reasons: tuple[Reason, ...] = ()


class Enroller(Protocol):
    """What a gateway with the ability does. Every call is safe to repeat with an equal argument."""

    table: Table
    extras: tuple[Extra, ...]
    limits: Mapping[Stand, timedelta]
    """How long the gateway waits for the merchant, where it says so; then the application lapses.
    """
    picture_types: frozenset[str]
    picture_bytes_max: int

    def upload(self, picture: Picture) -> Outcome[str]:
        """Hand a picture over; its mark for the application."""

    def apply(self, file: MerchantFile) -> Outcome[str]:
        """Hand the application in, or again after a correction; the gateway's number of it.

        Raises FileIncomplete before anything is sent. `Rejected` only when the gateway certainly
        did not take it.
        """

    def ask(self, number: str) -> Outcome[EnrolmentReading]:
        """Where it stands, by our number. `Rejected` only when it certainly is not there."""


@runtime_checkable
class CanEnrol(Protocol):
    """The ability, beside `base.Gateway`."""

    def enroller(self) -> Enroller:
        """The part of the gateway that takes applications."""


def enroller_of(gateway: object) -> Enroller | None:
    """A gateway's ability, or None where it takes applications on paper only."""
    return gateway.enroller() if isinstance(gateway, CanEnrol) else None


class FileIncomplete(ValueError):
    """A gateway wants what the file does not say. `lacking` names our fields."""

    def __init__(self, lacking: Sequence[str]) -> None:
        super().__init__(", ".join(lacking))
        self.lacking = tuple(lacking)


def applies(when: When | None, values: Mapping[str, str]) -> bool:
    """Whether something is asked of such a file."""
    return when is None or values.get(when[0], "") in when[1]


def lacking(table: Table, file: MerchantFile) -> list[str]:
    """Our fields that the gateway wants and the file does not say."""
    wanted = [
        row.ours
        for row in table
        if isinstance(row, Row) and row.is_required and applies(row.when, file.values)
        and not _said(row, file)
    ]  # fmt: skip
    return list(dict.fromkeys(wanted))


def members_of(
    table: Table, file: MerchantFile, *, sealed: Callable[[str], str] = str
) -> dict[str, Any]:
    """The application as the gateway's JSON has it. Raises FileIncomplete."""
    if missing := lacking(table, file):
        raise FileIncomplete(missing)
    members: dict[str, Any] = {}
    for row in table:
        if not applies(row.when, file.values):
            continue
        if isinstance(row, Fixed):
            _put(members, row.theirs, row.value)
        elif (said := _said(row, file)) is not None:
            _put(members, row.theirs, sealed(str(said)) if row.is_sealed else said)
    return members


def ours_of(table: Table, theirs: str, values: Mapping[str, str]) -> str:
    """Our field that a gateway means, by the whole path or its last word; "" when none is meant.

    `values` are the file's: which of two fields it was may depend on them.
    """
    path = re.sub(r"\[(\d+)\]", r".\1", theirs).replace("/", ".").strip(".")
    for same in (lambda row: row.theirs == path, lambda row: _leaf(row.theirs) == _leaf(path)):
        found = {
            row.ours
            for row in table
            if isinstance(row, Row) and applies(row.when, values) and same(row)
        }
        if len(found) == 1:
            return found.pop()
    return ""


def theirs_named_in(table: Table, told: str) -> str:
    """A field of the gateway's that a sentence names, where it gives nothing but a sentence."""
    words = set(re.findall(r"[a-z][a-z_]+[a-z]", told))
    named = [leaf for row in table if isinstance(row, Row) and (leaf := _leaf(row.theirs)) in words]
    return named[0] if len(set(named)) == 1 else ""


def _said(row: Row, file: MerchantFile) -> object | None:
    if row.ours.startswith(f"{DOCUMENTS}."):
        marks = file.pictures.get(row.ours, ())
        some = {"first": marks[:1], "all": marks, "others": marks[1:] or marks[:1]}[row.which]
        if not some:
            return None
        return some[0] if row.which == "first" else list(some)
    text = file.values.get(row.ours, "")
    return row.turn(text) if text else None


def _leaf(path: str) -> str:
    return next(part for part in (*reversed(path.split(".")), "") if not part.isdigit())


def _put(members: Any, path: str, value: object) -> None:
    parts = path.split(".")
    place, last = members, parts[-1]
    for part, after in pairwise(parts):
        fresh: Any = [] if after.isdigit() else {}
        place = _step(place, part, fresh)
    if last.isdigit():
        place.append(value)
    else:
        place[last] = value


def _step(place: Any, part: str, fresh: Any) -> Any:
    if not part.isdigit():
        return place.setdefault(part, fresh)
    if int(part) == len(place):
        place.append(fresh)
    return place[int(part)]
