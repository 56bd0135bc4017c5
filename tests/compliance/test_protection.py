"""Sealed columns: what opens, what does not, and how keys rotate."""

import base64

import pytest
from django.core.checks import run_checks
from hypothesis import given
from hypothesis import strategies as st

from compliance.protection.errors import KeysMalformed, KeyUnknown, Tampered
from compliance.protection.fields import key_id_of, keyed_digest, keyed_digests, seal, unseal
from compliance.protection.keys import parse_keys

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
ROW = "channel:alipay-main"

texts = st.text(st.characters(codec="utf-8"))


@given(texts, texts)
def test_what_is_sealed_for_a_row_opens_for_that_row(text, row):
    assert unseal(seal(text, bound_to=row), bound_to=row) == text


def test_the_same_text_is_never_sealed_twice_alike():
    assert seal("secret", bound_to=ROW) != seal("secret", bound_to=ROW)


def test_a_sealed_value_names_its_version_and_key_and_hides_its_text(settings):
    settings.FIELD_KEYS = NEW

    value = seal("secret", bound_to=ROW)

    assert value.startswith("v1.new.")
    assert "secret" not in value
    assert key_id_of(value) == "new"


def test_a_value_moved_to_another_row_does_not_open():
    value = seal("the key of the first channel", bound_to="channel:first")

    with pytest.raises(Tampered):
        unseal(value, bound_to="channel:second")


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_noticed(place, change):
    head, _, body = seal("128.00 yuan", bound_to=ROW).rpartition(".")
    sealed = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    sealed[place % len(sealed)] ^= change
    forged = f"{head}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    with pytest.raises(Tampered):
        unseal(forged, bound_to=ROW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain text",
        "v1",
        "v1..",
        "v1.demo",
        "v1.demo.",
        "v1.demo.AAAA",
        "v1.demo.*",
        "v2.demo.AA",
    ],
)
def test_what_is_not_a_sealed_value_is_refused_and_never_taken_for_text(value):
    with pytest.raises(Tampered):
        unseal(value, bound_to=ROW)


def test_after_a_new_key_is_put_first_old_values_open_and_new_ones_use_it(settings):
    settings.FIELD_KEYS = OLD
    before = seal("secret", bound_to=ROW)

    settings.FIELD_KEYS = f"{NEW},{OLD}"
    after = seal("secret", bound_to=ROW)

    assert (unseal(before, bound_to=ROW), unseal(after, bound_to=ROW)) == ("secret", "secret")
    assert (key_id_of(before), key_id_of(after)) == ("old", "new")


def test_a_value_whose_key_was_dropped_says_which_key_is_missing(settings):
    settings.FIELD_KEYS = OLD
    value = seal("secret", bound_to=ROW)
    settings.FIELD_KEYS = NEW

    with pytest.raises(KeyUnknown, match="old"):
        unseal(value, bound_to=ROW)


def test_a_value_that_claims_another_key_does_not_open(settings):
    settings.FIELD_KEYS = f"{NEW},{OLD}"
    value = seal("secret", bound_to=ROW).replace("v1.new.", "v1.old.")

    with pytest.raises(Tampered):
        unseal(value, bound_to=ROW)


def test_digests_differ_by_purpose_and_by_key_and_are_found_while_keys_rotate(settings):
    settings.FIELD_KEYS = OLD
    kept = keyed_digest(b"sk_test_1", purpose="api key")
    assert kept != keyed_digest(b"sk_test_1", purpose="something else")

    settings.FIELD_KEYS = f"{NEW},{OLD}"

    current, *others = keyed_digests(b"sk_test_1", purpose="api key")
    assert current != kept
    assert others == [kept]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "key 1 does not start with an id"),
        ("nothing", "key 1 does not start with an id"),
        (":AAAA", "key 1 does not start with an id"),
        ("a:***", "key a is not base64"),
        ("a:AAAA", "key a has 3 bytes instead of 32"),
        (f"{OLD},", "key 2 does not start with an id"),
        (f"{OLD},{OLD}", "key id old is used twice"),
    ],
)
def test_malformed_keys_are_named_without_being_shown(text, why):
    with pytest.raises(KeysMalformed, match=why):
        parse_keys(text)


def test_the_platform_does_not_start_with_malformed_keys(settings):
    settings.FIELD_KEYS = "a:not-base64"

    found = [message for message in run_checks() if message.id == "compliance.E001"]

    assert [message.msg for message in found] == ["FIELD_KEYS cannot be used: key a is not base64."]
