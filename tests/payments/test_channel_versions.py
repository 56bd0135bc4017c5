"""A channel's configuration: a draft by one person, agreed to by another, kept for ever."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.approvals.decide import approve
from compliance.approvals.errors import ApprovalRefused
from compliance.audit.actor import SYSTEM, Actor
from compliance.models import AuditEntry, Letter
from payments.channels import registry
from payments.channels.approving import ask_to_activate, ask_to_switch_on
from payments.channels.configuration import Offers, Settings
from payments.channels.configuring import (
    ChannelRefused,
    ConfigurationRefused,
    Draft,
    active_number,
    draft_version,
    kill_channel,
    roll_back,
    secrets_of,
)
from payments.channels.expiry import watch_certificates
from payments.channels.models import Channel, ChannelVersion
from payments.channels.registry import line
from payments.channels.sandbox.keyring import new_pair
from payments.channels.trying import try_version
from tests.cast import NOON, later
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db
OURS, THEIRS = new_pair(), new_pair()
ME = Actor(kind="user", id="1", label="lin")


@pytest.fixture(autouse=True)
def _alipay(settings):
    settings.GATEWAYS = ["payments.channels.alipay.Alipay"]
    registry.dialects.cache_clear()
    registry.methods.cache_clear()
    registry.forget()


@pytest.fixture
def lin(db):
    return hire("lin", roles=["operator"]).user


@pytest.fixture
def wang(db):
    return hire("wang", roles=["operator_checker"]).user


def draft(**changes) -> Draft:
    values = {"app_id": "2021", "seller_id": "2088", "alipay_public_key": THEIRS[1]}
    settings = Settings(
        name=changes.pop("name", "Alipay"), base_url="https://openapi.alipay.com",
        front_url="https://openapi.alipay.com", values={**values, **changes.pop("values", {})},
        offers=Offers(amount_max_minor=500_000),
    )  # fmt: skip
    given = {"code": "alipay", "gateway": "alipay", "livemode": True, "settings": settings,
             "secrets": {"app_private_key": OURS[0]}, "reason": "go live"}  # fmt: skip
    return Draft(**{**given, **changes})


def write(lin, **changes) -> ChannelVersion:
    return draft_version(draft=draft(**changes), by=lin, actor=ME, at=NOON)


def go_live(version, lin, wang, at=NOON):
    asked = ask_to_activate(
        code="alipay", number=version.number, reason="go", by=lin, actor=ME, at=at
    )
    approve(number=asked.public_id, checker=wang, actor=SYSTEM, at=at)


def test_a_draft_works_only_when_another_person_has_agreed(lin, wang):
    version = write(lin)
    assert Channel.objects.get().state == "draft"
    with pytest.raises(registry.ChannelUnknown):
        line("alipay")
    asked = ask_to_activate(code="alipay", number=1, reason="go", by=lin, actor=ME, at=NOON)
    with pytest.raises(ApprovalRefused):
        approve(number=asked.public_id, checker=lin, actor=SYSTEM, at=NOON)
    approve(number=asked.public_id, checker=wang, actor=SYSTEM, at=NOON)
    assert (Channel.objects.get().state, active_number(version.channel)) == ("active", 1)
    assert line("alipay").gateway.app_number == "2021"


def test_secrets_are_sealed_and_told_by_fingerprint_only(lin, wang):
    go_live(write(lin), lin, wang)
    body = OURS[0].splitlines()[5]
    for table in ("payments_channelsecret", "payments_channelversion", "compliance_approval"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")  # noqa: S608
            assert body not in cursor.fetchone()[0]
    assert body not in json.dumps([*AuditEntry.objects.values_list("facts", flat=True)])
    assert len(ChannelVersion.objects.get().secrets.get().fingerprint) == 64


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"secrets": {"app_private_key": OURS[1]}}, {"app_private_key": "is_public_key"}),
        ({"secrets": {}}, {"app_private_key": "missing"}),
        ({"values": {"alipay_public_key": OURS[1]}}, {"alipay_public_key": "is_our_own_key"}),
        ({"values": {"app_id": "abc"}}, {"app_id": "not_a_number"}),
    ],
)
def test_a_wrong_paste_is_refused_by_its_name_and_nothing_is_kept(lin, changes, faults):
    with pytest.raises(ConfigurationRefused) as refused:
        write(lin, **changes)
    assert refused.value.faults == faults
    assert not ChannelVersion.objects.exists()


def test_a_secret_left_empty_stays_and_going_back_is_a_new_draft(lin, wang):
    go_live(write(lin), lin, wang)
    second = write(lin, name="Renamed", secrets={"app_private_key": ""}, base=1)
    assert secrets_of(second) == {"app_private_key": OURS[0]}
    go_live(second, lin, wang)
    third = roll_back(code="alipay", to=1, reason="worse", by=lin, actor=ME, at=NOON)
    assert (third.number, third.copied_from) == (3, 1)
    assert Channel.objects.get().name == "Renamed"
    go_live(third, lin, wang)
    assert Channel.objects.get().name == "Alipay"


def test_one_stops_a_channel_and_two_let_it_work_again(lin, wang):
    go_live(write(lin), lin, wang)
    with pytest.raises(ChannelRefused):
        kill_channel(code="alipay", reason=" ", by=wang, actor=ME, at=NOON)
    kill_channel(code="alipay", reason="wrong amounts", by=wang, actor=ME, at=NOON)
    assert Channel.objects.get().state == "killed"
    go_live(write(lin, base=1), lin, wang)
    assert Channel.objects.get().state == "killed"
    asked = ask_to_switch_on(code="alipay", reason="mended", by=lin, actor=ME, at=NOON)
    approve(number=asked.public_id, checker=wang, actor=SYSTEM, at=NOON)
    assert Channel.objects.get().state == "active"


def test_a_version_cannot_be_changed_behind_everybodys_back(lin):
    write(lin)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChannelVersion.objects.update(reason="another")


def test_who_may_not_set_up_channels_writes_nothing(wang):
    with pytest.raises(ChannelRefused):
        write(wang)


def test_a_certificate_that_ends_is_told_of_once_per_stage(lin, wang):
    go_live(write(lin), lin, wang)
    Channel.objects.update(expires_at=later(29 * 86400))
    Letter.objects.all().delete()
    assert watch_certificates(at=NOON) == 1
    assert watch_certificates(at=NOON) == 0
    assert Letter.objects.filter(about="certificate_ends").count() == 1
    assert watch_certificates(at=later(23 * 86400)) == 1


def test_a_test_of_the_connection_tells_what_came_of_it(lin, monkeypatch):
    write(lin)
    trial = try_version(code="alipay", number=1, actor=ME, at=NOON)
    assert trial.result == "no_answer"
    assert AuditEntry.objects.get(action="channel.tested").facts["result"] == "no_answer"
