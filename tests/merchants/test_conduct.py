"""One of the staff stops a merchant at once; letting it go on, and the end, take two."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from compliance.approvals.decide import approve
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from merchants.access import by_api_key, by_member, require
from merchants.accounts.conduct import ask_to_close, ask_to_resume
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import (
    add_member,
    close_merchant,
    register_merchant,
    resume_merchant,
    suspend_merchant,
)
from merchants.accounts.states import Role
from merchants.errors import AccessRefused, IllegalMove
from merchants.models import Merchant
from tests.cast import NOON, later
from tests.compliance.people import Person, confirm, hire
from tests.merchants.applying import actor_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea() -> Merchant:
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def operator() -> User:
    return hire("chen", roles=["operator"]).user


@pytest.fixture
def checker() -> User:
    return hire("zhao", has_device=False, roles=["operator_checker"]).user


def agree(request: Approval, person: User) -> Approval:
    return approve(number=request.public_id, checker=person, actor=actor_of(person), at=later(60))


def ask(verb: Callable[..., Approval], tea: Merchant, by: User) -> Approval:
    tea.refresh_from_db()
    return verb(merchant=tea, reason="papers seen", by=by, actor=actor_of(by), at=later(30))


def stop(tea: Merchant) -> None:
    suspend_merchant(merchant_id=tea.pk, reason="fraud?", actor=SYSTEM, at=NOON)
    tea.refresh_from_db()


def test_a_stopped_merchant_goes_on_when_two_say_so(tea, operator, checker):
    stop(tea)
    request = ask(ask_to_resume, tea, operator)
    tea.refresh_from_db()
    assert tea.status == "suspended"
    agree(request, checker)
    tea.refresh_from_db()
    assert (tea.status, tea.suspended_for, tea.suspended_at) == ("active", "", None)


def test_nobody_of_the_merchant_decides_about_it(tea, operator, checker):
    cousin = hire("cousin", has_device=False, person_ref=checker.person_ref).user
    add_member(merchant_id=tea.pk, user=cousin, role=Role.OWNER, actor=SYSTEM, at=NOON)
    stop(tea)
    with pytest.raises(ApprovalRefused, match="own_affair"):
        agree(ask(ask_to_resume, tea, operator), checker)


def test_the_end_voids_keys_and_leaves_reading(tea, operator, checker):
    lin = hire("lin", has_device=False).user
    add_member(merchant_id=tea.pk, user=lin, role=Role.OWNER, actor=SYSTEM, at=NOON)
    _, secret = create_api_key(
        merchant_id=tea.pk, livemode=False, label="", scopes=["payments.read"], actor=SYSTEM,
        at=NOON,
    )  # fmt: skip
    agree(ask(ask_to_close, tea, operator), checker)
    tea.refresh_from_db()
    assert (tea.status, tea.closed_at) == ("closed", later(60))
    with pytest.raises(AccessRefused, match="key_revoked"):
        by_api_key(secret, address="")
    access = by_member(lin, None, address="")
    require(access, "payments.read")
    with pytest.raises(AccessRefused, match="merchant_suspended"):
        require(access, "refunds.write")
    assert AuditEntry.objects.filter(action="merchant.closed").count() == 1


def test_what_has_ended_does_not_come_back(tea):
    close_merchant(merchant_id=tea.pk, reason="over", actor=SYSTEM, at=NOON)
    for verb in (suspend_merchant, resume_merchant, close_merchant):
        with pytest.raises(IllegalMove):
            verb(merchant_id=tea.pk, reason="x", actor=SYSTEM, at=NOON)
    with pytest.raises(IntegrityError, match="merchant_end_has_its_time"), transaction.atomic():
        Merchant.objects.update(closed_at=None)


def test_what_is_not_asked_for(tea, operator):
    with pytest.raises(IllegalMove):
        ask(ask_to_resume, tea, operator)
    stop(tea)
    with pytest.raises(IllegalMove):
        suspend_merchant(merchant_id=tea.pk, reason="again", actor=SYSTEM, at=NOON)
    close_merchant(merchant_id=tea.pk, reason="over", actor=SYSTEM, at=NOON)
    with pytest.raises(IllegalMove):
        ask(ask_to_close, tea, operator)


def test_it_was_closed_meanwhile(tea, operator, checker):
    stop(tea)
    request = ask(ask_to_resume, tea, operator)
    close_merchant(merchant_id=tea.pk, reason="over", actor=SYSTEM, at=NOON)
    with pytest.raises(ApprovalRefused, match="stale"):
        agree(request, checker)


class TestThePage:
    """What staff click."""

    @pytest.fixture
    def browser(self, operator) -> Client:
        client = Client(headers={"accept-language": "en"})
        Person(operator).sign_in(client)
        return client

    def test_suspending_asks_for_a_reason_and_the_second_factor(self, tea, browser):
        page = f"/admin/merchants/merchant/{tea.pk}/"
        browser.post(f"{page}conduct/", {"deed": "suspend", "reason": " "})
        asked = browser.post(f"{page}conduct/", {"deed": "suspend", "reason": "fraud?"})
        tea.refresh_from_db()
        assert tea.status == "active"
        confirm(browser, asked)
        tea.refresh_from_db()
        assert (tea.status, tea.suspended_for) == ("suspended", "staff")
        shown = browser.get(f"{page}change/").content.decode()
        assert "Ask to let it work again" in shown
        assert ">Suspend<" not in shown

    def test_who_may_not(self, tea, checker):
        client = Client(headers={"accept-language": "en"})
        su = hire("su", roles=["auditor"])
        su.sign_in(client)
        page = f"/admin/merchants/merchant/{tea.pk}/"
        assert "What you can do" not in client.get(f"{page}change/").content.decode()
        answer = client.post(f"{page}conduct/", {"deed": "suspend", "reason": "x"})
        assert answer.status_code == 403
