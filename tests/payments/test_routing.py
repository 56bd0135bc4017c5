"""A channel fails or is stopped: attempts fall to the next one, and the page says what is not to be
had.
"""

from datetime import timedelta

import pytest

from compliance.audit.actor import SYSTEM
from compliance.models import AuditEntry
from payments.acquiring.attempts import MethodUnavailable
from payments.acquiring.queries import find_checkout
from payments.acquiring.tokens import checkout_token
from payments.channels.configuring import configure_channel
from payments.channels.models import Channel
from payments.channels.registry import forget
from payments.models import Attempt, ChannelHealth
from payments.routing.breaker import FAILED_MIN, WAIT
from tests.cast import choose, later, order
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def spare(tea) -> Channel:
    """A second channel on the first gateway."""
    return configure_channel(
        code="spare", gateway="first", name="Spare", livemode=False, credentials={},
        base_url="https://scripted.example", front_url="https://scripted.example", actor=SYSTEM,
    )  # fmt: skip


def offered(payment, method="first", *, at=None):
    checkout = find_checkout(token=checkout_token(payment.id), at=at or later(11))
    return next(one for one in checkout.methods if one.code == method)


@pytest.mark.parametrize("fault", ["our_fault", "unsent"])
def test_a_channel_that_certainly_did_nothing_is_followed_by_the_next(tea, spare, sound, fault):
    script_of("first").faults.append(fault)
    payment = order(tea)
    attempt = choose(payment)
    assert (attempt.channel.code, attempt.state) == ("spare", "open")
    assert attempt.choice == {
        "channel": "spare", "is_trial": False,
        "passed": [{"channel": "first", "why": "channel_refused_before"}],
    }  # fmt: skip
    states = Attempt.objects.order_by("pk").values_list("state", flat=True)
    assert [*states] == ["failed", "open"]
    sound()


@pytest.mark.parametrize("fault", ["before", "after", "reject"])
def test_where_money_may_have_moved_or_the_order_is_refused_no_other_is_tried(tea, spare, fault):
    script_of("first").faults.append(fault)
    assert choose(order(tea)).channel.code == "first"
    assert Attempt.objects.count() == 1
    assert script_of("spare").calls == []


def test_without_another_channel_a_call_that_was_not_sent_stays_unknown(tea):
    script_of("first").faults.append("unsent")
    assert choose(order(tea)).state == "unknown"


def test_a_failing_channel_is_taken_out_greyed_and_comes_back_by_itself(tea):
    script_of("first").faults.extend(["before"] * FAILED_MIN)
    for number in range(FAILED_MIN):
        choose(order(tea, f"F{number}"))
    forget()
    assert ChannelHealth.objects.get().state == "open"
    payment = order(tea, "next")
    assert (offered(payment).is_available, offered(payment).reason) == (False, "channel_failing")
    with pytest.raises(MethodUnavailable) as refusal:
        choose(payment)
    assert refusal.value.facts["reason"] == "channel_failing"

    back = later(11) + WAIT
    attempt = choose(payment, at=back)
    assert attempt.choice is not None
    assert attempt.choice["is_trial"] is True
    assert ChannelHealth.objects.get().state == "closed"
    forget()
    assert offered(payment, at=back).is_available
    deeds = AuditEntry.objects.filter(action__in=["channel.taken_out", "channel.came_back"])
    assert [*deeds.order_by("pk").values_list("action", flat=True)] == [
        "channel.taken_out", "channel.came_back",
    ]  # fmt: skip


def test_only_one_attempt_tries_a_channel_that_failed(tea):
    script_of("first").faults.extend(["before"] * FAILED_MIN)
    for number in range(FAILED_MIN):
        choose(order(tea, f"F{number}"))
    forget()
    back = later(11) + WAIT
    script_of("first").faults.append("reject")
    Channel.objects.get(code="first")
    ChannelHealth.objects.update(state="half_open", retry_at=back + timedelta(seconds=1))
    with pytest.raises(MethodUnavailable):
        choose(order(tea, "second"), at=back)


def test_a_stop_in_another_process_counts_at_once_even_before_it_is_read(tea, spare):
    first, second = order(tea, "one"), order(tea, "two")
    assert choose(first).channel.code == "first"
    Channel.objects.filter(code="first").update(state="killed")
    assert choose(second).channel.code == "spare"


def test_limits_and_merchants_of_a_channel_hold(tea, books):
    channel = Channel.objects.get(code="first")
    channel.offers = {"amount_max_minor": 20000, "merchants": [tea.merchant.public_id]}
    channel.save()
    forget()
    assert offered(order(tea)).is_available
    assert offered(order(books)).reason == "merchant_not_allowed"


def test_reading_the_page_costs_no_query_more_than_before(tea, django_assert_num_queries):
    payment = order(tea)
    offered(payment)
    with django_assert_num_queries(1):
        offered(payment)
