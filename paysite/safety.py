"""What a production platform must not start with. One line for each fault, all of them at once."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from paysite.env import missing

SECRET_CHARACTERS_MIN: Final = 50
SWEEPS: Final = frozenset({"tell", "delete"})
RECOGNISERS: Final = frozenset({"tesseract", "none"})
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def faults(settings: Any) -> list[str]:
    """Every reason not to start with these settings. A demo may do all of it."""
    if settings.DEMO:
        return []
    return [*missing, *_unsafe(settings)]


def _unsafe(settings: Any) -> list[str]:
    return [line for line, is_fault in FAULTS if is_fault(settings)]


def _is_insecure(settings: Any) -> bool:
    return not settings.BASE_URL.startswith("https://")


def _is_host_open(settings: Any) -> bool:
    return not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS


def _is_host_wrong(settings: Any) -> bool:
    """Whether the platform would refuse requests to its own address."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    return not any(
        host == allowed or (allowed.startswith(".") and f".{host}".endswith(allowed))
        for allowed in settings.ALLOWED_HOSTS
    )


def _is_secret_short(settings: Any) -> bool:
    if any(line.startswith("SECRET_KEY ") for line in missing):
        return False  # Told already, and Django lets nobody read an empty one.
    return len(settings.SECRET_KEY) < SECRET_CHARACTERS_MIN


def _is_count_private(settings: Any) -> bool:
    return "locmem" in settings.CACHES["default"]["BACKEND"].lower()


def _is_scanner_malformed(settings: Any) -> bool:
    address = urlsplit(settings.CLAMD)
    try:
        is_place = bool(address.path if address.scheme == "unix" else address.hostname)
        return bool(settings.CLAMD) and not (address.port != 0 and is_place)
    except ValueError:
        return True


def _is_mail_nowhere(settings: Any) -> bool:
    return "smtp" not in settings.EMAIL_BACKEND


def _has_sandbox(settings: Any) -> bool:
    return any("sandbox" in app for app in settings.INSTALLED_APPS)


FAULTS: Final[tuple[tuple[str, Callable[[Any], bool]], ...]] = (
    ("DEBUG is on: it shows settings and code to strangers. Set DEBUG=false.", lambda s: s.DEBUG),
    ("BASE_URL is not https: passwords and keys would be readable on the way.", _is_insecure),
    ("ALLOWED_HOSTS is empty or holds *: name the hosts of this platform.", _is_host_open),
    ("ALLOWED_HOSTS does not hold the host of BASE_URL.", _is_host_wrong),
    ("SECRET_KEY is shorter than 50 characters: make one with `openssl rand -base64 48`.",
     _is_secret_short),
    ("CACHE_URL is not set: each process would count tries alone. Name a Redis.",
     _is_count_private),
    ("EMAIL_URL is not set: nobody could be invited or told anything. Name a mail server.",
     _is_mail_nowhere),
    ("CLAMD is no address: write unix:///path or tcp://host:port.", _is_scanner_malformed),
    ("VAULT_SWEEP is neither tell nor delete.", lambda s: s.VAULT_SWEEP not in SWEEPS),
    ("RECOGNISER is neither tesseract nor none.", lambda s: s.RECOGNISER not in RECOGNISERS),
    ("The sandbox gateways are installed: anybody could pay without money.", _has_sandbox),
)  # fmt: skip
"""A sentence for whoever starts it, and what makes it true."""
