"""Verbs that write a channel's configuration: a draft, its coming to work, a stop.

A draft is a `ChannelVersion` and changes nothing. It comes to work by an approval (`approving`), or
from the installation's own shell (`configure_channel`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.protection.fields import keyed_digest
from payments.channels import signing
from payments.channels.base import BadCredential, Connection, Credential, Dialect
from payments.channels.configuration import Faults, Offers, Settings, faults_in, first_end
from payments.channels.key_faults import fault_of_problem, key_fingerprint
from payments.channels.models import Channel, ChannelActivation, ChannelSecret, ChannelVersion
from payments.channels.registry import CREDENTIALS, connect, dialects, forget, require_allowed
from payments.channels.states import ChannelState
from payments.errors import Refusal

FROM_SHELL: Final = "Set up from the installation's shell."


class ConfigurationRefused(Refusal):
    """Values cannot be used. `faults` has a code of `key_faults.MENDS` for each."""

    code = "channel_configuration_refused"

    def __init__(self, faults: Faults) -> None:
        super().__init__(fields=sorted(faults))
        self.faults = faults


class ChannelRefused(Refusal):
    """The person may not do this, no reason was given, or the channel or version is not there."""

    code = "channel_refused"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wrote. A secret that is not given stays as it was in version `base`."""

    code: str
    gateway: str
    livemode: bool
    settings: Settings
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)
    base: int | None = None
    reason: str = ""


def fingerprint(credential: Credential | None, text: str) -> str:
    """Tells secrets apart without telling them: of a key the SHA-256 of its public half, of any
    other secret a digest that nobody can compute without our key.
    """
    if credential is not None and credential.kind == "private_key":
        try:
            return key_fingerprint(signing.private_key(text).public_key())
        except signing.KeyUnusable:
            pass
    return keyed_digest(text.encode(), purpose="channel-fingerprint").hex()


def secrets_of(version: ChannelVersion) -> dict[str, str]:
    """The secrets themselves, for a connection. Never for a page."""
    return {secret.name: secret.value.open() for secret in version.secrets.all()}


def connection_of(version: ChannelVersion) -> Connection:
    """The configuration as a dialect receives it."""
    settings = Settings.from_json(version.configuration)
    return Connection(
        code=version.channel.code, base_url=settings.base_url, front_url=settings.front_url,
        credentials={**settings.values, **secrets_of(version)},
    )  # fmt: skip


def find_version(code: str, number: int) -> ChannelVersion:
    """A version of a channel. Raises ChannelRefused: unknown."""
    found = (
        ChannelVersion.objects.select_related("channel")
        .filter(channel__code=code, number=number)
        .first()
    )
    if found is None:
        raise ChannelRefused("unknown")
    return found


@transaction.atomic
def draft_version(*, draft: Draft, by: User, actor: Actor, at: datetime) -> ChannelVersion:
    """Write a version down, when each value is usable and all fit together. Nothing works by it.

    Raises ChannelRefused (ability_missing, reason_missing, other_gateway), ConfigurationRefused.
    """
    if not (may(by, Ability.CHANNELS_REQUEST) or by.is_superuser):
        raise ChannelRefused("ability_missing")
    if not draft.reason.strip():
        raise ChannelRefused("reason_missing")
    channel = _lock_or_begin(draft)
    secrets = {name: text for name, text in draft.secrets.items() if text.strip()}
    if draft.base is not None:
        secrets = {**secrets_of(find_version(draft.code, draft.base)), **secrets}
    _require_usable(dialects()[draft.gateway], draft, secrets, at=at)
    version = _write(channel, draft, secrets, by=by, at=at)
    record(
        actor, "channel.drafted", subject=("channel", draft.code), reason=draft.reason,
        facts={"version": version.number, "fingerprints": fingerprints_of(version)}, at=at,
    )  # fmt: skip
    return version


def roll_back(
    *, code: str, to: int, reason: str, by: User, actor: Actor, at: datetime
) -> ChannelVersion:
    """A new draft with all that an old version had. It takes the same two people as any other.

    Raises what `draft_version` raises: an old certificate may have ended meanwhile.
    """
    old = find_version(code, to)
    draft = Draft(
        code=code, gateway=old.channel.gateway, livemode=old.channel.livemode, base=to,
        settings=Settings.from_json(old.configuration), reason=reason,
    )  # fmt: skip
    return draft_version(draft=draft, by=by, actor=actor, at=at)


def fingerprints_of(version: ChannelVersion) -> dict[str, str]:
    """By the secret's name."""
    return dict(version.secrets.order_by("name").values_list("name", "fingerprint"))


def _lock_or_begin(draft: Draft) -> Channel:
    channel, _is_new = Channel.objects.select_for_update().get_or_create(
        code=draft.code,
        defaults={
            "gateway": draft.gateway, "livemode": draft.livemode, "name": draft.settings.name,
        },
    )  # fmt: skip
    if (channel.gateway, channel.livemode) != (draft.gateway, draft.livemode):
        raise ChannelRefused("other_gateway")
    return channel


def _require_usable(
    dialect: Dialect, draft: Draft, secrets: Mapping[str, str], *, at: datetime
) -> None:
    given = {**draft.settings.values, **secrets}
    if faults := faults_in(dialect.credentials, given, at=at):
        raise ConfigurationRefused(faults)
    settings = draft.settings
    connection = Connection(
        code=draft.code, base_url=settings.base_url, front_url=settings.front_url, credentials=given
    )
    try:
        connect(dialect, connection)
    except BadCredential as bad:
        raise ConfigurationRefused({bad.name: fault_of_problem(bad.problem).code}) from bad


