"""Tries that failed, in the audit trail: wrong passwords, closed doors, pages above one's role.

Whoever floods the door must not flood the trail: for each account and address one entry a minute is
written. How often the same happened again in this process stands in the next entry as `repeats`.
"""

import logging
from typing import Any, Final

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_login_failed
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.defaults import permission_denied

from compliance.audit.actor import Actor
from compliance.audit.trail import cleaned, record
from compliance.identity.address import agent_of, client_address
from compliance.identity.models import User
from compliance.identity.signin import actor_of
from compliance.limits import KEPT_MAX, TooMany, spend

log: Final = logging.getLogger(__name__)

NAME_CHARACTERS_MAX: Final = 64
GUARDED: Final = ("admin:index", "desk:home")
"""Under these addresses a refusal is worth an entry: nobody gets there by a link of ours."""

_repeats: Final[dict[tuple[str, str, str], int]] = {}


def watch() -> None:
    """Listen to the sign-in. Called once, when the application starts."""
    user_login_failed.connect(_failed, dispatch_uid="compliance.identity.failures.failed")
    user_locked_out.connect(_locked, dispatch_uid="compliance.identity.failures.locked")


def forget() -> None:
    """Drop what this process counted (tests)."""
    _repeats.clear()


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403. In the admin and on the desk, that a signed-in person was refused is recorded."""
    is_guarded = request.path.startswith(tuple(map(reverse, GUARDED)))
    if is_guarded and request.user.is_authenticated:  # Only pages know a user, programs have none.
        actor = actor_of(request)
        facts = {"path": cleaned(request.path, 200), "method": request.method or ""}
        _tell("access.refused", actor, about=actor.id, facts=facts)
    return permission_denied(request, exception)


def tell_refused(actor: Actor, code: str, *, path: str, method: str) -> None:
    """Record that a person or a program asked for what it may not, and was refused.

    Called by the portal and the API. Strangers, who have no number, share one small lot: whoever
    comes from many addresses must not flood the trail either. Never raises.
    """
    facts = {"code": code, "path": cleaned(path, 200), "method": method[:8]}
    try:
        if not actor.id:
            spend("trail.strangers", actor.kind)
        _tell("access.refused", actor, about=f"{actor.id} {code}", facts=facts, number=actor.id)
    except TooMany:
        return
    except DatabaseError:
        log.exception("a refusal could not be recorded")


def _failed(request: HttpRequest | None = None, **about: Any) -> None:
    _tell_of_stranger("signin.failed", request, about.get("credentials", {}).get("username"))


def _locked(request: HttpRequest | None = None, **about: Any) -> None:
    _tell_of_stranger("signin.locked", request, about.get("username"))


def _tell_of_stranger(deed: str, request: HttpRequest | None, typed: object) -> None:
    name = typed if isinstance(typed, str) else ""
    # Looked for in the same way whether there is such a person or not.
    known = User.objects.filter(username=name.replace("\0", "")).values_list("pk", flat=True)
    number = next(iter(known), "")
    address = client_address(request) if request else ""
    agent = agent_of(request) if request else ""
    facts = {"username": cleaned(name, NAME_CHARACTERS_MAX), "known": number != ""}
    account = str(number) or f"name {name}"
    _tell(
        deed,
        Actor("user", "", "", address, agent=agent),
        about=account,
        facts=facts,
        number=str(number),
    )


def _tell(
    deed: str, actor: Actor, *, about: str, facts: dict[str, Any], number: str | None = None
) -> None:
    key = (deed, about[:200], actor.address)
    try:
        spend("trail.failure", "\n".join(key))
    except TooMany:
        if len(_repeats) >= KEPT_MAX:
            _repeats.clear()
        _repeats[key] = _repeats.get(key, 0) + 1
        return
    if repeats := _repeats.pop(key, 0):
        facts["repeats"] = repeats
    subject = (actor.kind, about if number is None else number)
    with transaction.atomic():
        record(actor, deed, subject=subject, facts=facts, at=timezone.now())
