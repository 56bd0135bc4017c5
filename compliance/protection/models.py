"""The data keys, each wrapped by a key-encryption key that is not in the database."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.states import DATA_KEY_MOVES, DataKeyState, DataKeyUse


class DataKey(models.Model):
    """A key for one purpose. Rows are never deleted: backups hold values that only they open."""

    key_id = models.CharField(_("key id"), max_length=32, unique=True)
    """Random, so that a key whose transaction was rolled back never shares its name."""
    use = models.CharField(_("use"), max_length=8, choices=DataKeyUse)
    purpose = models.CharField(_("purpose"), max_length=32)
    wrapped = models.TextField(editable=False)
    state = models.CharField(
        pgettext_lazy("key", "state"),
        max_length=8,
        choices=DataKeyState,
        default=DataKeyState.ACTIVE,
    )
    created_at = models.DateTimeField(_("created at"))
    replaced_at = models.DateTimeField(_("replaced at"), null=True)

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["use", "purpose"],
                condition=Q(state=DataKeyState.ACTIVE),
                name="data_key_one_active",
            ),
            models.CheckConstraint(
                condition=Q(state=DataKeyState.ACTIVE, replaced_at__isnull=True)
                | (~Q(state=DataKeyState.ACTIVE) & Q(replaced_at__isnull=False)),
                name="data_key_replaced_has_time",
            ),
            models.CheckConstraint(
                condition=Q(use=DataKeyUse.SEALING) | Q(state=DataKeyState.ACTIVE),
                name="data_key_of_index_stays",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id

    def move(self, to: DataKeyState, *, at: datetime) -> None:
        """Change state. The caller holds this row's lock."""
        if to not in DATA_KEY_MOVES[DataKeyState(self.state)]:
            raise ValueError(f"a data key does not go from {self.state} to {to}")
        self.state = to
        self.replaced_at = self.replaced_at or at
        self.save(update_fields=["state", "replaced_at"])
