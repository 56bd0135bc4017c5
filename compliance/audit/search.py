"""Finding entries by who, what, to what and when: each carried by an index, page by key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from compliance.audit.actor import Actor
from compliance.audit.models import AuditEntry
from compliance.audit.proof import proofs
from compliance.audit.trail import record
from compliance.database import prepared

COUNT_MAX: Final = 1000
"""Nobody counts further than that by hand, and counting millions takes its time."""
EXPORT_MAX: Final = 100_000
PART: Final = 500
PATIENCE: Final = "SET LOCAL statement_timeout = '5s'"
"""Two wishes that each match millions and never the same entry would read all of them."""

_PLACE: Final = re.compile(r"(\d{1,17})-(\d{1,18})")

Place = tuple[datetime, int]
"""An entry's time and number: where a page goes on."""


class SearchTooWide(Exception):
    """The search took too long: it needs a time range, or a subject."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find; what is empty does not matter. `start` is included, `end` is not.

    `subject` is `kind` or `kind number`, `actor` likewise.
    """

    actor: str = ""
    subject: str = ""
    action: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page, newest first; `older` is where the next one begins, "" at the end."""

    entries: list[AuditEntry]
    older: str
    count: int
    """How many there are in all, or one more than COUNT_MAX."""


def narrowed(rows: QuerySet[AuditEntry], wanted: Wanted) -> QuerySet[AuditEntry]:
    """Those rows that are wanted, newest first."""
    texts = (wanted.actor, wanted.subject, wanted.action)
    if any("\0" in text for text in texts):
        # What no entry can hold finds none.
        return rows.none()
    rows = rows.filter(_named("actor", wanted.actor), _named("subject", wanted.subject))
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.start:
        rows = rows.filter(at__gte=wanted.start)
    if wanted.end:
        rows = rows.filter(at__lt=wanted.end)
    return rows.order_by("-at", "-pk")


def find_entries(wanted: Wanted, *, size: int, before: str = "") -> Found:
    """A page of the trail; `before` is the `older` of the page before. Raises SearchTooWide."""
    rows = narrowed(AuditEntry.objects.all(), wanted)
    place = _place(before)
    try:
        with transaction.atomic():
            prepared(PATIENCE)
            page = list((_below(rows, place) if place else rows)[: size + 1])
            count = rows[: COUNT_MAX + 1].count() if wanted != Wanted() else 0
    except OperationalError as error:
        raise SearchTooWide from error
    shown = page[:size]
    older = _told(shown[-1]) if len(page) > size else ""
    return Found(shown, older, count)


@transaction.atomic
def export_search(wanted: Wanted, *, actor: Actor, at: datetime) -> None:
    """Record that somebody takes out what a search finds; then give it to `searched_lines`."""
    facts = {
        name: value
        for name, value in (
            ("actor", wanted.actor), ("subject", wanted.subject), ("action", wanted.action),
            ("from", wanted.start.astimezone(UTC).isoformat() if wanted.start else ""),
            ("to", wanted.end.astimezone(UTC).isoformat() if wanted.end else ""),
        )
        if value
    }  # fmt: skip
    record(actor, "audit.exported", subject=("audit", "search"), facts=facts, at=at)


def searched_lines(wanted: Wanted) -> Iterator[str]:
    """What is found, newest first, each entry with its proof: a search has holes that no chain
    covers. What waits for the sealer is left out, and after EXPORT_MAX lines it ends.
    """
    rows, place = narrowed(AuditEntry.objects.all(), wanted), None
    for _part in range(EXPORT_MAX // PART):
        page = list((_below(rows, place) if place else rows).values_list("pk", "at")[:PART])
        yield from proofs([number for number, _at in page])
        if len(page) < PART:
            return
        place = (page[-1][1], page[-1][0])


def _named(what: str, text: str) -> Q:
    """The kind, and with it the number where one is told."""
    kind, _, number = text.strip().partition(" ")
    if not kind:
        return Q()
    named = Q((f"{what}_kind", kind))
    if kind in {"system", "customer"} and what == "actor":
        return named & Q(actor_id="")
    return named & Q((f"{what}_id", number.strip())) if number.strip() else named


def _below(rows: QuerySet[AuditEntry], place: Place) -> QuerySet[AuditEntry]:
    at, number = place
    # The first condition is what an index can use.
    return rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=number))


def _told(entry: AuditEntry) -> str:
    moment = entry.at.astimezone(UTC)
    micros = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    return f"{micros}-{entry.pk}"


def _place(text: str) -> Place | None:
    shape = _PLACE.fullmatch(text)
    if shape is None:
        return None
    seconds, micros = divmod(int(shape[1]), 1_000_000)
    try:
        at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    except (ValueError, OverflowError, OSError):
        return None
    return at, int(shape[2])
