"""What must be true between the sections of an application. Nothing here looks at a database."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.sections import Fault, Reading, Value, Values, first_row

OWNER_SHARE: Final = Decimal(25)
"""受益所有人: who holds so many percent or more (受益所有人信息管理办法, articles 6 and 7)."""
WHOLE: Final = Decimal(100)
_LOOSE: Final = frozenset("·•‧∙・.()-")
"""Brackets, and the dots that keyboards offer for the one inside names such as 阿依古丽·买买提."""


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
        *_category(read),
        *_contact(read),
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


def _category(read: Mapping[str, Reading]) -> list[Fault]:
    for row in _rows(read, "business"):
        name = row.get("category")
        if name is None:
            continue
        if CATEGORIES[str(name)].is_blocked:
            return [Fault("business", "category", "category_blocked")]
        if row.get("place") in {"site", "app"} and _is_empty(read, "business", "icp_number"):
            return [Fault("business", "icp_number", "missing")]
    return []


def _contact(read: Mapping[str, Reading]) -> list[Fault]:
    """Who says to be the legal person is called as the legal person is."""
    contact, person = first_row(read, "entity"), first_row(read, "legal_person")
    if contact.get("contact_role") != "legal_person":
        return []
    one, other = contact.get("contact_name"), person.get("name")
    if one is None or other is None or same_name(str(one), str(other)):
        return []
    return [Fault("entity", "contact_role", "contact_is_another")]


def _account(entity: str, read: Mapping[str, Reading]) -> list[Fault]:
    """A business is paid to an account of its own name; only an individual business may name its
    operator's card.
    """
    account, licence = first_row(read, "account"), first_row(read, "licence")
    person = first_row(read, "legal_person")
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
        *_bases(read),
        *_less_than_held(holders, owners),
    ]


def _sums(section: str, rows: tuple[Values, ...]) -> list[Fault]:
    if not rows:
        return [Fault(section, "", "nobody_named")]
    total = sum((_share(row) for row in rows), Decimal(0))
    return [Fault(section, "share", "more_than_whole")] if total > WHOLE else []


def _left_out(holders: tuple[Values, ...], owners: tuple[Values, ...]) -> list[Fault]:
    """A shareholder who holds enough to be an owner, and is not named there, where to mend it."""
    known = {row.get("identity_number") for row in owners}
    if None in known:
        # An owner's number cannot be read: it may be this one, and the fault is told there.
        return []
    is_missing = not set(_held(holders, least=OWNER_SHARE)) <= known
    return [Fault("owners", "", "owner_missing")] if is_missing else []


def _bases(read: Mapping[str, Reading]) -> list[Fault]:
    owners = _rows(read, "owners")
    faults = []
    for number, row in enumerate(owners):
        if row.get("basis") == "share" and "share" in row and _share(row) < OWNER_SHARE:
            faults.append(Fault("owners", "share", "below_a_quarter", number))
        if row.get("basis") in {"control", "manager"} and _is_empty(
            read, "owners", "explanation", number
        ):
            faults.append(Fault("owners", "explanation", "missing", number))
    bases = {row.get("basis") for row in owners}
    # The manager stands in only where nobody owns or controls enough.
    has_owner = bases - {"manager"} or _held(_rows(read, "shareholders"), least=OWNER_SHARE)
    if "manager" in bases and has_owner:
        faults.append(Fault("owners", "basis", "manager_beside_owner"))
    return faults


def _less_than_held(holders: tuple[Values, ...], owners: tuple[Values, ...]) -> list[Fault]:
    """What is held through companies comes on top of what somebody holds as a shareholder."""
    held = _held(holders, least=Decimal(0))
    return [
        Fault("owners", "share", "less_than_held", number)
        for number, row in enumerate(owners)
        if "share" in row and _share(row) < held.get(row.get("identity_number"), Decimal(0))
    ]


def _held(holders: tuple[Values, ...], *, least: Decimal) -> dict[Value | None, Decimal]:
    """Identity numbers of the people who hold so much or more, with their shares."""
    return {
        row["identity_number"]: _share(row)
        for row in holders
        if "identity_number" in row and _share(row) >= least
    }


def _one_person_one_name(read: Mapping[str, Reading]) -> list[Fault]:
    """A number of a person or a company belongs to one name, and to one row of a list."""
    names: dict[str, str] = {}
    faults = []
    for section in ("licence", "legal_person", "shareholders", "owners"):
        seen = set()
        for number, row in enumerate(_rows(read, section)):
            field = "identity_number" if "identity_number" in row else "credit_code"
            if field not in row or "name" not in row:
                continue
            who, name = str(row[field]), str(row["name"])
            if who in seen:
                faults.append(Fault(section, field, "named_twice", number))
            seen.add(who)
            if not same_name(names.setdefault(who, name), name):
                faults.append(Fault(section, "name", "another_name_before", number))
    return faults


def _rows(read: Mapping[str, Reading], section: str) -> tuple[Values, ...]:
    reading = read.get(section)
    return reading.rows if reading is not None else ()


def _is_empty(read: Mapping[str, Reading], section: str, field: str, number: int = 0) -> bool:
    """Whether nothing was typed there. What was typed and is wrong has a fault already."""
    told = {(fault.field, fault.row) for fault in read[section].faults}
    return field not in read[section].rows[number] and (field, number) not in told


def _share(row: Values) -> Decimal:
    value = row.get("share", Decimal(0))
    return value if isinstance(value, Decimal) else Decimal(0)


def _bare(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and c not in _LOOSE)
