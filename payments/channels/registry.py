"""Finds dialects by dotted path, and keeps one connected gateway per channel and process."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from compliance.protection.held import Held
from payments.channels.base import Connection, Dialect, Gateway, Method
from payments.channels.http import GatewayHttp
from payments.channels.models import Channel
from payments.errors import Refusal

FRESH_SECONDS: Final = 3.0
"""How long a process may use a channel's configuration before it looks again."""

CREDENTIALS: Final = Held(
    table="payments_channel",
    column="credentials_sealed",
    purpose="channel-secret",
    prefix="channel",
)


class ChannelUnknown(Refusal):
    """No active channel has this code, or none offers the method."""

    code = "channel_unknown"


class HostNotAllowed(Refusal):
    """Outside demo mode a channel may only call its gateway's own hosts, over TLS."""

    code = "gateway_host_not_allowed"


make_http: Callable[[], GatewayHttp] = GatewayHttp
"""How a channel's client is made. Tests that play the gateways in their own process replace it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A channel ready for use: its row's facts and its connected gateway."""

    id: int
    code: str
    name: str
    livemode: bool
    dialect: Dialect
    gateway: Gateway


@dataclass(slots=True)
class _Kept:
    line: Line
    version: int
    looked_at: float


_kept: Final[dict[str, _Kept]] = {}
_others: Final[list[Callable[[], None]]] = []


@cache
def dialects() -> dict[str, Dialect]:
    """Every dialect named in settings.GATEWAYS, by name."""
    return {dialect.name: dialect for dialect in (import_string(p)() for p in settings.GATEWAYS)}


@cache
def methods() -> dict[str, tuple[Dialect, Method]]:
    """Every method that some gateway offers, by its code, in the order of settings.GATEWAYS."""
    return {m.code: (dialect, m) for dialect in dialects().values() for m in dialect.methods}


def line(code: str) -> Line:
    """The channel with this code, connected. Keys are parsed once per process and version.

    An inactive channel still answers: payments that were opened on it must be finished. Raises
    ChannelUnknown.
    """
    kept, now = _kept.get(code), time.monotonic()
    if kept and now - kept.looked_at < FRESH_SECONDS:
        return kept.line
    channel = Channel.objects.filter(code=code).first()
    if channel is None or not channel.credentials_sealed:
        _kept.pop(code, None)
        raise ChannelUnknown(channel=code)
    if kept and kept.version == channel.version:
        kept.looked_at = now
        return kept.line
    _kept[code] = _Kept(_connect(channel), channel.version, now)
    return _kept[code].line


def forget() -> None:
    """Drop what this process remembers: after a change, and when the database was replaced."""
    _kept.clear()
    for other in _others:
        other()


def also_forget(other: Callable[[], None]) -> None:
    """Have another room's memory of channels dropped together with this one."""
    _others.append(other)


def _connect(channel: Channel) -> Line:
    dialect = dialects()[channel.gateway]
    credentials = json.loads(CREDENTIALS.open(channel.credentials_sealed, row=channel.code))
    connection = Connection(
        code=channel.code,
        base_url=channel.base_url,
        front_url=channel.front_url,
        credentials=credentials,
    )
    gateway = connect(dialect, connection)
    return Line(channel.pk, channel.code, channel.name, channel.livemode, dialect, gateway)


def connect(dialect: Dialect, connection: Connection) -> Gateway:
    """A gateway with its keys loaded; nothing is sent. Raises BadCredential, HostNotAllowed."""
    for url in (connection.base_url, connection.front_url):
        require_allowed(dialect, url)
    return dialect.connect(connection, make_http())


def require_allowed(dialect: Dialect, url: str) -> None:
    """Refuse an address that is not the gateway's own, except in demo mode."""
    parts = urlsplit(url)
    if settings.DEMO:
        return
    if parts.scheme != "https" or parts.netloc not in dialect.hosts:
        raise HostNotAllowed(url=url)
