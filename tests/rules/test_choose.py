"""The choice of a channel: the first that nothing speaks against, and a reason for each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.channels.configuration import Offers
from payments.routing.choose import Ask, Candidate, Why, choose

ASK = Ask(method="alipay", gateway="alipay", amount_minor=12800, merchant="mch_tea")


def channel(code="one", **changes) -> Candidate:
    given = {"id": 1, "gateway": "alipay", "offers": Offers(), "is_active": True, "may_try": True}
    return Candidate(**{"code": code, **given, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_active": False}, Why.STOPPED),
        ({"offers": Offers(methods=("alipay_page",))}, Why.METHOD),
        ({"offers": Offers(merchants=("mch_books",))}, Why.MERCHANT),
        ({"offers": Offers(amount_min_minor=12801)}, Why.BELOW),
        ({"offers": Offers(amount_max_minor=12799)}, Why.ABOVE),
        ({"may_try": False}, Why.FAILING),
        ({"is_active": False, "may_try": False}, Why.STOPPED),
    ],
)
def test_what_speaks_against_a_channel_is_told_and_the_next_one_serves(changes, why):
    choice = choose([channel(**changes), channel("two")], ASK)
    assert choice.channel is not None
    assert choice.channel.code == "two"
    assert choice.passed == (("one", why),)
    assert choose([channel(**changes)], ASK).reason == str(why)


def test_limits_include_their_ends_and_other_gateways_are_not_spoken_of():
    fits = channel(offers=Offers(amount_min_minor=12800, amount_max_minor=12800))
    choice = choose([channel("other", gateway="wechatpay"), fits], ASK)
    assert choice.to_json() == {"channel": "one", "is_trial": False, "passed": []}
    assert choose([], ASK).reason == "no_channel"


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=8))
def test_the_choice_is_the_first_that_can_serve_and_never_one_that_cannot(facts):
    rows = [channel(f"c{n}", is_active=a, may_try=t) for n, (a, t) in enumerate(facts)]
    choice = choose(rows, ASK)
    able = [row for row in rows if row.is_active and row.may_try]
    assert choice.channel == (able[0] if able else None)
    assert len(choice.passed) == (rows.index(able[0]) if able else len(rows))
