"""Pages of the admin that are read and change nothing, for every storey."""

from django.db.models import Model
from django.http import HttpRequest


class ReadOnly:
    """Mixed in before ModelAdmin or an inline: verbs change things, the admin's forms never do."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes."""
        return False
