"""Collects the data of a report in one snapshot of the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext, override

from compliance.audit.anchor import Head
from compliance.reports.registry import TITLES, Period, builders_of
from compliance.reports.trail import judge_trail
from compliance.reports.values import SECTIONS, Dataset, Integrity, Note, Part, Section

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a dataset is asked for."""

    number: str
    version: int
    first_day: date
    last_day: date
    language: str
    prepared_by: str
    replaces: str
    reason: str


def period_of(first_day: date, last_day: date, *, cutoff: datetime) -> Period:
    """The days, both included, as moments: days begin at midnight in Shanghai."""
    return Period(
        start=datetime.combine(first_day, time(), SHANGHAI),
        end=datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI),
        cutoff=cutoff,
    )


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for every read inside, and no writes. Outside transactions only."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def collect(wanted: Wanted, *, noted: Sequence[Head], at: datetime) -> Dataset:
    """Everything the report will say, in its language. Called inside `snapshot`; `noted` are heads
    of the trail that were read before it began, because the sealer goes on meanwhile.
    """
    period = period_of(wanted.first_day, wanted.last_day, cutoff=at)
    with override(wanted.language):
        integrity = _integrity(noted, at)
        sections = [
            Section(
                number=number,
                title=gettext(str(TITLES[number])),
                parts=[
                    *([_verdict(integrity)] if number == 1 else ()),
                    *(builder(period) for builder in builders_of(number)),
                ],
            )
            for number in SECTIONS
        ]
    return Dataset(
        number=wanted.number, version=wanted.version, entity=settings.REPORT_ENTITY,
        mode=settings.OPERATING_MODE, language=wanted.language, start=str(wanted.first_day),
        end=str(wanted.last_day), cutoff=at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        prepared_by=wanted.prepared_by, replaces=wanted.replaces, reason=wanted.reason,
        sections=sections, integrity=integrity,
    )  # fmt: skip


def _integrity(noted: Sequence[Head], at: datetime) -> Integrity:
    """The whole chain, with the heads that were noted outside the database."""
    verdict = judge_trail(noted=noted, at=at)
    broken = verdict.broken
    return Integrity(
        position=verdict.position, head=verdict.head.hex(), checked=verdict.checked,
        fault=str(broken.fault) if broken else "", entry=broken.entry if broken else 0,
    )  # fmt: skip


def _verdict(integrity: Integrity) -> Part:
    if integrity.is_whole:
        text = gettext("The audit trail is whole: %(count)s entries were recomputed.")
        return Part(notes=[Note(text=text % {"count": integrity.checked}, tone="ok")])
    text = gettext("The audit trail is broken (%(fault)s, entry %(entry)s). See the annex.")
    told = text % {"fault": integrity.fault, "entry": integrity.entry}
    return Part(notes=[Note(text=told, tone="bad")])
