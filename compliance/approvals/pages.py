"""Where the staff read about what a request is about, before they decide."""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.db.models import QuerySet
from django.urls import reverse

Page: TypeAlias = Callable[[str], str]
"""The address of the page about the subject with this number; "" when there is none."""


def no_page(number: str) -> str:
    """The request itself tells all there is."""
    return ""


def admin_page(name: str, rows: QuerySet[Any], field: str) -> Page:
    """The admin's change page, like "payments_channel", of the row whose `field` is the subject's
    number.
    """

    def page(number: str) -> str:
        row = rows.filter(**{field: number}).only("pk").first()
        return "" if row is None else reverse(f"admin:{name}_change", args=[row.pk])

    return page
