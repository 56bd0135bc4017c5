"""One letter to each of the staff who answer, about all tickets in which somebody wrote since."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from compliance.approvals.judges import STAFF
from compliance.identity.letters import write_letter
from compliance.identity.roles import Ability
from merchants.support.models import Ticket
from merchants.support.states import STAFF_TURN

NAMED_MAX: Final = 20
"""A letter names so many tickets, the rest by how many."""
LETTERS_MAX: Final = 50


@transaction.atomic
def tell_staff(*, at: datetime) -> int:
    """Write to those who answer tickets; how many tickets they were told of.

    Called every ten minutes. A ticket that somebody has answered meanwhile is passed over. The
    letter names numbers and nothing of what was written.
    """
    untold = Ticket.objects.select_for_update(skip_locked=True).filter(is_staff_told=False)
    rows = list(untold.order_by("pk"))
    Ticket.objects.filter(pk__in=[row.pk for row in rows]).update(is_staff_told=True)
    waiting = [row for row in rows if row.state in STAFF_TURN]
    if not waiting:
        return 0
    page = reverse("admin:merchants_ticket_changelist")
    people = STAFF.checkers(Ability.TICKETS_ANSWER, merchant="").exclude(email="")
    for person in people.order_by("pk")[:LETTERS_MAX]:
        write_letter(
            person, "tickets_waiting", at=at, count=len(waiting),
            numbers=[row.public_id for row in waiting[:NAMED_MAX]],
            more=max(0, len(waiting) - NAMED_MAX), address=f"{settings.BASE_URL}{page}",
        )  # fmt: skip
    return len(waiting)
