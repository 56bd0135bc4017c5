"""Whatever is killed or stopped while customers pay: no fen and no callback is lost."""

import os
import signal

import pytest

from payments.callbacks.claiming import LEASE
from tests.journeys.running import Part, Platform, eventually, kill
from tests.journeys.shop import Receiver, by_type
from tests.journeys.trickle import PAID_AT_GATEWAY, Trickle, customers

pytestmark = [pytest.mark.process, pytest.mark.slow]

SECONDS = 50.0
TOLD_SECONDS = SECONDS + LEASE.total_seconds()
"""What a dispatcher held when the database went away comes when its lease has ended."""
BEFORE, AFTER = 4, 6
"""How many orders must be paid before and after something breaks."""


def more_paid(trickle: Trickle, count: int, *, seconds: float = SECONDS) -> bool:
    """Wait until so many more orders were paid at the gateways."""
    goal = len(trickle.paid) + count
    return eventually(lambda: len(trickle.paid) >= goal, seconds=seconds)


def came_back(platform: Platform, part: Part, before: list[int]) -> bool:
    """Whether a service runs again, with none of its killed processes."""
    now = platform.processes(part)
    return bool(now) and not set(now) & set(before) and platform.is_ready()


def assert_all_is_well(platform: Platform, receiver: Receiver, trickle: Trickle) -> None:
    """Gateways, books, trail and merchant tell one story. First let the platform catch up."""
    assert trickle.troubles == []
    mine = set(trickle.ordered)
    eventually(lambda: not unsettled(platform, mine), seconds=SECONDS, every=0.3)
    eventually(lambda: not untold(receiver, trickle), seconds=TOLD_SECONDS, every=0.3)
    assert unsettled(platform, mine) == []
    assert untold(receiver, trickle) == []
    for command, said in (("check_books", "The books hold."), ("verify_audit", "is whole")):
        verdict = platform.manage(command)
        assert verdict.returncode == 0, verdict.stderr
        assert said in verdict.stdout


def unsettled(platform: Platform, mine: set[str]) -> list[str]:
    """Orders that the gateways hold money for and the platform does not show as paid once, and
    orders that are paid here and not there.
    """
    held = {
        reference: int(minor)
        for reference, _, minor in platform.ask(PAID_AT_GATEWAY)
        if reference in mine and int(minor) > 0
    }
    paid = {
        number: int(minor)
        for number, minor in platform.ask(
            "select public_id, amount_minor from payments_payment where state = 'paid'"
        )
        if number in mine
    }
    return sorted(number for number in mine if held.get(number) != paid.get(number))


def untold(receiver: Receiver, trickle: Trickle) -> list[str]:
    """Orders that were paid, and whose merchant has not heard of it exactly once."""
    return [
        number
        for number in trickle.paid
        if by_type(receiver.events_of(number)) != {"payment.paid": 1}
    ]


@pytest.mark.parametrize("part", list(Part), ids=lambda part: part.name.lower())
def test_a_service_is_killed_with_all_its_processes(platform, receiver, part):
    with customers(platform, receiver) as trickle:
        assert more_paid(trickle, BEFORE)
        before = platform.processes(part)
        assert before != []

        kill(before)

        assert eventually(lambda: came_back(platform, part, before), seconds=SECONDS)
        assert more_paid(trickle, AFTER)
    assert_all_is_well(platform, receiver, trickle)


@pytest.mark.parametrize("part", [Part.WEB, Part.WORKER], ids=lambda part: part.name.lower())
def test_only_the_children_of_a_service_are_killed(platform, receiver, part):
    with customers(platform, receiver) as trickle:
        assert more_paid(trickle, BEFORE)
        # The platform is ready when the web answers; a worker forks its children a little later.
        assert eventually(lambda: len(platform.processes(part)) > 1, seconds=SECONDS)
        parent, *children = platform.processes(part)

        kill(children)

        def has_new_ones() -> bool:
            now = platform.processes(part)
            return len(now) > len(children) and not set(now) & set(children)

        assert eventually(has_new_ones, seconds=SECONDS)
        assert platform.processes(part)[0] == parent
        assert more_paid(trickle, AFTER)
    assert_all_is_well(platform, receiver, trickle)


def test_redis_hangs_and_customers_pay_on(platform, receiver):
    with customers(platform, receiver) as trickle:
        assert more_paid(trickle, BEFORE)
        redis = platform.processes(Part.REDIS)
        kill(redis, signal.SIGSTOP)
        try:
            assert more_paid(trickle, 5 * AFTER), "customers must not wait for Redis"
        finally:
            kill(redis, signal.SIGCONT)
        assert more_paid(trickle, AFTER)
    assert platform.processes(Part.REDIS) == redis
    assert_all_is_well(platform, receiver, trickle)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL], ids=lambda by: by.name)
def test_postgresql_is_restarted(platform, receiver, by):
    with customers(platform, receiver) as trickle:
        assert more_paid(trickle, BEFORE)
        before = platform.postmaster

        os.kill(before, by)

        assert eventually(
            lambda: platform.postmaster not in {0, before} and platform.is_ready(), seconds=SECONDS
        )
        assert more_paid(trickle, AFTER)
    assert_all_is_well(platform, receiver, trickle)


def test_a_callback_that_was_in_the_hands_of_a_killed_dispatcher_comes_again(
    platform, receiver, shop
):
    payment = shop.create()
    shop.choose(payment, "wechatpay")
    receiver.open.clear()
    try:
        shop.control("wechatpay", "pay", payment=payment["id"])
        first = receiver.wait_for(payment["id"], "payment.paid")
        before = platform.processes(Part.DISPATCHER)

        kill(before)

        assert eventually(lambda: came_back(platform, Part.DISPATCHER, before), seconds=SECONDS)
    finally:
        receiver.open.set()
    assert shop.event_states(payment["id"]) == {"payment.paid": "pending"}

    # A minute passes: the dead dispatcher's lease ends.
    platform.ask("update payments_callback set lease_until = now() where lease_until > now()")

    assert eventually(lambda: shop.event_states(payment["id"]) == {"payment.paid": "delivered"})
    assert receiver.ids.count(first["id"]) == 2
