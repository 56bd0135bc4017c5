"""What pages show of requests: whose they are to see, and what a person may do to each."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from compliance.approvals.models import Approval
from compliance.approvals.registry import Kind, find_kind, kinds
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User
from compliance.identity.roles import ABILITIES, Ability, roles_of

OPEN = Q(state=ApprovalState.PENDING)
UNREVIEWED = Q(glass_at__isnull=False, reviewed_at__isnull=True)


@dataclass(frozen=True, slots=True)
class Reader:
    """A person with what they may do: among the staff, or among the people of one merchant."""

    person: User
    abilities: frozenset[str]
    merchant: str = ""

    def kinds(self) -> list[Kind]:
        """The kinds that are decided on the reader's side of the house."""
        return [kind for kind in kinds() if kind.judge.is_of_merchants == bool(self.merchant)]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the page offers a person. The verbs ask again."""

    may_decide: bool = False
    may_cancel: bool = False
    may_break_glass: bool = False
    may_review: bool = False


def staff_reader(person: User) -> Reader:
    """One of the staff, with all that the person's roles give."""
    return Reader(person, frozenset().union(*(ABILITIES[role] for role in roles_of(person))))


def visible_to(reader: Reader) -> QuerySet[Approval]:
    """Requests of kinds that the reader may ask for or decide, and their own.

    Among the staff, who reads the audit trail sees all, those of merchants' people too. A person of
    a merchant sees none of another merchant, whoever made it.
    """
    person, rows = reader.person, Approval.objects.all()
    if not reader.merchant and (
        Ability.GLASS_REVIEW in reader.abilities
        or Ability.AUDIT_EXPORT in reader.abilities
        or (person.is_active and person.is_superuser)
    ):
        return rows
    known = [kind.name for kind in reader.kinds() if reader.abilities & {kind.maker, kind.checker}]
    mine = Q(kind__in=known) | Q(maker_person=person.person_ref)
    return rows.filter(mine, merchant=reader.merchant)


def waiting_for(reader: Reader) -> QuerySet[Approval]:
    """Requests that the reader can decide, and emergencies that they can review."""
    me = reader.person.person_ref
    decidable = [kind.name for kind in reader.kinds() if kind.checker in reader.abilities]
    wanted = OPEN & Q(kind__in=decidable, merchant=reader.merchant) & ~Q(votes__checker_person=me)
    if Ability.GLASS_REVIEW in reader.abilities and not reader.merchant:
        wanted |= UNREVIEWED & ~Q(ended_by__person_ref=me)
    return Approval.objects.filter(wanted).exclude(maker_person=me)


def deeds_of(reader: Reader, approval: Approval) -> Deeds:
    """What to offer on this request's page."""
    is_open = approval.state == ApprovalState.PENDING
    is_maker = reader.person.person_ref == approval.maker_person
    is_ours = approval.merchant == reader.merchant
    kind = find_kind(approval.kind)
    is_checker = kind is not None and kind.checker in reader.abilities and not is_maker
    return Deeds(
        may_decide=is_open and is_checker and is_ours,
        may_cancel=is_open and is_maker and is_ours,
        may_break_glass=is_open and reader.person.is_superuser and not approval.merchant,
        may_review=(
            approval.glass_at is not None and approval.reviewed_at is None
            and Ability.GLASS_REVIEW in reader.abilities and not is_maker
        ),
    )  # fmt: skip
