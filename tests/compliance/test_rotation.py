"""Keys are replaced while the platform works: nothing is lost, and nothing stays behind."""

import base64
import io

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.models import Authenticator
from compliance.protection import rotation
from compliance.protection.columns import SealedTextField
from compliance.protection.envelope import seal_at
from compliance.protection.fields import key_id_of
from compliance.protection.models import DataKey
from compliance.protection.rotation import (
    begin_rotation,
    bound_columns,
    finish_rotation,
    move_values,
)
from compliance.protection.states import DataKeyState
from merchants.accounts.callback_secret import callback_secret_of
from merchants.models import Merchant
from tests.cast import NOON, open_shop
from tests.compliance.cards.models import Card
from tests.compliance.people import hire

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()


def fill(count=10, first=0):
    for n in range(first, first + count):
        Card.objects.create(public_id=f"crd_{n}", number=str(n))


def all_open():
    return sorted(int(card.number.open()) for card in Card.objects.all())


def keys_in_use():
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT split_part(number, ':', 2) FROM cards_card")
        return {row[0] for row in cursor.fetchall()}


def active():
    return DataKey.objects.get(use="sealing", state=DataKeyState.ACTIVE).key_id


@pytest.mark.django_db
def test_everything_moves_to_a_new_key_and_the_command_says_how_far_it_is():
    fill(5)
    before = active()
    said = io.StringIO()

    call_command("rotate_keys", batch=2, stdout=said)

    assert keys_in_use() == {active()} != {before}
    assert all_open() == [0, 1, 2, 3, 4]
    assert DataKey.objects.get(key_id=before).state == DataKeyState.RETIRED
    assert "cards_card.number: 2 re-encrypted, 3 to go.\n" in said.getvalue()
    assert "cards_card.number: 1 re-encrypted, 0 to go.\n" in said.getvalue()
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["keys.rotation_begun", "keys.rotation_finished"]


@pytest.mark.django_db
def test_a_rotation_killed_half_way_goes_on_where_it_stopped():
    fill(6)
    before = active()
    old = begin_rotation(actor=SYSTEM, at=NOON)
    next(move_values(old, limit=2))
    assert len(keys_in_use()) == 2
    assert all_open() == list(range(6))

    assert begin_rotation(actor=SYSTEM, at=NOON) == old == [before]
    list(move_values(old, limit=2))
    assert finish_rotation(old, actor=SYSTEM, at=NOON) == 0

    assert keys_in_use() == {active()}
    assert all_open() == list(range(6))
    assert DataKey.objects.filter(use="sealing").count() == 2


@pytest.mark.django_db
def test_rows_written_during_a_rotation_are_under_the_new_key():
    fill(4)
    old = begin_rotation(actor=SYSTEM, at=NOON)
    steps = move_values(old, limit=2)
    next(steps)

    fill(3, first=4)
    list(steps)

    assert keys_in_use() == {active()}
    assert all_open() == list(range(7))


@pytest.mark.django_db
def test_a_rotation_does_not_end_while_a_value_is_under_the_old_key():
    fill(2)
    old = begin_rotation(actor=SYSTEM, at=NOON)

    assert finish_rotation(old, actor=SYSTEM, at=NOON) == 4
    assert DataKey.objects.get(key_id=old[0]).state == DataKeyState.RETIRING


@pytest.mark.django_db
def test_the_command_fails_when_something_is_left(monkeypatch):
    fill(1)
    monkeypatch.setattr(
        "compliance.management.commands.rotate_keys.move_values", lambda old, limit: iter(())
    )

    with pytest.raises(CommandError, match="2 values are still under the old keys"):
        call_command("rotate_keys", stdout=io.StringIO())


@pytest.mark.django_db
def test_a_new_key_encryption_key_takes_over_and_the_old_one_can_go(settings):
    settings.FIELD_KEYS = OLD
    fill(2)
    lin = hire("lin", has_device=False)
    add_device(user=lin.user, secret="JBSWY3DPEHPK3PXP", actor=SYSTEM, at=NOON)
    shop = open_shop("茗山茶业")
    secret = callback_secret_of(shop.merchant.pk)
    settings.FIELD_KEYS = f"{NEW},{OLD}"

    call_command("rotate_keys", stdout=io.StringIO())

    settings.FIELD_KEYS = NEW
    assert all_open() == [0, 1]
    assert Card.objects.get(number_index="1").public_id == "crd_1"
    assert Authenticator.objects.get().secret == "JBSWY3DPEHPK3PXP"
    assert callback_secret_of(shop.merchant.pk) == secret
    assert Merchant.objects.get().callback_secret_sealed.startswith("v1:dk_")
    assert {key_id_of(key.wrapped) for key in DataKey.objects.all()} == {"new"}


@pytest.mark.django_db
def test_the_key_of_an_index_stays_so_that_rows_are_still_found():
    fill(2)
    index = DataKey.objects.get(use="indexing").key_id

    call_command("rotate_keys", stdout=io.StringIO())

    assert DataKey.objects.get(use="indexing").key_id == index
    assert Card.objects.get(number_index="1").number.open() == "1"


def test_every_sealed_column_is_known_to_the_rotation():
    known = {column.name for column in [*bound_columns(), *rotation.field_columns()]}
    sealed = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedTextField) or field.name.endswith("_sealed")
    }
    assert len(sealed) > 4
    assert sorted(sealed - known) == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_process_killed_in_a_batch_loses_nothing(monkeypatch):
    fill(6)
    old = begin_rotation(actor=SYSTEM, at=NOON)
    next(move_values(old, limit=2))
    resealed: list[str] = []

    def die_at_the_second(*args, **kwargs):
        if resealed:
            raise KeyboardInterrupt
        resealed.append(seal_at(*args, **kwargs))
        return resealed[0]

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "seal_at", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_keys", batch=2, stdout=io.StringIO())
    assert all_open() == list(range(6))
    assert len(keys_in_use()) == 2

    call_command("rotate_keys", batch=2, stdout=io.StringIO())

    assert keys_in_use() == {active()}
    assert all_open() == list(range(6))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_left_for_the_next_round():
    fill(3)
    old = begin_rotation(actor=SYSTEM, at=NOON)
    with connection.get_new_connection(connection.get_connection_params()) as other:
        other.execute("SELECT 1 FROM cards_card WHERE public_id = 'crd_1' FOR UPDATE")
        steps = move_values(old, limit=10)
        assert next(steps) == ("cards_card.number", 2, 1)
        assert next(steps) == ("cards_card.number", 0, 1)
        other.rollback()
        assert next(steps) == ("cards_card.number", 1, 0)
        list(steps)
    assert keys_in_use() == {active()}
