"""The portal's first page: the day in figures and pictures, and what needs somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from merchants.access import MerchantAccess
from merchants.accounts.abilities import APPLICATION_WRITE, EVENTS_READ
from merchants.terms.queries import Owed, owed_by
from payments.acquiring.charts import (
    Figure,
    paid_figure,
    picture_of,
    refund_figure,
    success_figure,
    volume_figure,
)
from payments.acquiring.queries import PaymentFilter, list_payments
from payments.acquiring.today import today_of
from payments.callbacks.waiting import Waiting, waiting_of
from payments.portal.rows import payment_row


@dataclass(frozen=True, slots=True)
class Task:
    """Something that somebody should look at."""

    text: str
    link: str
    verb: str


def day_page(access: MerchantAccess, *, at: datetime, latest: int) -> Mapping[str, object]:
    """What the page shows."""
    day = today_of(access, at=at)
    page = list_payments(access, PaymentFilter(), before=0, limit=latest)
    waiting = waiting_of(access) if EVENTS_READ in access.abilities else None
    owed = owed_by(access, at=at)
    figures = [volume_figure(day), paid_figure(day), success_figure(day), refund_figure(day)]
    return {
        "figures": [*figures, _waiting(waiting)] if waiting else figures,
        "day": picture_of(day),
        "tasks": [*_confirming(access, owed), *_tasks(waiting)],
        "owed": owed,
        "rows": [payment_row(facts) for facts in page.payments],
        "has_more": bool(page.next_before),
    }


def _waiting(waiting: Waiting) -> Figure:
    note = _("%(count)d failed before") % {"count": waiting.failing}
    return Figure(
        _("Waiting callbacks"), f"{waiting.waiting:,}", note, "warn" if waiting.failing else ""
    )


def _confirming(access: MerchantAccess, owed: Owed) -> Sequence[Task]:
    """For those who can: the others would find a page that is closed to them."""
    if owed.confirm_by is None or APPLICATION_WRITE not in access.abilities:
        return []
    text = (
        _("The data of your business were to be confirmed by %(day)s.")
        if owed.is_due
        else _("Please confirm the data of your business by %(day)s.")
    )
    day = owed.confirm_by.isoformat()
    return [Task(text % {"day": day}, reverse("merchants:papers"), _("To the papers"))]


def _tasks(waiting: Waiting | None) -> Sequence[Task]:
    if waiting is None or not waiting.failing:
        return []
    text = ngettext(
        "%(count)d callback did not reach your program. It is tried again.",
        "%(count)d callbacks did not reach your program. They are tried again.",
        waiting.failing,
    ) % {"count": waiting.failing}
    return [Task(text, reverse("payments_portal:callbacks"), _("See callbacks"))]
