"""Channels: configured once, encrypted at rest, and never pointed at a stranger's host."""

import json

import pytest
from django.db import connection

from compliance.audit.actor import SYSTEM
from compliance.models import AuditEntry
from compliance.protection.errors import Tampered
from payments.channels.configuring import configure_channel
from payments.channels.models import Channel
from payments.channels.registry import (
    HostNotAllowed,
    forget,
    line,
)
from payments.routing.choose import Choice
from payments.routing.queries import route
from tests.cast import NOON

pytestmark = pytest.mark.django_db

SCRIPTED = {
    "gateway": "first", "name": "First", "livemode": True, "actor": SYSTEM,
    "base_url": "https://scripted.example", "front_url": "https://scripted.example",
}  # fmt: skip


def configure(**changes) -> Channel:
    return configure_channel(
        **{"code": "live", "credentials": {"key": "very secret"}, **SCRIPTED, **changes}
    )


def way(**changes) -> Choice:
    ask = {"method": "first", "livemode": True, "amount_minor": 100, "merchant": "mch_tea"}
    return route(**{**ask, "at": NOON, **changes})


def test_credentials_are_encrypted_and_leave_no_trace_in_the_audit_trail():
    configure()
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM payments_channel c")
        assert "very secret" not in cursor.fetchone()[0]
    entry = AuditEntry.objects.get(action="channel.configured")
    assert "very secret" not in json.dumps(entry.facts)


def test_ciphertext_moved_to_another_channel_opens_nothing():
    first = configure()
    second = configure(code="other", credentials={"key": "other"})
    Channel.objects.filter(pk=second.pk).update(credentials_sealed=first.credentials_sealed)
    with pytest.raises(Tampered):
        line("other")


@pytest.mark.parametrize(
    "url",
    [
        "http://scripted.example",
        "https://evil.example",
        "https://scripted.example.evil.example",
        "https://scripted.example@evil.example",
        "https://scripted.example:444",
        "https://user@scripted.example",
        "//scripted.example",
        "",
    ],
)
@pytest.mark.parametrize("name", ["base_url", "front_url"])
def test_outside_the_demo_only_the_gateways_own_hosts_are_called(settings, name, url):
    settings.DEMO = False
    configure()
    with pytest.raises(HostNotAllowed):
        configure(**{name: url})


def test_an_address_changed_in_the_database_is_refused_when_used(settings):
    settings.DEMO = False
    channel = configure()
    Channel.objects.filter(pk=channel.pk).update(base_url="https://evil.example")
    forget()
    with pytest.raises(HostNotAllowed):
        line("live")


def test_a_change_is_noticed_and_an_equal_version_keeps_its_connection():
    configure()
    kept = line("live")
    assert line("live") is kept
    configure(name="Renamed")
    forget()
    assert line("live").name == "Renamed"
    assert Channel.objects.get().version == 2


def test_modes_do_not_mix():
    configure()
    chosen = way(livemode=True).channel
    assert chosen is not None
    assert chosen.code == "live"
    assert way(livemode=False).reason == "no_channel"


def test_an_inactive_channel_takes_nothing_new_but_finishes_what_it_began():
    channel = configure()
    Channel.objects.filter(pk=channel.pk).update(state="killed")
    forget()
    assert way(livemode=True).reason == "channel_stopped"
    assert line("live").code == "live"
