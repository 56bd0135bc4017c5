"""The search of the desk: what people typed, read once for the page and for the export."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_date

from compliance.audit.search import Wanted
from compliance.identity.models import User

YEARS: Final = range(2000, 3000)
TEXT_MAX: Final = 200
KINDS: Final = frozenset({"user", "api_key", "gateway", "customer", "system"})


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields. Days that are none are empty."""

    actor: str
    subject: str
    action: str
    first: date | None
    last: date | None

    @property
    def is_narrow(self) -> bool:
        """Whether more than days was typed."""
        return bool(self.actor or self.subject or self.action)

    def wanted(self) -> Wanted:
        """The search; both days are included."""
        return Wanted(
            actor=_actor(self.actor), subject=self.subject, action=self.action,
            start=beginning(self.first) if self.first else None,
            end=beginning(self.last + timedelta(days=1)) if self.last else None,
        )  # fmt: skip


def read_search(fields: Mapping[str, str]) -> Typed:
    """Whatever was typed, without what cannot be meant."""
    texts = {
        name: fields.get(name, "").strip()[:TEXT_MAX] for name in ("actor", "subject", "action")
    }
    return Typed(
        **texts, first=read_day(fields.get("from", "")), last=read_day(fields.get("to", ""))
    )


def read_day(text: str) -> date | None:
    """A day of our times, or None."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and day.year in YEARS else None


def beginning(day: date) -> datetime:
    """The moment at which a day begins here."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _actor(text: str) -> str:
    """A sign-in name becomes its account; a kind with or without a number stays as it is."""
    if not text or "\0" in text or text.partition(" ")[0] in KINDS:
        return text
    if text.startswith("key_"):
        return f"api_key {text}"
    known = User.objects.filter(username=text).values_list("pk", flat=True).first()
    return f"user {known or '?'}"
