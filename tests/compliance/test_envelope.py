"""Sealed columns of rows: what opens, what is noticed, and how a sealed value is found."""

import base64

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from compliance.protection.envelope import Place, blind_index, seal_at, unseal_at
from compliance.protection.errors import KeyUnknown, Tampered
from compliance.protection.models import DataKey
from compliance.protection.states import DataKeyState
from tests.cast import NOON
from tests.compliance.cards.models import Card

pytestmark = pytest.mark.django_db

NUMBER = "6222 0212-3456 7890"
OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
WRITES = {
    "number": "UPDATE cards_card SET number = %s WHERE id = %s",
    "note": "UPDATE cards_card SET note = %s WHERE id = %s",
}
PLACE = Place("merchants_person", "identity_number", "per_1")


def column(card, name="number"):
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, note FROM cards_card WHERE id = %s", [card.pk])
        return dict(zip(("number", "note"), cursor.fetchone(), strict=True))[name]


def write(card, value, name="number"):
    with connection.cursor() as cursor:
        cursor.execute(WRITES[name], [value, card.pk])


def a_card(public_id="crd_1", number=NUMBER, **more):
    return Card.objects.create(public_id=public_id, number=number, **more)


class RoundTrip(TestCase):
    @given(
        st.text(st.characters(codec="utf-8")), st.from_regex(r"[a-z_0-9.:-]{1,40}", fullmatch=True)
    )
    @hypothesis_settings(max_examples=50)
    def test_what_is_sealed_at_a_place_opens_there(self, text, row):
        place = Place("table", "column", row)
        value = seal_at(text, place=place, purpose="kyc")
        assert unseal_at(value, place=place) == text
        assert len(value.split(":")) == 5


def test_the_database_holds_ciphertext_and_the_program_opens_it():
    card = a_card()

    held = column(card)
    version, key_id, *_ = held.split(":")
    assert version == "v1"
    assert DataKey.objects.get(use="sealing").key_id == key_id
    assert "6222" not in held
    assert Card.objects.get().number.open() == NUMBER


def test_printing_a_sealed_value_shows_nothing():
    card = a_card()

    assert [f"{card.number}", repr(card.number), str(Card.objects.get().number)] == ["sealed"] * 3


def test_a_text_that_is_not_saved_yet_opens_and_saving_again_does_not_seal_twice():
    card = Card(public_id="crd_1", number=NUMBER)
    assert card.number.open() == NUMBER
    card.save()
    before = column(card)

    card.save()

    assert column(card) == before
    assert Card.objects.defer("number").get().number.open() == NUMBER
    card.refresh_from_db()
    assert card.number.open() == NUMBER


def test_an_empty_number_stays_empty():
    assert a_card(number=None).number is None
    assert Card.objects.filter(number=None).exists()


def test_a_row_without_its_public_id_is_not_sealed():
    with pytest.raises(ValueError, match="does not name a row"):
        a_card(public_id="")


def test_a_sealed_column_is_neither_updated_nor_compared_in_bulk():
    a_card()

    with pytest.raises(TypeError, match="sealed by save"):
        Card.objects.update(number="1")
    with pytest.raises(TypeError, match="sealed by save"):
        Card.objects.get(number=NUMBER)


def test_many_cards_are_sealed_at_once():
    Card.objects.bulk_create([Card(public_id=f"crd_{n}", number=str(n)) for n in range(3)])

    assert sorted(card.number.open() for card in Card.objects.all()) == ["0", "1", "2"]


def test_a_value_moved_to_another_row_does_not_open():
    mine, theirs = a_card(), a_card("crd_2", "6222 0000 0000 0000")
    write(mine, column(theirs))

    with pytest.raises(Tampered, match="crd_1"):
        Card.objects.get(pk=mine.pk).number.open()


def test_a_value_moved_to_another_column_does_not_open():
    card = a_card(note="birthday")
    write(card, column(card), "note")

    with pytest.raises(Tampered):
        Card.objects.get().note.open()


