"""Filters that need no look at the table to be drawn."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.identity.zones import platform_zone
from payments.acquiring.positions import Span
from payments.acquiring.sieve import (
    amount_lookups,
    days_between,
    read_amount,
    read_day,
)
from payments.acquiring.timeline import method_label
from payments.channels.registry import methods

PAST: Final = {
    "today": (_("Today"), 0, 1),
    "yesterday": (_("Yesterday"), 1, 1),
    "7": (_("Past 7 days"), 6, 7),
    "30": (_("Past 30 days"), 29, 30),
}
"""Words for days: label, how many days ago they begin, how many they are."""


def span_of(word: str, *, today: date) -> Span | None:
    """Read a filter's value: one of PAST, or a date; None for anything else."""
    if word in PAST:
        _label, ago, count = PAST[word]
        first = today - timedelta(days=ago)
        return days_between(first, first + timedelta(days=count - 1))
    day = read_day(word)
    return days_between(day, day) if day else None


def common_span(spans: Iterable[Span | None]) -> Span | None:
    """The days that all chosen filters leave; None when none is chosen."""
    chosen = [span for span in spans if span]
    if not chosen:
        return None
    return Span(max(one.start for one in chosen), min(one.end for one in chosen))


class DayFilter(admin.SimpleListFilter):
    """Rows of some days. The list itself applies it, by key; see `keyset`."""

    title = _("day")
    parameter_name = "day"
    template = "admin/payments/day_filter.html"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, Any]]:
        """The words; any other day is typed."""
        return [(word, label) for word, (label, _ago, _count) in PAST.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows alone: the list narrows them by key."""
        return queryset

    @property
    def span(self) -> Span | None:
        """What was chosen."""
        return span_of(self.value() or "", today=timezone.localdate(timezone=platform_zone()))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The words, and what the form for another day needs."""
        yield from super().choices(changelist)
        word = self.value() or ""
        yield {
            "is_form": True,
            "value": "" if word in PAST else word,
            "others": _others(changelist, [self.parameter_name]),
        }


class MethodFilter(admin.SimpleListFilter):
    """Payments that were paid with one method."""

    title = _("method")
    parameter_name = "method"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, Any]]:
        """The methods of all gateways."""
        return [(code, method_label(code)) for code in methods()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the method; an unknown word narrows nothing."""
        code = self.value()
        return queryset.filter(method=code) if code in methods() else queryset


class TypedFilter(admin.ListFilter):
    """A filter of two fields, one for each end; either may stay empty."""

    template = "admin/payments/typed_filter.html"
    names: ClassVar[tuple[str, str]]
    labels: ClassVar[tuple[Any, Any]]
    kind: ClassVar[str]

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Any],
        model_admin: "admin.ModelAdmin[Any]",
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        """It can always be typed into."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Both."""
        return [*self.names]

    @property
    def typed(self) -> tuple[str, str]:
        """What stands in the fields."""
        first, last = (str(self.used_parameters.get(name, "")) for name in self.names)
        return first, last

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows alone unless a filter says otherwise."""
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The fields, and what must be kept beside them."""
        fields = zip(self.names, self.labels, self.typed, strict=True)
        yield {
            "fields": [(name, label, value) for name, label, value in fields],
            "kind": self.kind,
            "others": _others(changelist, self.names),
            "without": changelist.get_query_string(remove=[*self.names]),
            "selected": any(self.typed),
        }


class DaysFilter(TypedFilter):
    """From one day to another, both included. The list itself applies it, by key."""

    title = _("days")
    names = ("from", "to")
    labels = (_("First day"), _("Last day"))
    kind = "date"

    @property
    def span(self) -> Span | None:
        """What was typed."""
        first, last = (read_day(text) for text in self.typed)
        return days_between(first, last)


class AmountFilter(TypedFilter):
    """From one amount to another, both included."""

    title = _("amount")
    names = ("least", "most")
    labels = (_("At least"), _("At most"))
    kind = "amount"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those between."""
        least, most = (read_amount(text) for text in self.typed)
        return queryset.filter(**amount_lookups(least, most))


def _others(changelist: ChangeList, names: Iterable[str]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, values in changelist.filter_params.items()
        if name not in set(names)
        for value in values
    ]
