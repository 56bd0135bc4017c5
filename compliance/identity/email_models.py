"""Changes of the address that somebody's letters go to, which they make themselves."""

from django.db import models
from django.db.models import Q

from compliance.identity.models import User
from compliance.protection.columns import SealedTextField


class EmailChange(models.Model):
    """A new address: asked for, confirmed from there, perhaps undone from the old one.

    Rows live for weeks; see `own_email`.
    """

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    address_sealed = SealedTextField(purpose="new email")
    before_sealed = SealedTextField(purpose="old email", null=True)
    """Known from the moment of the change on."""
    asked_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(changed_at__isnull=True), name="email_change_one_asked"
            ),
            models.CheckConstraint(
                condition=Q(changed_at__isnull=True, before_sealed__isnull=True)
                | Q(changed_at__isnull=False, before_sealed__isnull=False),
                name="email_change_knows_before",
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | Q(changed_at__isnull=False),
                name="email_change_undone_was_done",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
