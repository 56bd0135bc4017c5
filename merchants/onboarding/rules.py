"""What must be true between the sections of an application. Nothing here looks at a database."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.sections import Fault, Reading, Values

OWNER_SHARE: Final = Decimal(25)
"""受益所有人: who holds so many percent or more (受益所有人信息管理办法, articles 6 and 7)."""
WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Party:
    """A company or person that an application names. `place` is the row in its section."""

    section: str
    place: int
    is_company: bool
    name: str
    number: str
    """Of the identity card or the credit code; may be empty."""


def judge(entity: str, read: Mapping[str, Reading]) -> tuple[Fault, ...]:
    """The faults between sections that were read. Sections with faults of their own are judged as
    far as their values go.
    """
    return (
        *_terms(read),
        *_category(read),
        *_account(entity, read),
        *_owners(read),
        *_one_person_one_name(read),
    )


def parties(read: Mapping[str, Reading]) -> tuple[Party, ...]:
    """Every company and person in an application, in the order of its sections."""
    found = []
    for section in ("licence", "legal_person", "shareholders", "owners"):
        for place, row in enumerate(_rows(read, section)):
            is_company = section == "licence" or row.get("kind") == "company"
            number = row.get("credit_code" if is_company else "identity_number", "")
            if row.get("name"):
                found.append(Party(section, place, is_company, str(row["name"]), str(number)))
    return tuple(found)


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same but for width, spaces and brackets."""
    return _bare(one) == _bare(other)


def _terms(read: Mapping[str, Reading]) -> list[Fault]:
    faults = []
    for section in ("licence", "legal_person"):
        for row in _rows(read, section):
            first, last = row.get("valid_from"), row.get("valid_to")
            if first is not None and last is not None and last < first:  # type: ignore[operator]
                faults.append(Fault(section, "valid_to", "ends_before_it_begins"))
    return faults


def _category(read: Mapping[str, Reading]) -> list[Fault]:
    for row in _rows(read, "business"):
        name = row.get("category")
        if name is None:
            continue
        if CATEGORIES[str(name)].is_blocked:
            return [Fault("business", "category", "category_blocked")]
        if row.get("place") in {"site", "app"} and "icp_number" not in row:
            return [Fault("business", "icp_number", "missing")]
    return []


def _account(entity: str, read: Mapping[str, Reading]) -> list[Fault]:
    """A business is paid to an account of its own name; only an individual business may name its
    operator's card.
    """
    account, licence = _first(read, "account"), _first(read, "licence")
    person = _first(read, "legal_person")
    kind, holder = account.get("kind"), account.get("holder")
    if kind == "personal" and entity != "individual":
        return [Fault("account", "kind", "company_account_wanted")]
    wanted = licence.get("name") if kind == "company" else person.get("name")
    if holder is None or wanted is None or same_name(str(holder), str(wanted)):
        return []
    return [Fault("account", "holder", "another_holder")]


def _owners(read: Mapping[str, Reading]) -> list[Fault]:
    """Only sections that such a business fills in were read."""
    holders, owners = _rows(read, "shareholders"), _rows(read, "owners")
    return [
        *(_sums("shareholders", holders) if "shareholders" in read else ()),
        *(_sums("owners", owners) if "owners" in read else ()),
        *_left_out(holders, owners),
        *_bases(owners),
    ]


def _sums(section: str, rows: tuple[Values, ...]) -> list[Fault]:
    if not rows:
        return [Fault(section, "", "nobody_named")]
    total = sum((_share(row) for row in rows), Decimal(0))
    return [Fault(section, "share", "more_than_whole")] if total > WHOLE else []


def _left_out(holders: tuple[Values, ...], owners: tuple[Values, ...]) -> list[Fault]:
    """A shareholder who holds enough to be an owner, and is not named there, where to mend it."""
    known = {row.get("identity_number") for row in owners}
    is_missing = any(
        row.get("kind") == "person"
        and _share(row) >= OWNER_SHARE
        and row.get("identity_number") not in known
        for row in holders
    )
    return [Fault("owners", "", "owner_missing")] if is_missing else []


def _bases(owners: tuple[Values, ...]) -> list[Fault]:
    faults = []
    for number, row in enumerate(owners):
        if row.get("basis") == "share" and "share" in row and _share(row) < OWNER_SHARE:
            faults.append(Fault("owners", "share", "below_a_quarter", number))
        if row.get("basis") in {"control", "manager"} and not row.get("explanation"):
            faults.append(Fault("owners", "explanation", "missing", number))
    if {"manager"} < {row.get("basis") for row in owners}:
        # The manager stands in only where nobody owns or controls enough.
        faults.append(Fault("owners", "basis", "manager_beside_owner"))
    return faults


def _one_person_one_name(read: Mapping[str, Reading]) -> list[Fault]:
    """One identity number belongs to one name, and to one row of a list."""
    names: dict[str, str] = {}
    faults = []
    for section in ("legal_person", "shareholders", "owners"):
        seen = set()
        for number, row in enumerate(_rows(read, section)):
            identity, name = row.get("identity_number"), str(row.get("name", ""))
            if identity is None:
                continue
            if identity in seen:
                faults.append(Fault(section, "identity_number", "named_twice", number))
            seen.add(identity)
            if not same_name(names.setdefault(str(identity), name), name):
                faults.append(Fault(section, "name", "another_name_before", number))
    return faults


def _rows(read: Mapping[str, Reading], section: str) -> tuple[Values, ...]:
    reading = read.get(section)
    return reading.rows if reading is not None else ()


def _first(read: Mapping[str, Reading], section: str) -> Values:
    return next(iter(_rows(read, section)), {})


def _share(row: Values) -> Decimal:
    value = row.get("share", Decimal(0))
    return value if isinstance(value, Decimal) else Decimal(0)


def _bare(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and c not in "·•.()-")
