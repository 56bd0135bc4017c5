"""Ways to look at the reviewers' queue."""

from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime, now
from django.utils.translation import gettext_lazy, pgettext_lazy

from merchants.onboarding.models import Application
from merchants.onboarding.servicelevel import ServiceLevel, service_of, submitted_for
from merchants.onboarding.states import ApplicationState

SERVICE_LEVELS: Final = {
    ServiceLevel.IN_TIME: pgettext_lazy("service", "In time"),
    ServiceLevel.TODAY: pgettext_lazy("service", "Due today"),
    ServiceLevel.LATE: pgettext_lazy("service", "Late"),
}
_TONES: Final = {
    ServiceLevel.IN_TIME: "ok", ServiceLevel.TODAY: "warn", ServiceLevel.LATE: "bad",
}  # fmt: skip


class ServiceFilter(admin.SimpleListFilter):
    """Which of them we owe a word."""

    title = pgettext_lazy("application", "service")
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """By what is promised, the worst first."""
        return [(level.value, SERVICE_LEVELS[level]) for level in reversed(ServiceLevel)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that stand so now."""
        level = self.value()
        if level is None or level not in set(ServiceLevel):
            return queryset
        begin, end = submitted_for(ServiceLevel(level), **_promise())
        waiting = queryset.filter(state=ApplicationState.IN_REVIEW)
        if begin is not None:
            waiting = waiting.filter(submitted_at__gte=begin)
        return waiting if end is None else waiting.filter(submitted_at__lt=end)


class QueueFilter(admin.SimpleListFilter):
    """The queue comes first."""

    title = pgettext_lazy("application", "show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Besides all."""
        return [
            ("queue", gettext_lazy("Waiting for review, oldest first")),
            ("risk", gettext_lazy("Waiting for review, riskiest first")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the chosen view."""
        if self.value() in {"queue", "risk"}:
            return queryset.filter(state=ApplicationState.IN_REVIEW)
        return queryset


def order_of(request: HttpRequest) -> list[str]:
    """The order that belongs to what is shown: the list puts its own before that of a filter."""
    if request.GET.get(QueueFilter.parameter_name) == "risk":
        return ["-risk", "submitted_at", "pk"]
    if request.GET.keys() & {QueueFilter.parameter_name, ServiceFilter.parameter_name}:
        return ["submitted_at", "pk"]
    return ["-pk"]


def service_shown(application: Application) -> SafeString | str:
    """Whether we keep to the promise, and until when we can."""
    if application.state != ApplicationState.IN_REVIEW or application.submitted_at is None:
        return "–"
    promise = _promise()
    level = service_of(application.submitted_at, **promise)
    due = localtime(application.submitted_at + promise["promised"])
    return format_html(
        '<span class="badge {}">{}</span> {}', _TONES[level], SERVICE_LEVELS[level],
        due.strftime("%m-%d %H:%M"),
    )  # fmt: skip


def _promise() -> dict[str, Any]:
    return {
        "promised": timedelta(hours=settings.REVIEW_HOURS), "at": now(),
        "zone": ZoneInfo(settings.TIME_ZONE),
    }  # fmt: skip
