"""The arithmetic of the audit chain."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compliance.audit.chain import GENESIS, Entry, canonical, link

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
moments = st.datetimes(timezones=st.just(UTC))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
entries = st.builds(
    Entry,
    id=st.integers(min_value=1),
    at=moments,
    actor_kind=words,
    actor_id=words,
    actor_label=words,
    address=words,
    action=words,
    subject_kind=words,
    subject_id=words,
    facts=st.dictionaries(words, values, max_size=3).map(json.dumps),
    reason=words,
    version=st.sampled_from([1, 2]),
    person=st.none() | st.integers(min_value=1),
    role=words,
    agent=words,
    before=st.dictionaries(words, values, max_size=3).map(json.dumps),
    after=st.dictionaries(words, values, max_size=3).map(json.dumps),
)

TEA = Entry(
    id=7,
    at=datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
    actor_kind="user",
    actor_id="3",
    actor_label="lin",
    address="198.51.100.7",
    action="payment.paid",
    subject_kind="payment",
    subject_id="pay_1",
    facts='{"amount": 12800}',
    reason="",
)


@given(entries, entries, st.sampled_from(dataclasses.fields(Entry)))
def test_a_change_of_any_single_field_changes_the_hash(entry, other, field):
    value = getattr(other, field.name)
    assume(value != getattr(entry, field.name))
    if field.name in {"facts", "before", "after"}:
        assume(json.loads(value) != json.loads(getattr(entry, field.name)))

    changed = dataclasses.replace(entry, **{field.name: value})

    assert link(GENESIS, changed) != link(GENESIS, entry)


@given(entries, st.binary(min_size=32, max_size=32))
def test_the_hash_holds_everything_before_it(entry, previous):
    assert (link(previous, entry) == link(GENESIS, entry)) is (previous == GENESIS)


def test_text_cannot_be_pushed_from_one_field_into_the_next():
    one = dataclasses.replace(TEA, actor_id="3", actor_label="lin")
    two = dataclasses.replace(TEA, actor_id="3l", actor_label="in")

    assert link(GENESIS, one) != link(GENESIS, two)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": 1.5}', '{"a": "1.5"}'),
        ('{"a": 1.50}', '{"a": 1.5}'),
        ('{"a": null}', "{}"),
        ('{"a": true}', '{"a": 1}'),
        ('{"a": []}', '{"a": {}}'),
    ],
)
def test_values_that_look_alike_are_told_apart(before, after):
    one, two = (dataclasses.replace(TEA, facts=facts) for facts in (before, after))

    assert link(GENESIS, one) != link(GENESIS, two)


def test_the_order_and_spacing_of_facts_do_not_matter():
    one = dataclasses.replace(TEA, facts='{"a": 1, "b": {"c": 2, "d": 3}}')
    two = dataclasses.replace(TEA, facts='{"b":{"d":3,"c":2},"a":1}')

    assert canonical(one) == canonical(two)


def test_the_zone_in_which_a_time_is_read_does_not_matter():
    shanghai = TEA.at.astimezone(timezone(timedelta(hours=8)))

    assert canonical(dataclasses.replace(TEA, at=shanghai)) == canonical(TEA)


def test_the_canonical_form_never_changes():
    # An export sealed today must verify in ten years: this line may not be edited.
    assert link(GENESIS, TEA).hex() == (
        "905ca81b325a3b4698f180f42adbb5d57c8cce7f1a02f010fb991ef1292f6aec"
    )


def test_the_second_form_never_changes_either():
    newer = dataclasses.replace(
        TEA, version=2, person=3, role="operator", agent="Firefox",
        before='{"status": "active"}', after='{"status": "suspended"}',
    )  # fmt: skip
    assert link(GENESIS, newer).hex() == (
        "752dc04b1c7c23579e46035084605cfe18a2e5669b3435a3e435d15c5f27603e"
    )


@pytest.mark.parametrize(
    "more",
    [{"person": 3}, {"role": "x"}, {"agent": "x"}, {"before": '{"a": 1}'}, {"after": '{"a": 1}'}],
)
def test_an_entry_of_the_first_form_cannot_be_given_what_only_newer_ones_have(more):
    assert link(GENESIS, dataclasses.replace(TEA, **more)) != link(GENESIS, TEA)
