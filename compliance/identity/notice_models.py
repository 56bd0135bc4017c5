"""What people find in the portal of what was written to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from compliance.identity.models import User

DEFAULT_LANGUAGE = "zh-hans"


class Notice(models.Model):
    """That a letter was written to a person, or would have been: see `notices`."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    merchant = models.CharField(max_length=32, blank=True, db_default="")
    """Whom it concerns; empty: the person alone."""
    about = models.CharField(max_length=64)
    """The kind of the letter."""
    subjects = models.JSONField()
    """The letter's subject in each language of the pages. The rest is behind the page."""
    page = models.CharField(max_length=200)
    """The path where something can be done about it."""
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["user", "merchant"], name="notice_unread", condition=Q(read_at__isnull=True)
            ),
            models.Index(fields=["user", "-id"], name="notice_of_person"),
            models.Index(fields=["created_at"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return str(self.subjects.get(get_language()) or self.subjects[DEFAULT_LANGUAGE])
