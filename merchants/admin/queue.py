"""Ways to look at the reviewers' queue."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from merchants.onboarding.states import ApplicationState


class ServiceFilter(admin.SimpleListFilter):
    """Which of them we owe a word."""

    title = pgettext_lazy("application", "service")
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """By what is promised."""
        return [
            ("late", gettext_lazy("Late")), ("soon", gettext_lazy("Due within half of the time")),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that wait for so long."""
        promised, now = timedelta(hours=settings.REVIEW_HOURS), timezone.now()
        waiting = queryset.filter(state=ApplicationState.IN_REVIEW)
        if self.value() == "late":
            return waiting.filter(submitted_at__lt=now - promised)
        if self.value() == "soon":
            return waiting.filter(
                submitted_at__gte=now - promised, submitted_at__lt=now - promised / 2
            )
        return queryset


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
