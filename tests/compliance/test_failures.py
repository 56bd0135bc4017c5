"""Tries that failed are in the trail, and a flood of them is not."""

from time import monotonic

import pytest
from django.test import Client

from compliance import limits
from compliance.audit.models import AuditEntry
from compliance.identity import failures
from compliance.limits import KEPT_MAX
from tests.compliance.people import PASSWORD, hire

pytestmark = pytest.mark.django_db

WRONG = "autumn tea after the rain"


class Clock:
    """Stands still in the middle of a minute, so that no story crosses into the next one."""

    now = 1_800_000_030.0

    def time(self) -> float:
        return self.now

    monotonic = staticmethod(monotonic)


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    failures.forget()
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


@pytest.fixture
def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def knock(browser: Client, name: str, password: str = WRONG, **more):
    return browser.post("/signin/", {"username": name, "password": password}, **more)


def told(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


def test_a_wrong_password_for_a_known_name_is_told_of_the_person(browser):
    lin = hire("lin").user

    knock(browser, "lin", REMOTE_ADDR="198.51.100.7")

    [entry] = told("signin.failed")
    assert (entry.subject_kind, entry.subject_id) == ("user", str(lin.pk))
    assert (entry.actor_id, entry.address) == ("", "198.51.100.7")
    assert entry.facts == {"username": "lin", "known": True}


def test_an_unknown_name_is_told_cut_and_cleaned_and_no_password_ever(browser):
    knock(browser, "x\r\nevil\u202e" + "y" * 100)

    [entry] = told("signin.failed")
    assert entry.facts["known"] is False
    assert entry.subject_id == ""
    assert len(entry.facts["username"]) == 64
    assert entry.facts["username"].isprintable()
    assert WRONG not in str(AuditEntry.objects.values())


def test_a_right_password_is_no_failure(browser):
    hire("lin")

    knock(browser, "lin", PASSWORD)

    assert told("signin.failed") == []


def test_one_account_and_address_write_one_entry_a_minute(browser, settings):
    settings.AXES_FAILURE_LIMIT = 100
    for _try in range(4):
        knock(browser, "lin")
    knock(browser, "yun")
    knock(browser, "lin", REMOTE_ADDR="198.51.100.8")

    assert [(entry.facts["username"], entry.address) for entry in told("signin.failed")] == [
        ("lin", "127.0.0.1"), ("yun", "127.0.0.1"), ("lin", "198.51.100.8"),
    ]  # fmt: skip


def test_what_came_in_between_is_counted_in_the_next_entry(browser, settings, clock):
    settings.AXES_FAILURE_LIMIT = 100
    for _try in range(4):
        knock(browser, "lin")
    clock.now += 60
    knock(browser, "lin")

    assert [entry.facts.get("repeats") for entry in told("signin.failed")] == [None, 3]


def test_the_door_that_closes_is_told_once(browser):
    lin = hire("lin").user
    for _try in range(7):
        knock(browser, "lin")

    [entry] = told("signin.locked")
    assert entry.subject_id == str(lin.pk)
    assert len(told("signin.failed")) == 1


def test_a_wrong_code_is_told(browser):
    lin = hire("lin")
    lin.type_password(browser)

    browser.post("/signin/code/", {"code": "000000"})

    assert [entry.subject_id for entry in told("second_factor.refused")] == [str(lin.user.pk)]


@pytest.mark.parametrize("page", ["/compliance/", "/admin/compliance/user/add/"])
def test_a_page_above_ones_role_is_told_once_a_minute(browser, page):
    gu = hire("gu", roles=["finance"])
    gu.sign_in(browser)

    answers = [browser.get(page).status_code for _try in range(3)]

    assert answers == [403, 403, 403]
    [entry] = told("access.refused")
    assert (entry.actor_label, entry.subject_id) == ("gu", str(gu.user.pk))
    assert entry.facts == {"path": page, "method": "GET"}


def test_strangers_who_are_sent_to_the_signin_are_not_told(browser):
    assert browser.post("/compliance/audit/export/").status_code == 302

    assert told("access.refused") == []


def test_the_memory_of_repeats_is_bounded(browser, settings):
    settings.AXES_FAILURE_LIMIT = 100
    failures._repeats.update({("x", str(number), ""): 1 for number in range(KEPT_MAX)})
    knock(browser, "lin")
    knock(browser, "lin")

    assert len(failures._repeats) == 1
