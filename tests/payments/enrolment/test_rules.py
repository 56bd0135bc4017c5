"""The table of moves, the waits, and the fields of both gateways against the merchant's file."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.sections import SECTIONS
from merchants.onboarding.words import DOCUMENTS
from payments.channels.alipay import enrolment_fields as alipay
from payments.channels.enrolling import (
    Fixed,
    MerchantFile,
    Row,
    applies,
    lacking,
    members_of,
    ours_of,
)
from payments.channels.wechatpay import enrolment_fields as wechatpay
from payments.enrolment.rules import ASK_AFTER, ask_again_at, days_left
from payments.enrolment.states import ASKED, ENDED, MOVES, OF_STAND, EnrolmentState
from payments.enrolment.words import NEXT, field_label
from tests.cast import NOON
from tests.channels.enrolling import EXTRAS, PAPERS, VALUES

GATEWAYS = [wechatpay, alipay]
OWN = {"owners.legal_person", "channel.app"}


@pytest.mark.parametrize("gateway", GATEWAYS, ids=["wechatpay", "alipay"])
def test_every_row_reads_something_that_a_file_or_the_desk_can_say(gateway) -> None:
    known = {f"{s.name}.{f.name}" for s in SECTIONS.values() if not s.is_list for f in s.fields}
    known |= {f"documents.{kind}" for kind in DOCUMENTS} | OWN
    known |= {extra.key for extra in gateway.EXTRAS}
    rows = [row for row in gateway.TABLE if isinstance(row, Row)]
    assert {row.ours for row in rows} - known == set()
    used = {row.ours for row in rows}
    assert [extra.name for extra in gateway.EXTRAS if extra.key not in used] == []
    assert [row.ours for row in rows if field_label(row.ours, gateway.EXTRAS) == row.ours] == []


@pytest.mark.parametrize("gateway", GATEWAYS, ids=["wechatpay", "alipay"])
@given(
    entity=st.sampled_from(["enterprise", "individual", "institution"]),
    place=st.sampled_from(["shop", "site", "app"]),
    kind=st.sampled_from(["company", "personal"]),
)
def test_the_way_there_and_the_way_back_agree(gateway, entity, place, kind) -> None:
    values = VALUES | {f"extra.{name}": text for name, text in EXTRAS.items()} | {
        "entity.entity": entity, "business.place": place, "account.kind": kind,
        "account.card_number": "6228480402564890018", "channel.app": "wx1",
    }  # fmt: skip
    pictures = {f"documents.{one}": (f"mark-{one}",) for one in PAPERS}
    file = MerchantFile(number="ENR1", values=values, pictures=pictures)
    assert lacking(gateway.TABLE, file) == []
    assert members_of(gateway.TABLE, file)
    for row in gateway.TABLE:
        if not isinstance(row, Fixed) and applies(row.when, values):
            assert ours_of(gateway.TABLE, row.theirs, values) == row.ours


@given(st.sampled_from(sorted(VALUES)))
def test_what_is_left_out_is_found_lacking(left_out) -> None:
    pictures = {f"documents.{one}": (f"mark-{one}",) for one in PAPERS}
    values = VALUES | {f"extra.{name}": text for name, text in EXTRAS.items()}
    values["channel.app"] = "wx1"
    wanted = {
        row.ours for row in wechatpay.TABLE
        if isinstance(row, Row) and row.is_required and applies(row.when, values)
    }  # fmt: skip
    short = {name: text for name, text in values.items() if name != left_out}
    file = MerchantFile(number="ENR1", values=short, pictures=pictures)
    found = lacking(wechatpay.TABLE, file)
    is_choice = any(row.when and row.when[0] == left_out for row in wechatpay.TABLE)
    assert is_choice or (left_out in found) == (left_out in wanted)


def test_every_state_is_reached_and_every_end_is_one() -> None:
    reached = {to for ways in MOVES.values() for to in ways}
    assert set(EnrolmentState) - reached == set()
    assert set(MOVES) == set(EnrolmentState) == set(NEXT)
    assert MOVES[EnrolmentState.CANCELLED] == frozenset()
    assert MOVES[EnrolmentState.FINISHED] == {EnrolmentState.FROZEN}
    assert ASKED.isdisjoint(ENDED)
    assert set(OF_STAND.values()) <= MOVES[EnrolmentState.SUBMITTED]


@given(st.integers(0, 1000))
def test_waits_grow_and_then_stay(asked) -> None:
    wait = ask_again_at(asked, at=NOON) - NOON
    assert ask_again_at(asked + 1, at=NOON) - NOON >= wait
    assert ASK_AFTER[0] <= wait <= timedelta(hours=6)


@given(st.integers(-400, 400))
def test_days_left_never_fall_below_none(days) -> None:
    today = date(2026, 11, 23)
    assert days_left(today + timedelta(days=days), on=today) == max(days, 0)