@given(place=st.integers(0, 200), change=st.integers(1, 127))
def test_a_changed_letter_is_noticed(place, change):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    value = seal_at("128.00 yuan of tea", place=PLACE, purpose="kyc")
    head, sealed = value[:33], list(value[33:])
    spot = place % (len(sealed) - 1)  # The last letter may carry bits that base64 does not use.
    if sealed[spot] == ":" or sealed[spot + 1] == ":":
        return
    sealed[spot] = alphabet[(alphabet.index(sealed[spot]) + change % 63 + 1) % 64]
    forged = head + "".join(sealed)
    if forged == value:
        return
    with pytest.raises((Tampered, KeyUnknown)):
        unseal_at(forged, place=PLACE)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "6222",
        "v1",
        "v1:::",
        "v1::::",
        "v2:a:b:c:d",
        "v1.demo.AAAA",
        "v1:a:*:b:c",
        "v1:a:AAAA:b:c",
    ],
)
def test_what_is_not_a_sealed_value_is_refused(value):
    with pytest.raises(Tampered):
        unseal_at(value, place=PLACE)


def test_a_key_id_that_nobody_knows_is_named():
    _, _, rest = seal_at("tea", place=PLACE, purpose="kyc").split(":", 2)

    with pytest.raises(KeyUnknown, match="there is no data key dk_nobody"):
        unseal_at(f"v1:dk_nobody:{rest}", place=PLACE)


def test_the_key_of_another_purpose_does_not_open():
    value = seal_at("tea", place=PLACE, purpose="kyc")
    other = seal_at("tea", place=PLACE, purpose="files").split(":")[1]

    with pytest.raises(Tampered):
        unseal_at(value.replace(value.split(":")[1], other), place=PLACE)


def test_without_the_key_that_wraps_the_data_key_nothing_opens_or_seals(settings):
    settings.FIELD_KEYS = OLD
    card = a_card()
    settings.FIELD_KEYS = NEW

    with pytest.raises(KeyUnknown, match="wrapped by old, which FIELD_KEYS does not hold"):
        Card.objects.get(pk=card.pk).number.open()
    with pytest.raises(KeyUnknown, match="wrapped by old"), transaction.atomic():
        a_card("crd_2", "1")
    assert Card.objects.count() == 1


def test_a_wrapped_key_exchanged_for_another_does_not_open():
    value = seal_at("tea", place=PLACE, purpose="kyc")
    seal_at("tea", place=PLACE, purpose="files")
    theirs = DataKey.objects.get(purpose="files")
    DataKey.objects.filter(purpose="kyc").update(wrapped=theirs.wrapped)

    with pytest.raises(Tampered):
        unseal_at(value, place=PLACE)


def test_a_place_cannot_be_spelled_in_two_ways():
    with pytest.raises(ValueError, match="does not name a row"):
        Place("table", "column|row", "x")


def test_a_card_is_found_by_its_number_however_it_is_spelled():
    card = a_card()

    assert Card.objects.get(number_index="６２２２ 0212 3456 7890") == card
    assert not Card.objects.filter(number_index="6222021234567891").exists()


def test_the_same_number_is_not_held_twice():
    a_card()

    with pytest.raises(IntegrityError), transaction.atomic():
        a_card("crd_2", NUMBER.replace(" ", ""))


def test_the_index_has_a_key_of_its_own_and_differs_by_purpose():
    assert blind_index("1", purpose="cards") != blind_index("1", purpose="phones")
    a_card()

    assert sorted(DataKey.objects.values_list("use", "purpose")) == [
        ("indexing", "cards"), ("indexing", "phones"), ("sealing", "cards"),
    ]  # fmt: skip


def test_a_data_key_that_was_replaced_never_seals_again():
    a_card()
    key = DataKey.objects.get(use="sealing")
    key.move(DataKeyState.RETIRING, at=NOON)
    key.move(DataKeyState.RETIRED, at=NOON)

    with pytest.raises(ValueError, match="does not go from retired to active"):
        key.move(DataKeyState.ACTIVE, at=NOON)


def test_forms_do_not_offer_a_sealed_column():
    assert [f.name for f in Card._meta.fields if f.editable] == ["id", "public_id"]
    with pytest.raises(ValidationError):
        Card(public_id="").full_clean()
