"""Finds dialects by dotted path, and keeps one connected gateway per channel and process."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from compliance.audit.actor import Actor
from compliance.audit.trail import record
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
_active: Final[dict[bool, tuple[float, list[Channel]]]] = {}


@cache
def dialects() -> dict[str, Dialect]:
    """Every dialect named in settings.GATEWAYS, by name."""
    return {dialect.name: dialect for dialect in (import_string(p)() for p in settings.GATEWAYS)}


@cache
def methods() -> dict[str, tuple[Dialect, Method]]:
    """Every method that some gateway offers, by its code, in the order of settings.GATEWAYS."""
    return {m.code: (dialect, m) for dialect in dialects().values() for m in dialect.methods}


def active(*, livemode: bool) -> list[Channel]:
    """The active channels of a mode. Remembered for a few seconds."""
    at, channels = _active.get(livemode, (0.0, []))
    now = time.monotonic()
    if not channels or now - at > FRESH_SECONDS:
        channels = list(Channel.objects.filter(livemode=livemode, is_active=True).order_by("id"))
        _active[livemode] = (now, channels)
    return channels


def channel_for(method: str, *, livemode: bool) -> Channel:
    """The channel that serves a method. Raises ChannelUnknown."""
    dialect, _ = methods().get(method, (None, None))
    for channel in active(livemode=livemode):
        if dialect is not None and channel.gateway == dialect.name:
            return channel
    raise ChannelUnknown(method=method)


def line(code: str) -> Line:
    """The channel with this code, connected. Keys are parsed once per process and version.

    An inactive channel still answers: payments that were opened on it must be finished. Raises
    ChannelUnknown.
    """
    kept, now = _kept.get(code), time.monotonic()
    if kept and now - kept.looked_at < FRESH_SECONDS:
        return kept.line
    channel = Channel.objects.filter(code=code).first()
    if channel is None:
        _kept.pop(code, None)
        raise ChannelUnknown(channel=code)
    if kept and kept.version == channel.version:
        kept.looked_at = now
        return kept.line
    _kept[code] = _Kept(_connect(channel), channel.version, now)
    return _kept[code].line


def forget() -> None:
    """Drop what this process remembers, for a process whose database was replaced (tests)."""
    _kept.clear()
    _active.clear()


def _connect(channel: Channel) -> Line:
    dialect = dialects()[channel.gateway]
    for url in (channel.base_url, channel.front_url):
        require_allowed(dialect, url)
    credentials = json.loads(CREDENTIALS.open(channel.credentials_sealed, row=channel.code))
    connection = Connection(
        code=channel.code,
        base_url=channel.base_url,
        front_url=channel.front_url,
        credentials=credentials,
    )
    gateway = dialect.connect(connection, make_http())
    return Line(channel.pk, channel.code, channel.name, channel.livemode, dialect, gateway)


def require_allowed(dialect: Dialect, url: str) -> None:
    """Refuse an address that is not the gateway's own, except in demo mode."""
    parts = urlsplit(url)
    if settings.DEMO:
        return
    if parts.scheme != "https" or parts.netloc not in dialect.hosts:
        raise HostNotAllowed(url=url)


@transaction.atomic
def configure_channel(
    *,
    code: str,
    gateway: str,
    name: str,
    livemode: bool,
    credentials: Mapping[str, str],
    base_url: str,
    front_url: str,
    actor: Actor,
) -> Channel:
    """Create a channel or change its configuration. Credentials are encrypted before they are
    stored.
    """
    dialect = dialects()[gateway]
    for url in (base_url, front_url):
        require_allowed(dialect, url)
    connection = Connection(
        code=code, base_url=base_url, front_url=front_url, credentials=credentials
    )
    dialect.connect(connection, make_http())
    sealed = CREDENTIALS.seal(json.dumps(dict(credentials)), row=code)
    channel, is_new = Channel.objects.select_for_update().get_or_create(
        code=code,
        defaults={
            "gateway": gateway, "name": name, "livemode": livemode, "is_active": True,
            "base_url": base_url, "front_url": front_url, "credentials_sealed": sealed,
        },
    )  # fmt: skip
    before = {} if is_new else {"version": channel.version, "base_url": channel.base_url}
    if not is_new:
        channel.name, channel.base_url, channel.front_url = name, base_url, front_url
        channel.credentials_sealed, channel.version = sealed, channel.version + 1
        channel.save()
    record(
        actor,
        "channel.configured",
        subject=("channel", code),
        facts={"gateway": gateway, "base_url": base_url, "version": channel.version},
        before=before,
        after={"version": channel.version, "base_url": base_url},
    )
    _active.clear()
    return channel
