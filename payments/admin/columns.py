"""How values look in lists and on pages: amounts, moments, states, numbers."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.db.models import Choices
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from compliance.identity.showing import EMPTY, badge_tag, time_tag
from payments.money import Money

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"
Column: TypeAlias = Callable[..., Any]


def money_tag(money: Money) -> SafeString:
    """An amount with its sign."""
    return format_html('<span class="money">{}</span>', money.text)


def mono_tag(text: str) -> SafeString | str:
    """A number, in letters of one width."""
    return format_html('<span class="mono nowrap">{}</span>', text) if text else EMPTY


def moment(field: str, label: Text) -> Column:
    """A column with a moment."""

    @admin.display(description=label)
    def show(_admin: Any, row: Any) -> SafeString | str:
        return time_tag(getattr(row, field))

    return show


def amount(label: Text, field: str = "amount_minor") -> Column:
    """A column with an amount in the row's currency."""

    @admin.display(description=label)
    def show(_admin: Any, row: Any) -> SafeString:
        return money_tag(Money(getattr(row, field), row.currency))

    return show


def number(field: str, label: Text) -> Column:
    """A column with a number to be read letter by letter."""

    @admin.display(description=label)
    def show(_admin: Any, row: Any) -> SafeString | str:
        return mono_tag(str(getattr(row, field)))

    return show


def mode(field: str = "livemode") -> Column:
    """A column that says whether the money is real."""

    @admin.display(description=_("mode"))
    def show(_admin: Any, row: Any) -> SafeString:
        is_live = getattr(row, field)
        return badge_tag(_("Live") if is_live else _("Test"), "ok" if is_live else "neutral")

    return show


def badge(field: str, label: Text, tones: Mapping[Any, str]) -> Column:
    """A column with the label of a choice, in the colour of its value."""

    @admin.display(description=label)
    def show(_admin: Any, row: Any) -> SafeString:
        value: str | Choices = getattr(row, field)
        text: str = getattr(row, f"get_{field}_display")()
        return badge_tag(text, tones.get(value, "neutral"))

    return show
