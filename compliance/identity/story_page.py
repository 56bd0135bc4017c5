"""One page of the admin that tells a record's story, and who is reading it; for every storey."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from compliance.identity.models import User
from compliance.identity.readonly import ReadOnly
from compliance.identity.signin import person_of


class StoryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Records that are read one by one: a page adds what it shows through `story_of`."""

    def story_of(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the template of one record is given besides Django's own; each page says."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The record with its story. One that the reader's list does not hold is not found, and
        who may see none is refused either way, so that nobody learns which numbers there are.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        story = {**self.story_of(request, row), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, story)


def reader_of(request: HttpRequest) -> User:
    """The person at the page. Raises PermissionDenied when nobody is signed in."""
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
