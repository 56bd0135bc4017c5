"""How values look on the admin's pages, for every storey."""

from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

EMPTY: Final = "–"


def time_tag(at: datetime | None) -> SafeString | str:
    """A moment in the reader's time zone, to the second."""
    if at is None:
        return EMPTY
    local = timezone.localtime(at)
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S}",
    )


def badge_tag(text: object, tone: str) -> SafeString:
    """A word with a colour."""
    return format_html('<span class="badge {}">{}</span>', tone, text)
