"""Kinds of papers with a term, and states of a renewal."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.errors import IllegalMove


class TermKind(TextChoices):
    """Which paper."""

    LICENCE = "licence", _("Business licence")
    IDENTITY = "identity", _("Identity card of the legal representative")
    PERMIT = "permit", _("Permit for the trade")
    REVIEW = "review", _("Confirmation of your data")
    """No paper: the merchant says from time to time that what it stated still holds, or what has
    changed. How often is a matter of its risk.
    """


class RenewalState(TextChoices):
    """Where a renewal stands."""

    WAITING = "waiting", pgettext_lazy("renewal", "Waiting for review")
    ACCEPTED = "accepted", pgettext_lazy("renewal", "Accepted")
    REFUSED = "refused", pgettext_lazy("renewal", "Refused")


RENEWAL_MOVES: Final[dict[RenewalState, frozenset[RenewalState]]] = {
    RenewalState.WAITING: frozenset({RenewalState.ACCEPTED, RenewalState.REFUSED}),
    RenewalState.ACCEPTED: frozenset(),
    RenewalState.REFUSED: frozenset(),
}


def require_renewal_move(before: RenewalState, after: RenewalState) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in RENEWAL_MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)
