"""Pure rules of callbacks: when to try again, and which addresses may be called."""

import ipaddress
from datetime import datetime, timedelta
from typing import Final

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
