"""Filters that need no look at the table to be drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.acquiring.positions import SLACK

PAST: Final = {
    "today": (_("Today"), 0, 1),
    "yesterday": (_("Yesterday"), 1, 1),
    "7": (_("Past 7 days"), 6, 7),
    "30": (_("Past 30 days"), 29, 30),
}
"""Words for days: label, how many days ago they begin, how many they are."""

YEARS: Final = range(1970, 9000)
"""Other days are typing errors, and near the ends of the calendar sums overflow."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first moment of a day to the last one of another, in the platform's time zone."""

    start: datetime
    end: datetime

    @property
    def end_with_jitter(self) -> datetime:
        """After this moment no row of the span was numbered."""
        return self.end + 2 * SLACK

    def lookups(self, column: str) -> dict[str, datetime]:
        """The exact condition."""
        return {f"{column}__gte": self.start, f"{column}__lt": self.end}


def span_of(word: str, *, today: date) -> Span | None:
    """Read a filter's value: one of PAST, or a date; None for anything else."""
    if word in PAST:
        _label, ago, count = PAST[word]
    else:
        try:
            ago, count = (today - date.fromisoformat(word)).days, 1
        except ValueError:
            return None
    try:
        first = today - timedelta(days=ago)
        start, end = (
            timezone.make_aware(datetime.combine(day, time.min))
            for day in (first, first + timedelta(days=count))
        )
    except OverflowError:
        return None
    return Span(start, end) if start.year in YEARS else None


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
        return span_of(self.value() or "", today=timezone.localdate())

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The words, and what the form for another day needs."""
        yield from super().choices(changelist)
        word = self.value() or ""
        yield {
            "is_form": True,
            "value": "" if word in PAST else word,
            "others": [
                (name, value)
                for name, values in changelist.filter_params.items()
                if name != self.parameter_name
                for value in values
            ],
        }
