"""Whoever tries too often waits, nobody else does, and doors stay shut when nobody can count."""

import secrets
import time

import pytest
from django.core.cache import caches
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway

from compliance import limits
from compliance.limits import TooMany, give_back, spend
from tests.compliance.people import hire


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def _limits_of_this_story(settings):
    settings.LIMITS = {
        **settings.LIMITS,
        "door": (3, 60, "closed"),
        "shop": (3, 60, "local"),
        "calls": (25, 60, "local"),
    }  # fmt: skip


def allowed(limit: str, doer: str, tries: int, **more) -> int:
    """How many of so many tries were let through."""
    done = 0
    for _ in range(tries):
        try:
            spend(limit, doer, **more)
        except TooMany:
            continue
        done += 1
    return done


def test_so_many_and_no_more_until_the_window_has_passed(clock):
    assert allowed("door", "lin", 10) == 3
    assert allowed("door", "wang", 10) == 3
    with pytest.raises(TooMany) as told:
        spend("door", "lin")
    assert 0 < told.value.wait_seconds <= 61
    clock.now += told.value.wait_seconds
    assert allowed("door", "lin", 10) == 3


@pytest.mark.parametrize("lot", [1, 2, 10, 30])
def test_lots_allow_one_process_no_more(clock, lot):
    assert allowed("calls", "key_1", 100, lot=lot) == 25
    clock.now += 60
    assert allowed("calls", "key_1", 100, lot=lot) == 25


def test_what_is_given_back_was_never_counted(clock):
    for _ in range(10):
        spend("door", "lin")
        give_back("door", "lin")
    assert allowed("door", "lin", 2) == 2
    limits.forget()  # Another process.
    assert allowed("door", "lin", 2) == 1
    give_back("door", "lin")
    assert allowed("door", "lin", 1) == 0, "who waits is let in no sooner"
    give_back("door", "wang")
    clock.now += 60
    give_back("door", "lin")
    assert allowed("door", "lin", 10) == 3
    assert allowed("door", "wang", 10) == 3


def test_processes_share_the_count(clock):
    assert allowed("calls", "key_1", 12, lot=10) == 12
    limits.forget()  # Another process: it does not know of the two that were not told yet.
    assert allowed("calls", "key_1", 100, lot=10) == 15


def test_the_store_that_processes_share_counts_the_same(clock, monkeypatch):
    clock.now = time.time()
    monkeypatch.setattr(limits, "caches", {"default": caches["shared"]})
    doer = secrets.token_hex(8)
    assert allowed("calls", doer, 12, lot=10) == 12
    limits.forget()
    assert allowed("calls", doer, 100, lot=10) == 15


@pytest.fixture
def away(monkeypatch):
    """The shared store does not answer."""
    asked = []

    def incr(*args, **kwargs):
        asked.append(args)
        raise RedisAway

    monkeypatch.setattr(caches["default"], "incr", incr)
    return asked


def test_without_the_store_doors_are_closed_and_shops_count_alone(clock, away):
    with pytest.raises(TooMany) as told:
        spend("door", "lin")
    assert told.value.is_closed
    assert allowed("shop", "page", 10) == 3
    assert len(away) == 1, "a store that failed is not asked again and again"
    clock.now += limits.STORE_REST_SECONDS
    assert allowed("shop", "other page", 1) == 1
    assert len(away) == 2


@pytest.mark.django_db
class TestPages:
    """What people see."""

    def test_spraying_passwords_over_many_names_ends_with_a_wait(self, settings):
        settings.LIMITS = {**settings.LIMITS, "signin": (5, 900, "closed")}
        browser = Client(headers={"accept-language": "en"})
        answers = [
            browser.post("/signin/", {"username": f"name{n}", "password": "Spring2026!Spring"})
            for n in range(7)
        ]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert int(answers[-1]["Retry-After"]) > 0
        assert "Please wait a moment" in answers[-1].content.decode()
        assert browser.get("/signin/").status_code == 200
        elsewhere = Client(REMOTE_ADDR="192.0.2.77")
        assert elsewhere.post("/signin/", {"username": "lin", "password": "x"}).status_code == 200

    def test_an_office_behind_one_address_signs_in(self, settings):
        few = dict.fromkeys(("signin", "signin.name", "code"), (2, 900, "closed"))
        settings.LIMITS = {**settings.LIMITS, **few}
        people = [hire(f"person{number}") for number in range(4)]
        for person in people:
            assert person.sign_in(Client()).status_code == 302
        answers = [
            Client().post("/signin/", {"username": "person1", "password": "Spring2026!Spring"})
            for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert people[0].type_password(Client()).status_code == 429

    def test_right_codes_are_not_counted_and_wrong_ones_are(self, settings):
        settings.LIMITS = {**settings.LIMITS, "code": (2, 900, "closed")}
        person, browser = hire("lin"), Client()
        person.sign_in(browser)
        shown = [
            browser.post("/account/recovery/"),
            browser.post("/account/recovery/"),
        ]
        assert {answer.status_code for answer in shown} == {302}
        guesses = [browser.post(shown[-1]["Location"], {"code": "000000"}) for _ in range(3)]
        assert [answer.status_code for answer in guesses] == [200, 200, 429]

    def test_guessing_one_name_from_many_addresses_ends_with_a_wait(self, settings):
        settings.LIMITS = {**settings.LIMITS, "signin.name": (3, 3600, "closed")}
        answers = [
            Client(REMOTE_ADDR=f"192.0.2.{n}").post(
                "/signin/", {"username": spelling, "password": "Spring2026!Spring"}
            )
            for n, spelling in enumerate(["lin", "Lin", "LIN", "lin"])
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]

    def test_a_forged_forwarding_header_is_no_new_address(self, settings):
        settings.LIMITS = {**settings.LIMITS, "signin": (2, 900, "closed")}
        answers = [
            Client(headers={"x-forwarded-for": f"198.51.100.{n}"}).post(
                "/signin/", {"username": "a"}
            )
            for n in range(3)
        ]
        assert answers[-1].status_code == 429

    def test_nobody_signs_in_while_nobody_can_count(self, away):
        answer = Client(headers={"accept-language": "en"}).post("/signin/", {"username": "lin"})
        assert answer.status_code == 503
        assert "nobody can sign in just now" in answer.content.decode()

    def test_a_checkout_page_stays_open_without_the_store(self, away):
        assert Client().get("/pay/nonsense/status").status_code == 404
