"""When callbacks are tried again, and where they may go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.callbacks.rules import JITTER, WAITS, is_allowed_address, next_try

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_the_schedule_is_the_published_one():
    minutes = [0.25, 0.25, 0.5, 3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360]
    assert list(WAITS) == [m * 60 for m in minutes] + [86400] * 3


@given(st.integers(1, len(WAITS)), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_shorter_and_a_little_longer_at_most(tries, chance):
    again = next_try(tries, at=NOON, chance=chance)
    assert again is not None
    wait = timedelta(seconds=WAITS[tries - 1])
    assert wait <= again - NOON <= wait * (1 + JITTER)


def test_after_the_last_wait_it_is_given_up():
    assert next_try(len(WAITS) + 1, at=NOON, chance=0.5) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:10.0.0.1", "2002:0a00:0001::", "64:ff9b::a00:1", "2001:db8::1",
        "localhost", "", "1.2.3", "127.1",
    ],
)  # fmt: skip
def test_our_own_networks_are_out_of_reach(address):
    assert not is_allowed_address(address, loopback=False)
    assert not is_allowed_address(address, loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_the_demo_only(address):
    assert is_allowed_address(address, loopback=True)
    assert not is_allowed_address(address, loopback=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "223.5.5.5"])
def test_public_addresses_are_allowed(address):
    assert is_allowed_address(address, loopback=False)
