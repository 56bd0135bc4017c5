"""Sessions: in which browsers somebody is signed in, for how long, and how they end.

Django keeps what a session holds; a row here keeps when it began, when it was last used and why it
ended, so that its owner and an administrator can see and end it. A session without a living row
opens nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.errors import SessionNotFound
from compliance.identity.models import BrowserSession, User
from compliance.identity.states import Ending
from compliance.numbers import is_number, new_number

SEEN_STEP: Final = timedelta(seconds=30)
"""Being used is noted at most so often."""
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a session: why it is over, or the seconds until it ends if nobody uses it."""

    ended: Ending | None
    seconds_left: int = 0


def begin_session(
    *, user: User, key: str, is_staff: bool, address: str, agent: str, at: datetime
) -> None:
    """Note a session that a sign-in has just opened."""
    BrowserSession.objects.create(
        public_id=new_number("ses_", at=at),
        user=user,
        key_digest=digest_of(key),
        is_staff=is_staff,
        address=address,
        agent=agent,
        began_at=at,
        seen_at=at,
    )


def use_session(*, user: User, key: str, is_use: bool, at: datetime) -> Standing:
    """Whether the session still stands, ending it when it is over. `is_use`: it is used just now.

    Called at each page of a signed-in person.
    """
    row = BrowserSession.objects.filter(user=user, key_digest=digest_of(key)).first()
    if row is None:
        return Standing(Ending.OVER)
    if row.ended_at is not None:
        return Standing(Ending(row.ended_why))
    idle, whole = _limits(row)
    if at - row.seen_at >= idle or at - row.began_at >= whole:
        why = Ending.IDLE if at - row.seen_at >= idle else Ending.OVER
        _end([row.pk], why, at=at)
        return Standing(why)
    if is_use and at - row.seen_at >= SEEN_STEP:
        BrowserSession.objects.filter(pk=row.pk, seen_at__lt=at).update(seen_at=at)
    seen_at = at if is_use else row.seen_at
    left = min(seen_at + idle, row.began_at + whole) - at
    return Standing(None, int(left.total_seconds()))


def follow_session(*, user: User, key: str, new_key: str) -> None:
    """A session got another key, as it does with a new password."""
    rows = BrowserSession.objects.filter(user=user, key_digest=digest_of(key))
    rows.update(key_digest=digest_of(new_key))


def longest_session(*, is_staff: bool) -> int:
    """Seconds after which a session ends even if it is used."""
    return int(settings.SESSION_LIMITS["staff" if is_staff else "portal"][1])


def list_sessions(user: User, *, at: datetime) -> Sequence[BrowserSession]:
    """Where a person is signed in now, what was used last first."""
    rows = BrowserSession.objects.filter(user=user, ended_at__isnull=True).order_by("-seen_at")
    return [row for row in rows if not _is_over(row, at)]


def is_session(row: BrowserSession, key: str) -> bool:
    """Whether the row stands for the session with this key."""
    return bytes(row.key_digest) == digest_of(key)


def close_session(*, user: User, key: str, at: datetime) -> None:
    """End the session that somebody signs out of. The caller records it."""
    rows = BrowserSession.objects.filter(user=user, key_digest=digest_of(key))
    _end(list(rows.values_list("pk", flat=True)), Ending.SIGNED_OUT, at=at)


@transaction.atomic
def end_session(
    *, user: User, session: str, why: Ending, actor: Actor, at: datetime, reason: str = ""
) -> None:
    """End one session of a person; it opens nothing more. Raises SessionNotFound."""
    rows = BrowserSession.objects.filter(user=user, public_id=session, ended_at__isnull=True)
    row = rows.first() if is_number(session, "ses_") else None
    if row is None or not _end([row.pk], why, at=at):
        raise SessionNotFound
    _tell(user, 1, why, actor=actor, reason=reason, at=at)


@transaction.atomic
def end_other_sessions(*, user: User, key: str, why: Ending, actor: Actor, at: datetime) -> int:
    """End every session of a person but the one with this key; how many there were."""
    rows = BrowserSession.objects.filter(user=user, ended_at__isnull=True)
    ended = _end(list(rows.exclude(key_digest=digest_of(key)).values_list("pk", flat=True)), why,
                 at=at)  # fmt: skip
    if ended:
        _tell(user, ended, why, actor=actor, reason="", at=at)
    return ended


@transaction.atomic
def end_sessions(*, user: User, why: Ending, actor: Actor, at: datetime, reason: str = "") -> int:
    """End every session of a person, and what waits for a second factor; how many there were.

    Called when a right, a factor or the account itself is taken away or changed.
    """
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    rows = BrowserSession.objects.filter(user=user, ended_at__isnull=True)
    ended = _end(list(rows.values_list("pk", flat=True)), why, at=at)
    if ended:
        _tell(user, ended, why, actor=actor, reason=reason, at=at)
    return ended


def forget_old_sessions(*, at: datetime) -> int:
    """Delete what is known of sessions that began weeks ago. Called once an hour."""
    gone, _each = BrowserSession.objects.filter(began_at__lt=at - KEPT).delete()
    return gone


def digest_of(key: str) -> bytes:
    """How a session's key is kept in rows that name it."""
    return hashlib.sha256(key.encode()).digest()


def _limits(row: BrowserSession) -> tuple[timedelta, timedelta]:
    idle, whole = settings.SESSION_LIMITS["staff" if row.is_staff else "portal"]
    return timedelta(seconds=idle), timedelta(seconds=whole)


def _is_over(row: BrowserSession, at: datetime) -> bool:
    idle, whole = _limits(row)
    return at - row.seen_at >= idle or at - row.began_at >= whole


def _end(rows: Sequence[int], why: Ending, *, at: datetime) -> int:
    """Only the first end of a session counts."""
    open_ones = BrowserSession.objects.filter(pk__in=rows, ended_at__isnull=True)
    return open_ones.update(ended_at=at, ended_why=why)


def _tell(user: User, ended: int, why: Ending, *, actor: Actor, reason: str, at: datetime) -> None:
    facts = {"username": user.username, "sessions": ended, "why": str(why.value)}
    record(
        actor, "session.ended", subject=("user", str(user.pk)), facts=facts, reason=reason, at=at
    )
