"""Rows about files. The content lies sealed in a storage, the key of each sealed in its row."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from compliance.protection.vault.states import FILE_MOVES, FileState


class StoredFile(models.Model):
    """A file that somebody handed in. The row stays when the content is gone."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    purpose = models.CharField(_("purpose"), max_length=32)
    owner_kind = models.CharField(max_length=32)
    owner_id = models.CharField(max_length=64)
    """Whose it is, such as ("merchant", "mch_…"): rooms above ask for their own only."""
    name = models.CharField(_("name"), max_length=160)
    media_type = models.CharField(_("type"), max_length=32)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.BinaryField(max_length=32)
    """Of the content as it is kept."""
    received_sha256 = models.BinaryField(max_length=32)
    """Of the content as it came, by which the same file is recognised."""
    facts = models.JSONField()
    state = models.CharField(pgettext_lazy("file", "state"), max_length=12, choices=FileState)
    storage_name = models.CharField(max_length=64, unique=True)
    key_sealed = SealedTextField(purpose="vault")
    uploaded_by = models.CharField(_("handed in by"), max_length=150)
    created_at = models.DateTimeField(_("handed in at"))
    scan_at = models.DateTimeField(null=True)
    """When a waiting file is scanned next."""
    ended_at = models.DateTimeField(null=True)
    """When the content was destroyed."""

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["owner_kind", "owner_id"], name="stored_file_owner"),
            models.Index(fields=["received_sha256"], name="stored_file_received"),
            models.Index(
                fields=["scan_at"], name="stored_file_waits", condition=Q(scan_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=FileState.values), name="stored_file_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["quarantined", "clean"], ended_at__isnull=True)
                | Q(state__in=["infected", "erased"], ended_at__isnull=False, scan_at__isnull=True),
                name="stored_file_end_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="quarantined", scan_at__isnull=False)
                | (~Q(state="quarantined") & Q(scan_at__isnull=True)),
                name="stored_file_waits_while_quarantined",
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="stored_file_has_content"),
        ]

    def __str__(self) -> str:
        return self.name

    def move(self, to: FileState, *, at: datetime) -> None:
        """Change the state. The caller holds this row's lock."""
        if to not in FILE_MOVES[FileState(self.state)]:
            raise ValueError(f"a file does not go from {self.state} to {to}")
        self.state = to
        self.scan_at = None
        if to in {FileState.INFECTED, FileState.ERASED}:
            self.ended_at = at
        self.save(update_fields=["state", "scan_at", "ended_at"])
