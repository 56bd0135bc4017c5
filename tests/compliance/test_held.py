"""Secrets that rows hold: each under a data key of its purpose, open at one place only."""

import base64
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.models import Authenticator
from compliance.protection.errors import KeyUnknown, Tampered, Unreadable
from compliance.protection.fields import seal
from compliance.protection.models import DataKey
from compliance.protection.rotation import (
    begin_rotation,
    field_columns,
    finish_rotation,
    move_values,
)
from merchants.accounts.callback_secret import (
    callback_secret_of,
    callback_secrets_of,
    rotate_callback_secret,
)
from merchants.models import Merchant
from payments.channels.configuring import configure_channel
from payments.channels.models import Channel
from payments.channels.registry import CREDENTIALS, dialects, line, methods
from payments.channels.registry import forget as forget_channels
from payments.ledger import chart
from tests.cast import NOON, Shop, connect_scripted, open_shop, order
from tests.compliance.people import hire
from tests.database import database_address

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def tea() -> Shop:
    return open_shop("茗山茶业")


@pytest.fixture
def phone() -> Authenticator:
    add_device(user=hire("lin", has_device=False).user, secret=SECRET, actor=SYSTEM, at=NOON)
    device: Authenticator = Authenticator.objects.get()
    return device


@pytest.fixture
def scripted(settings) -> Iterator[None]:
    """The scripted gateways, and nothing remembered of an earlier database."""
    settings.GATEWAYS = ["tests.scripted.First", "tests.scripted.Second"]
    forget_all()
    yield
    forget_all()


def forget_all() -> None:
    chart.forget()
    forget_channels()
    dialects.cache_clear()
    methods.cache_clear()


@pytest.fixture
def channel(scripted) -> Channel:
    return configure_channel(
        code="first", gateway="first", name="First", livemode=False,
        credentials={"key": "value"}, base_url="https://scripted.example",
        front_url="https://scripted.example", actor=SYSTEM,
    )  # fmt: skip


def from_before(row, column: str, text: str, bound: str) -> None:
    """Put a value there as it was sealed before data keys."""
    type(row).objects.filter(pk=row.pk).update(**{column: seal(text, bound_to=bound)})
    row.refresh_from_db()


def test_each_purpose_has_a_key_of_its_own(tea, phone, channel):
    named = {
        value.split(":")[1]
        for value in (
            Merchant.objects.get().callback_secret_sealed,
            phone.secret_sealed,
            channel.credentials_sealed,
        )
    }
    purposes = DataKey.objects.filter(key_id__in=named).values_list("purpose", flat=True)
    assert sorted(purposes) == ["callback-secret", "channel-secret", "totp"]


def test_what_was_sealed_before_opens_and_is_moved_over(tea, phone, channel):
    merchant = tea.merchant
    from_before(phone, "secret_sealed", SECRET, f"authenticator:{phone.user_id}")
    from_before(channel, "credentials_sealed", '{"key": "old"}', "channel:first")
    from_before(
        merchant, "callback_secret_sealed", "whsec_old", f"callback secret:{merchant.public_id}"
    )
    assert phone.secret == SECRET
    assert callback_secret_of(merchant.pk) == "whsec_old"

    call_command("rotate_keys", batch=1, stdout=io.StringIO())

    for row in (phone, channel, merchant):
        row.refresh_from_db()
    held = [phone.secret_sealed, channel.credentials_sealed, merchant.callback_secret_sealed]
    assert [value.split(":")[0] for value in held] == ["v1", "v1", "v1"]
    assert phone.secret == SECRET
    assert CREDENTIALS.open(channel.credentials_sealed, row="first") == '{"key": "old"}'
    assert callback_secret_of(merchant.pk) == "whsec_old"


def test_a_rotation_does_not_end_before_they_are_moved(phone):
    old = begin_rotation(actor=SYSTEM, at=NOON)
    assert finish_rotation(old, actor=SYSTEM, at=NOON) == 1
    list(move_values(old, limit=10))
    assert finish_rotation(old, actor=SYSTEM, at=NOON) == 0


def test_a_replaced_callback_secret_still_signs_from_its_own_column(tea):
    first = callback_secret_of(tea.merchant.pk)
    second = rotate_callback_secret(merchant_id=tea.merchant.pk, actor=SYSTEM, at=NOON)
    Merchant.objects.update(callback_secret_before_until="2999-01-01T00:00Z")
    assert callback_secrets_of(tea.merchant.pk) == [second, first]


