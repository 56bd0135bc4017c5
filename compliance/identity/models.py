"""People who sign in: staff of the platform and members of merchants."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. Rows are deactivated, never deleted: audit entries name them for years."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(
        _("email address"),
        unique=True,
        error_messages={
            "unique": _("A person with this email address exists already.")
        },
    )
    display_name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=10, blank=True, db_default="")
    """Pages in this language after sign-in; empty follows the browser."""

    REQUIRED_FIELDS = ["email", "display_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        """The name as the person writes it; family and given names are not told apart."""
        return self.display_name

    def get_short_name(self) -> str:
        """See `get_full_name`."""
        return self.display_name
