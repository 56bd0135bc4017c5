"""What can become of a file, on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class FileState(TextChoices):
    """Whether a file may be looked at."""

    QUARANTINED = "quarantined", _("Waits for the virus scan")
    CLEAN = "clean", _("Checked")
    INFECTED = "infected", _("Virus found")
    ERASED = "erased", _("Erased")


FILE_MOVES: Final[dict[FileState, frozenset[FileState]]] = {
    FileState.QUARANTINED: frozenset({FileState.CLEAN, FileState.INFECTED, FileState.ERASED}),
    FileState.CLEAN: frozenset({FileState.ERASED}),
    FileState.INFECTED: frozenset(),
    FileState.ERASED: frozenset(),
}
HELD: Final = frozenset({FileState.QUARANTINED, FileState.CLEAN})
"""Files whose content is still there; an infected one loses it at once."""