def changed(value: str) -> str:
    head, sign = value[:-3], value[-3]
    return head + ("A" if sign != "A" else "B") + value[-2:]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (changed, Tampered),
        (lambda value: value.replace(value.split(":")[1], "dk_unknown"), KeyUnknown),
        (lambda value: value.rsplit(":", 1)[0], Tampered),
        (lambda value: "plain text", Tampered),
        (lambda value: "", Tampered),
        (lambda value: seal(SECRET, bound_to="authenticator:0"), Tampered),
    ],
)
def test_what_was_tampered_with_stays_closed_and_raises_the_alarm(
    phone, caplog, spoil: Callable[[str], str], why: type[Unreadable]
):
    Authenticator.objects.update(secret_sealed=spoil(phone.secret_sealed))
    phone.refresh_from_db()

    with caplog.at_level(logging.CRITICAL), pytest.raises(why):
        _ = phone.secret
    with pytest.raises(why):
        _ = phone.secret

    entry = AuditEntry.objects.get(action="secret.unreadable")
    assert entry.subject_kind == "compliance_authenticator"
    assert entry.subject_id == str(phone.user_id)
    assert entry.facts == {
        "column": "compliance_authenticator.secret_sealed",
        "why": why.__name__,
    }
    assert SECRET not in caplog.text


def test_a_value_moved_to_another_row_or_column_stays_closed(tea):
    other = open_shop("云间书店").merchant
    stolen = tea.merchant.callback_secret_sealed
    Merchant.objects.filter(pk=other.pk).update(callback_secret_sealed=stolen)
    with pytest.raises(Tampered):
        callback_secret_of(other.pk)
    Merchant.objects.filter(pk=tea.merchant.pk).update(
        callback_secret_before_sealed=stolen, callback_secret_before_until="2999-01-01T00:00Z"
    )
    with pytest.raises(Tampered):
        callback_secrets_of(tea.merchant.pk)
    assert AuditEntry.objects.filter(action="secret.unreadable").count() == 2


def test_a_channel_whose_credentials_were_changed_is_not_used(channel):
    Channel.objects.update(credentials_sealed=changed(channel.credentials_sealed))
    forget_channels()
    with pytest.raises(Tampered):
        line("first")
    assert AuditEntry.objects.filter(action="secret.unreadable").count() == 1


def test_a_lost_key_encryption_key_opens_nothing(phone, settings):
    settings.FIELD_KEYS = "other:" + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(KeyUnknown):
        _ = phone.secret


def rotating(*, pause: float) -> subprocess.Popen[str]:
    """The command in a process of its own, on this story's database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys", "--batch", "1", "--pause", str(pause)],
        env={
            **os.environ, "DATABASE_URL": database_address(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        },
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_rotation_killed_with_the_hardest_signal_while_payments_are_made(scripted):
    connect_scripted()
    shops = [open_shop(f"店{n}") for n in range(8)]
    secrets = {shop.merchant.pk: callback_secret_of(shop.merchant.pk) for shop in shops}
    is_over = threading.Event()
    faults: list[object] = []

    def deliver() -> None:
        """What a delivery opens, again and again, as its own connection sees it."""
        while not is_over.is_set():
            now = {pk: callback_secret_of(pk) for pk in secrets}
            faults.extend([now] if now != secrets else [])
        connection.close()

    deliverer = threading.Thread(target=deliver)
    deliverer.start()
    try:
        process = rotating(pause=0.3)
        for _ in range(2):  # It has begun, and it has far to go.
            assert process.stdout is not None
            assert "re-encrypted" in process.stdout.readline()
        process.kill()
        process.communicate()
        assert process.returncode < 0
        order(shops[0], "between")
        assert DataKey.objects.filter(state="retiring").exists()

        process = rotating(pause=0)
        order(shops[1], "meanwhile")
        newest = open_shop("新店")
        said, _errors = process.communicate(timeout=60)
    finally:
        is_over.set()
        deliverer.join()
    assert process.returncode == 0, said

    assert faults == []
    assert {pk: callback_secret_of(pk) for pk in secrets} == secrets
    assert callback_secret_of(newest.merchant.pk).startswith("whsec_")
    gone = list(DataKey.objects.filter(state="retired").values_list("key_id", flat=True))
    assert gone
    assert sum(column.count(gone) for column in field_columns()) == 0
