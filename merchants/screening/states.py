"""Kinds of lists and the states of a hit, each on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.errors import IllegalMove


class ListKind(TextChoices):
    """Whom a list names."""

    SANCTIONS = "sanctions", _("Sanctions")
    TERRORISM = "terrorism", _("Terrorism")
    DISHONEST = "dishonest", _("Dishonest debtors")
    OWN = "own", _("Own block list")


class EntityKind(TextChoices):
    """Whose name it is; the values are those of `normal.Entity`."""

    PERSON = "person", _("Person")
    COMPANY = "company", pgettext_lazy("screening", "Company")


class HitState(TextChoices):
    """What became of a hit."""

    NOTED = "noted", pgettext_lazy("hit", "Noted only")
    OPEN = "open", pgettext_lazy("hit", "To be decided")
    CONFIRMED = "confirmed", pgettext_lazy("hit", "Confirmed")
    DISMISSED = "dismissed", pgettext_lazy("hit", "Dismissed")


DECIDED: Final = frozenset({HitState.CONFIRMED, HitState.DISMISSED})

HIT_MOVES: Final[dict[HitState, frozenset[HitState]]] = {
    # Too weak to ask anybody; kept as evidence that it was seen.
    HitState.NOTED: frozenset(),
    HitState.OPEN: DECIDED,
    # People err: a decision can be turned, with another reason.
    HitState.CONFIRMED: frozenset({HitState.DISMISSED}),
    HitState.DISMISSED: frozenset({HitState.CONFIRMED}),
}


def require_hit_move(before: HitState, after: HitState) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in HIT_MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)
