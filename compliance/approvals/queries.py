"""What pages show of requests: whose they are to see, and what a person may do to each."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from compliance.approvals.models import Approval
from compliance.approvals.registry import find_kind, kinds
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User
from compliance.identity.roles import ABILITIES, Ability, roles_of

OPEN = Q(state=ApprovalState.PENDING)
UNREVIEWED = Q(glass_at__isnull=False, reviewed_at__isnull=True)


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the page offers a person. The verbs ask again."""

    may_decide: bool = False
    may_cancel: bool = False
    may_break_glass: bool = False
    may_review: bool = False


def abilities_of(person: User) -> frozenset[Ability]:
    """All that the person's roles give."""
    return frozenset().union(*(ABILITIES[role] for role in roles_of(person)))


def visible_to(person: User) -> QuerySet[Approval]:
    """Requests of kinds that the person may ask for or decide, and their own; readers see all."""
    abilities = abilities_of(person)
    rows = Approval.objects.all()
    if (
        Ability.GLASS_REVIEW in abilities
        or Ability.AUDIT_EXPORT in abilities
        or (person.is_active and person.is_superuser)
    ):
        return rows
    known = [kind.name for kind in kinds() if abilities & {kind.maker, kind.checker}]
    return rows.filter(Q(kind__in=known) | Q(maker_person=person.person_ref))


def waiting_for(person: User) -> QuerySet[Approval]:
    """Requests that this person can decide, and emergencies that they can review."""
    abilities = abilities_of(person)
    decidable = [kind.name for kind in kinds() if kind.checker in abilities]
    wanted = OPEN & Q(kind__in=decidable) & ~Q(votes__checker_person=person.person_ref)
    if Ability.GLASS_REVIEW in abilities:
        wanted |= UNREVIEWED & ~Q(ended_by__person_ref=person.person_ref)
    return Approval.objects.filter(wanted).exclude(maker_person=person.person_ref)


def deeds_of(person: User, approval: Approval) -> Deeds:
    """What to offer on this request's page."""
    is_open = approval.state == ApprovalState.PENDING
    is_maker = person.person_ref == approval.maker_person
    abilities = abilities_of(person)
    kind = find_kind(approval.kind)
    is_checker = kind is not None and kind.checker in abilities and not is_maker
    return Deeds(
        may_decide=is_open and is_checker,
        may_cancel=is_open and is_maker,
        may_break_glass=is_open and person.is_superuser,
        may_review=(
            approval.glass_at is not None and approval.reviewed_at is None
            and Ability.GLASS_REVIEW in abilities and not is_maker
        ),
    )  # fmt: skip
