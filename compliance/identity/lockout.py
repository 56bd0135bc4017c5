"""How long the door stays shut after too many wrong passwords: longer each time.

django-axes counts the tries for a name from an address; here it is told how long to wait.
"""

import hashlib
import logging
from datetime import timedelta
from typing import Any, Final

from axes.signals import user_locked_out
from django.core.cache import caches
from django.http import HttpRequest
from redis.exceptions import RedisError

from compliance.identity.address import client_address

log: Final = logging.getLogger(__name__)

FIRST: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=4)
REMEMBERED: Final = timedelta(hours=24)
NAME_CHARACTERS_MAX: Final = 200


def watch() -> None:
    """Listen to closed doors. Called once, when the application starts."""
    user_locked_out.connect(_closed, dispatch_uid="compliance.identity.lockout.closed")


def cool_off(request: HttpRequest | None = None) -> timedelta:
    """Fifteen minutes, and twice as long with each further time within a day, up to four hours.

    For a name that nobody has the same as for one that somebody has. Called by django-axes.
    """
    times = 0
    if request is not None:
        try:
            times = int(caches["default"].get(_key(request), 0))
        except (RedisError, OSError):
            log.warning("the store of lock-outs does not answer")
    return _length(times)


def _closed(request: HttpRequest | None = None, **about: Any) -> None:
    """Count a door that was closed; who goes on knocking does not close it again."""
    if request is None:
        return
    key, store = _key(request), caches["default"]
    try:
        times = int(store.get(key, 0))
        shut = _length(times + 1)
        if store.add(f"{key}:shut", 1, timeout=int(shut.total_seconds())):
            store.set(key, times + 1, timeout=int(REMEMBERED.total_seconds()))
    except (RedisError, OSError):
        log.warning("the store of lock-outs does not answer")


def _length(times: int) -> timedelta:
    """How long the door stays shut when it closes for the so-manieth time."""
    return min(FIRST * int(2 ** max(0, min(times, 8) - 1)), LONGEST)


def _key(request: HttpRequest) -> str:
    name = request.POST.get("username", "")[:NAME_CHARACTERS_MAX].casefold()
    about = f"{name}\n{client_address(request)}"
    return f"lockout:{hashlib.sha256(about.encode()).hexdigest()[:32]}"
