"""A sign-in that has passed the password and waits for the second factor. It opens nothing yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest

from compliance.identity.models import User

SESSION_KEY: Final = "signin"
PENDING_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Pending:
    """Who wants in, and where to."""

    user: User
    backend: str
    next: str
    is_by_mail: bool = False
    """A link that was sent by e-mail stood for the password."""


def remember(
    request: HttpRequest, user: User, *, next_page: str, at: datetime, is_by_mail: bool = False
) -> None:
    """Keep the passed password step in the session, under a new session key."""
    request.session.flush()
    request.session[SESSION_KEY] = {
        "user": user.pk,
        "backend": getattr(user, "backend", ""),
        # Ends with the password: a change of it, or of the person's state, drops waiting sign-ins.
        "proof": user.get_session_auth_hash(),
        "next": next_page,
        "by_mail": is_by_mail,
        "at": int(at.timestamp()),
    }


def recall(request: HttpRequest, *, at: datetime) -> Pending | None:
    """The waiting sign-in, if it is fresh and its person may still sign in."""
    kept = request.session.get(SESSION_KEY)
    if not kept or kept["at"] + PENDING_SECONDS < at.timestamp():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["proof"]:
        return None
    return Pending(user, kept["backend"], kept["next"], bool(kept.get("by_mail")))


def forget(request: HttpRequest) -> None:
    """Drop the waiting sign-in."""
    request.session.pop(SESSION_KEY, None)
