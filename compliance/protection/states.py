"""What a data key is for, and how its life goes."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DataKeyUse(TextChoices):
    """Sealing keys are rotated. With another key an index would find nothing: its key stays."""

    SEALING = "sealing", _("Sealing values")
    INDEXING = "indexing", _("Looking values up")


class DataKeyState(TextChoices):
    """Every state opens what the key has sealed; only an active key seals."""

    ACTIVE = "active", pgettext_lazy("key", "Active")
    RETIRING = "retiring", pgettext_lazy("key", "Being replaced")
    RETIRED = "retired", pgettext_lazy("key", "Replaced")


DATA_KEY_MOVES: Final[dict[DataKeyState, set[DataKeyState]]] = {
    DataKeyState.ACTIVE: {DataKeyState.RETIRING},
    DataKeyState.RETIRING: {DataKeyState.RETIRED},
    DataKeyState.RETIRED: set(),
}
