"""Who may ask for a kind of request, and who may agree to it: the staff, or a merchant's people."""

from typing import Final, Protocol

from django.db.models import QuerySet
from django.urls import reverse

from compliance.approvals.models import Approval
from compliance.identity.models import User
from compliance.identity.roles import ABILITIES, Ability, may


class Judge(Protocol):
    """Answers for one side of the house. `merchant` is the public number of the merchant whose
    people deal with the request, and empty among the staff.

    `may_make` and `may_check` are asked in the transaction of the deed, when the caller holds the
    lock of the person's row; a judge locks what else somebody holds who takes the ability away.
    """

    is_of_merchants: bool

    def may_make(self, person: User, ability: str, *, merchant: str) -> bool:
        """Whether the person may ask."""

    def may_check(self, person: User, ability: str, *, merchant: str) -> bool:
        """Whether the person may agree to what somebody else asked for."""

    def checkers(self, ability: str, *, merchant: str) -> QuerySet[User]:
        """Everybody active who may agree; the maker perhaps among them."""

    def page_of(self, approval: Approval) -> str:
        """The path of the page where these people read and decide the request."""


class Staff:
    """The roles of the staff. A superuser may ask, and then breaks the glass."""

    is_of_merchants = False

    def may_make(self, person: User, ability: str, *, merchant: str) -> bool:
        """See Judge."""
        return may(person, Ability(ability)) or (person.is_active and person.is_superuser)

    def may_check(self, person: User, ability: str, *, merchant: str) -> bool:
        """See Judge."""
        return may(person, Ability(ability))

    def checkers(self, ability: str, *, merchant: str) -> QuerySet[User]:
        """See Judge."""
        roles = [role for role, abilities in ABILITIES.items() if ability in abilities]
        return User.objects.filter(is_active=True, role_grants__role__in=roles).distinct()

    def page_of(self, approval: Approval) -> str:
        """See Judge."""
        return reverse("admin:compliance_approval_change", args=[approval.pk])


STAFF: Final[Judge] = Staff()