def _write(
    channel: Channel, draft: Draft, secrets: Mapping[str, str], *, by: User | None, at: datetime
) -> ChannelVersion:
    """The caller holds the channel's lock, so that numbers follow one another."""
    schema = dialects()[channel.gateway].credentials
    last = channel.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = ChannelVersion.objects.create(
        channel=channel, number=last + 1, configuration=draft.settings.to_json(),
        reason=draft.reason.strip()[:500], made_by=by, copied_from=draft.base, made_at=at,
        expires_at=first_end(schema, draft.settings.values),
    )  # fmt: skip
    by_name = {one.name: one for one in schema}
    for name, text in secrets.items():
        ChannelSecret.objects.create(
            place=f"{channel.code}:{version.number}:{name}", version=version, name=name,
            value=text, fingerprint=fingerprint(by_name.get(name), text),
        )  # fmt: skip
    return version


@transaction.atomic
def activate_version(
    *, code: str, number: int, request: str, agreed_by: str, actor: Actor, at: datetime
) -> Channel:
    """Let a version work from now on. Called by an executed approval, and by `configure_channel`.

    A stopped channel stays stopped: only `switch_on` lets it work. Raises ChannelRefused,
    HostNotAllowed.
    """
    channel = Channel.objects.select_for_update().filter(code=code).first()
    if channel is None:
        raise ChannelRefused("unknown")
    version = find_version(code, number)
    settings, dialect = Settings.from_json(version.configuration), dialects()[channel.gateway]
    for url in (settings.base_url, settings.front_url):
        require_allowed(dialect, url)
    before = {"state": str(channel.state), "version": channel.version}
    credentials = {**settings.values, **secrets_of(version)}
    channel.credentials_sealed = CREDENTIALS.seal(json.dumps(credentials), row=code)
    channel.name, channel.offers = settings.name, settings.offers.to_json()
    channel.base_url, channel.front_url = settings.base_url, settings.front_url
    channel.expires_at, channel.told_days = version.expires_at, None
    channel.version += 1
    if channel.state == ChannelState.DRAFT:
        channel.state = ChannelState.ACTIVE
    channel.save()
    ChannelActivation.objects.create(version=version, request=request, agreed_by=agreed_by, at=at)
    record(
        actor, "channel.configured", subject=("channel", code), reason=version.reason,
        facts={"gateway": channel.gateway, "base_url": channel.base_url, "number": number,
               "fingerprints": fingerprints_of(version), "request": request},
        before=before, after={"state": str(channel.state), "version": channel.version}, at=at,
    )  # fmt: skip
    transaction.on_commit(forget)
    return channel


def active_number(channel: Channel) -> int | None:
    """Which version works, or would if the channel were not stopped."""
    return (
        ChannelActivation.objects.filter(version__channel=channel)
        .order_by("-pk")
        .values_list("version__number", flat=True)
        .first()
    )


@transaction.atomic
def kill_channel(*, code: str, reason: str, by: User, actor: Actor, at: datetime) -> Channel:
    """Stop a channel at once: it takes nothing new, and what was begun on it is finished.

    One person is enough, of those who set channels up and of those who agree to it. Raises
    ChannelRefused, IllegalMove.
    """
    able = may(by, Ability.CHANNELS_REQUEST) or may(by, Ability.CHANNELS_APPROVE)
    if not (able or by.is_superuser):
        raise ChannelRefused("ability_missing")
    if not reason.strip():
        raise ChannelRefused("reason_missing")
    channel, before = _move(code, ChannelState.KILLED)
    record(
        actor, "channel.killed", subject=("channel", code), reason=reason,
        before={"state": before}, after={"state": str(channel.state)}, at=at,
    )  # fmt: skip
    return channel


@transaction.atomic
def switch_on(*, code: str, reason: str, actor: Actor, at: datetime) -> Channel:
    """Let a stopped channel work again. Called by an executed approval. Raises IllegalMove."""
    channel, before = _move(code, ChannelState.ACTIVE)
    record(
        actor, "channel.switched_on", subject=("channel", code), reason=reason,
        before={"state": before}, after={"state": str(channel.state)}, at=at,
    )  # fmt: skip
    return channel


def _move(code: str, to: ChannelState) -> tuple[Channel, str]:
    channel = Channel.objects.select_for_update().filter(code=code).first()
    if channel is None:
        raise ChannelRefused("unknown")
    before = str(channel.state)
    channel.move(to)
    transaction.on_commit(forget)
    return channel, before


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
    """Set a channel up from the installation's own shell: draft and activation in one.

    Equal values change nothing; a stopped channel stays stopped. Raises BadCredential,
    HostNotAllowed.
    """
    dialect, at = dialects()[gateway], timezone.now()
    given = Connection(code=code, base_url=base_url, front_url=front_url, credentials=credentials)
    connect(dialect, given)
    public = {one.name for one in dialect.credentials if not one.is_secret}
    secrets = {name: text for name, text in credentials.items() if name not in public}
    channel = Channel.objects.select_for_update().filter(code=code).first()
    settings = Settings(
        name=name, base_url=base_url, front_url=front_url,
        values={name: text for name, text in credentials.items() if name in public},
        offers=Offers.from_json(channel.offers) if channel else Offers(),
    )  # fmt: skip
    if channel and (number := active_number(channel)):
        works = find_version(code, number)
        if works.configuration == settings.to_json() and secrets_of(works) == secrets:
            return channel
    draft = Draft(
        code=code, gateway=gateway, livemode=livemode, settings=settings, reason=FROM_SHELL
    )
    version = _write(_lock_or_begin(draft), draft, secrets, by=None, at=at)
    return activate_version(
        code=code, number=version.number, request="", agreed_by="", actor=actor, at=at
    )
