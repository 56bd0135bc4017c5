"""Takes a list of payments out as CSV, row by row: however long it is, little is in memory."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.spreadsheet import BOM, lines, numeral
from merchants.access import MerchantAccess
from payments.acquiring.models import Payment
from payments.acquiring.pages import Reach
from payments.acquiring.sieve import Sieve, sifted
from payments.acquiring.states import PaymentState
from payments.acquiring.timeline import method_label
from payments.channels.registry import methods
from payments.money import Money

CHUNK: Final = 2000
"""Rows that are read, and held, at once."""
CONTENT_TYPE: Final = "text/csv; charset=utf-8"
ROWS_MAX: Final = 1_000_000
"""A spreadsheet holds about so many; a longer list is cut, and its last line says so."""

_FIELDS: Final = (
    "pk", "created_at", "public_id", "merchant_order_no", "subject", "amount_minor", "currency",
    "refunded_minor", "state", "method", "channel__code", "channel_trade_no", "paid_at",
    "closed_at", "livemode", "merchant__public_id", "merchant__name",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What is taken out, by whom, and what it was narrowed by (`asked`, as in the address)."""

    rows: QuerySet[Payment]
    reach: Reach
    asked: Mapping[str, str]
    actor: Actor
    subject: tuple[str, str]
    with_merchants: bool


def take_out_own(
    access: MerchantAccess, sieve: Sieve, *, at: datetime
) -> Generator[bytes, None, None]:
    """A merchant's list, as pieces of a file. Raises AccessRefused (`payments.read`)."""
    rows, reach = sifted(access, sieve)
    taking = Taking(
        rows=rows, reach=reach, asked=sieve.asked(), actor=access.actor,
        subject=("merchant", access.merchant), with_merchants=False,
    )  # fmt: skip
    return take_out(taking, at=at)


def take_out(taking: Taking, *, at: datetime) -> Generator[bytes, None, None]:
    """A list as pieces of a file. The caller has looked at the person's role.

    That it begins is recorded now; how many rows went out, when it ends. Words and times are in the
    language and zone of this moment: the pieces are made later, when the request is over.
    """
    with transaction.atomic():
        record(taking.actor, "payments.exported", subject=taking.subject, facts=taking.asked, at=at)
    return _pieces(taking, _heading(taking), _Words.now())


def file_headers(at: datetime) -> dict[str, str]:
    """The headers of the answer that carries the file."""
    name = f"payments-{timezone.localtime(at):%Y%m%d-%H%M%S}.csv"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class _Words:
    """Labels of codes and times, in one language and zone."""

    zone: tzinfo
    states: Mapping[str, str]
    methods: Mapping[str, str]
    cut: str

    @classmethod
    def now(cls) -> "_Words":
        return cls(
            timezone.get_current_timezone(),
            {str(state.value): str(state.label) for state in PaymentState},
            {code: method_label(code) for code in methods()},
            _("The list goes on: only the first %(count)d payments are in this file.")
            % {"count": ROWS_MAX},
        )

    def time(self, at: datetime | None) -> str:
        """As a spreadsheet reads it."""
        return f"{timezone.localtime(at, self.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def _heading(taking: Taking) -> list[str]:
    zone = timezone.get_current_timezone_name()
    whose = [_("Merchant's number"), _("Merchant"), _("Mode")] if taking.with_merchants else []
    return [
        *whose,
        _("Created (%(zone)s)") % {"zone": zone}, _("Payment"), _("Merchant's order"),
        _("Subject"), _("Amount"), _("Refunded"), _("Currency"), _("Status"), _("Method"),
        _("Channel"), _("Gateway's number"), pgettext("time", "Paid"), pgettext("time", "Closed"),
    ]  # fmt: skip


def _pieces(taking: Taking, heading: Sequence[str], words: _Words) -> Generator[bytes, None, None]:
    count, is_whole = 0, False
    try:
        yield BOM + lines([heading])
        for rows in _chunks(taking):
            yield lines(_cells(row, words, taking) for row in rows[: ROWS_MAX - count])
            count = min(count + len(rows), ROWS_MAX)
            if count == ROWS_MAX:
                yield lines([[words.cut]])
                return
        is_whole = True
    finally:
        # Also when the reader hung up: what went out until then went out.
        with transaction.atomic():
            record(
                taking.actor, "payments.export_ended", subject=taking.subject,
                facts={**taking.asked, "rows": count, "whole": is_whole},
            )  # fmt: skip


def _chunks(taking: Taking) -> Iterator[list[dict[str, Any]]]:
    """By key, newest first: what is created meanwhile shifts nothing."""
    top = taking.reach.high
    rows = taking.rows.order_by("-pk").values(*_FIELDS)
    while True:
        found = list(rows.filter(pk__gt=taking.reach.low, pk__lt=top)[:CHUNK])
        if found:
            yield found
        if len(found) < CHUNK:
            return
        top = found[-1]["pk"]


def _cells(row: Mapping[str, Any], words: _Words, taking: Taking) -> list[str]:
    currency = row["currency"]
    whose = (
        [row["merchant__public_id"], row["merchant__name"], "live" if row["livemode"] else "test"]
        if taking.with_merchants
        else []
    )
    return [
        *whose,
        words.time(row["created_at"]), row["public_id"], numeral(row["merchant_order_no"]),
        row["subject"], Money(row["amount_minor"], currency).decimal,
        Money(row["refunded_minor"], currency).decimal, currency, words.states[row["state"]],
        words.methods.get(row["method"], row["method"]), row["channel__code"] or "",
        numeral(row["channel_trade_no"]), words.time(row["paid_at"]),
        words.time(row["closed_at"]),
    ]  # fmt: skip
