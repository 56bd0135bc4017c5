"""What becomes of an erasure, on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ErasureState(TextChoices):
    """Whether all of it is gone."""

    RUNNING = "running", _("Being erased")
    DONE = "done", _("Erased")


ERASURE_MOVES: Final[dict[ErasureState, frozenset[ErasureState]]] = {
    ErasureState.RUNNING: frozenset({ErasureState.DONE}),
    ErasureState.DONE: frozenset(),
}
