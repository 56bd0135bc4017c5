"""The admin's first page: how the day goes for all merchants, above the list of what there is."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from redis.exceptions import RedisError

from compliance.identity.adminsite import PlatformAdminSite
from compliance.identity.zones import platform_zone
from payments.acquiring.charts import (
    paid_figure,
    picture_of,
    refund_figure,
    success_figure,
    volume_figure,
)
from payments.acquiring.today import Today, today_of_all

KEPT_SECONDS: Final = 30
"""All of two days is read for it: however many look, the database is asked twice a minute."""


class AdminSite(PlatformAdminSite):
    """The platform's admin, as the whole project wires it."""

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """With the day, for those who may see payments."""
        context = dict(extra_context or {})
        if request.user.has_perm("payments.view_payment"):
            day = _day(timezone.now(), livemode=not settings.DEMO)
            figures = [volume_figure(day), paid_figure(day), success_figure(day)]
            context |= {"day": picture_of(day), "figures": [*figures, refund_figure(day)]}
        return super().index(request, context)


def _day(at: datetime, *, livemode: bool) -> Today:
    """Perhaps as it was some seconds ago. Without the shared store it is read anew."""
    key = f"today:{livemode}:{timezone.localtime(at, platform_zone()):%Y%m%d}"
    try:
        kept = caches["default"].get(key)
        if isinstance(kept, Today):
            return kept
        day = today_of_all(livemode=livemode, at=at)
        caches["default"].set(key, day, KEPT_SECONDS)
    except (RedisError, OSError):
        return today_of_all(livemode=livemode, at=at)
    return day
