"""A merchant's people as makers and checkers of requests: the judge of their side of the house."""

from typing import Final

from django.db.models import QuerySet
from django.urls import reverse

from compliance.approvals.judges import Judge
from compliance.approvals.models import Approval
from compliance.identity.models import User
from compliance.identity.people import joined
from merchants.access import may_at, people_who_may


class Colleagues:
    """See Judge. Whoever has the ability at that merchant, and nobody of the staff."""

    is_of_merchants = True

    def may_make(self, person: User, ability: str, *, merchant: str) -> bool:
        """See Judge."""
        return may_at(person, ability, merchant=merchant)

    def may_check(self, person: User, ability: str, *, merchant: str) -> bool:
        """See Judge."""
        return may_at(person, ability, merchant=merchant)

    def checkers(self, ability: str, *, merchant: str) -> QuerySet[User]:
        """See Judge."""
        return joined(people_who_may(ability, merchant=merchant))

    def page_of(self, approval: Approval) -> str:
        """See Judge."""
        return reverse("merchants:approval", args=[approval.public_id])


COLLEAGUES: Final[Judge] = Colleagues()
