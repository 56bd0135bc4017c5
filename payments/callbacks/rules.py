"""Pure rules of callbacks: when to try again, and which addresses may be called."""

import ipaddress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

WAITS: Final[tuple[int, ...]] = (
    15, 15, 30,
    3 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE,
    60 * _MINUTE,
    3 * _HOUR, 3 * _HOUR, 3 * _HOUR, 6 * _HOUR, 6 * _HOUR,
    _DAY, _DAY, _DAY,
)  # fmt: skip
"""Seconds to wait after the first, second, ... failed try. After the last one we give up."""

JITTER: Final = 0.1
"""Each wait is lengthened by up to this share, so that many callbacks do not march in step."""


def next_try(tries: int, *, at: datetime, chance: float) -> datetime | None:
    """When to try again after `tries` failed tries; None: give up. `chance` is in [0, 1)."""
    if tries < 1 or tries > len(WAITS):
        return None
    return at + timedelta(seconds=WAITS[tries - 1] * (1 + JITTER * chance))


RETRY_AFTER_MAX: Final = timedelta(days=1)
"""The longest wait of the schedule: no receiver asks for more."""
_DIGITS_MAX: Final = 9


def wait_asked(header: str, *, at: datetime) -> datetime | None:
    """Until when a receiver asks to be left alone: `Retry-After`, in seconds or as an HTTP date
    (RFC 9110, section 10.2.3). None: it does not say, says nonsense, or a time that is over.
    """
    text = header.strip()
    if text.isascii() and text.isdecimal():
        seconds = int(text) if len(text) <= _DIGITS_MAX else 10**_DIGITS_MAX
        until = at + min(timedelta(seconds=seconds), RETRY_AFTER_MAX)
    else:
        try:
            named = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if named.tzinfo is None:
            named = named.replace(tzinfo=UTC)
        until = min(named, at + RETRY_AFTER_MAX)
    return until if until > at else None


def address_flaw(text: str, *, plain_http: bool) -> str:
    """Why a text cannot be the address of a page or a program: `url_malformed`, `url_not_https`, or
    "" when nothing is wrong with it. `plain_http` allows http: addresses (demo mode only).
    """
    try:
        parts = urlsplit(text)
        bad = not parts.hostname or "@" in parts.netloc or parts.port == 0
    except ValueError:
        return "url_malformed"
    if bad or not text.isascii() or " " in text or "\\" in text:
        return "url_malformed"
    if parts.scheme not in ({"https", "http"} if plain_http else {"https"}):
        return "url_not_https"
    return ""


def is_allowed_address(address: str, *, loopback: bool) -> bool:
    """Whether a callback may connect to this IP address.

    Only public addresses, so that a merchant cannot make us call our own machines. `loopback` is
    for demo mode, where merchants run on the same machine.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_allowed_address(str(inner), loopback=loopback)
        if ip in _NAT64:
            return is_allowed_address(
                str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)), loopback=loopback
            )
    if ip.is_loopback:
        return loopback
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
