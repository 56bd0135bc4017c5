"""When callbacks are tried again, and where they may go."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.callbacks.rules import (
    JITTER,
    RETRY_AFTER_MAX,
    WAITS,
    address_flaw,
    is_allowed_address,
    next_try,
    wait_asked,
)

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


@given(st.integers(0, 10**12))
def test_a_wait_in_seconds_is_obeyed_up_to_a_day(seconds):
    until = wait_asked(str(seconds), at=NOON)
    if seconds == 0:
        assert until is None
    else:
        assert until == NOON + min(timedelta(seconds=min(seconds, 10**9)), RETRY_AFTER_MAX)


@given(st.integers(-(10**6), 10**6))
def test_a_wait_as_a_date_is_obeyed_up_to_a_day(seconds):
    named = NOON + timedelta(seconds=seconds)
    until = wait_asked(format_datetime(named, usegmt=True), at=NOON)
    assert until == (min(named, NOON + RETRY_AFTER_MAX) if seconds > 0 else None)


@given(st.text(max_size=64))
def test_a_senseless_wait_is_none_or_bounded(header):
    until = wait_asked(header, at=NOON)
    assert until is None or NOON < until <= NOON + RETRY_AFTER_MAX


@pytest.mark.parametrize(
    "header", ["", "soon", "-1", "1.5", "0x10", "٣", "Mon, 99 Foo 2026 00:00:00 GMT",
               "Mon, 23 Nov 2026 04:00:01 +99999999"],
)  # fmt: skip
def test_nonsense_is_no_wait(header):
    assert wait_asked(header, at=NOON) is None


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("https://shop.example/hook", ""), ("http://shop.example/", "url_not_https"),
        ("", "url_malformed"), ("shop.example", "url_malformed"), ("https://", "url_malformed"),
        ("https://me@shop.example/", "url_malformed"), ("https://shop.example:0/", "url_malformed"),
        ("https://shop.example:99999/", "url_malformed"), ("https://[::1/", "url_malformed"),
        ("https://shop.example/a b", "url_malformed"), ("https://店.example/", "url_malformed"),
        ("https://shop.example\\@evil/", "url_malformed"), ("ftp://shop.example/", "url_not_https"),
    ],
)  # fmt: skip
def test_addresses(text, flaw):
    assert address_flaw(text, plain_http=False) == flaw
