"""A second factor again: for one deed, by this person, in this session, for five minutes, once."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.stepup import TRIES_MAX, Deed, Fact, spend, want
from compliance.identity.stepup_models import StepUp
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import ApiKey, Merchant
from tests.compliance.people import NOON, code_now, confirm, hire

pytestmark = pytest.mark.django_db

KEY = {"label": "收银程序 <b>", "scopes": ["payments.read", "payments.write"]}
PAGE = "/portal/keys/"


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def lin(tea):
    """Lin, who owns the tea shop."""
    person = hire("lin")
    add_member(merchant_id=tea.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return person


@pytest.fixture
def browser(lin):
    client = Client(headers={"accept-language": "en"})
    lin.sign_in(client)
    return client


def wrong_code() -> str:
    return f"{(int(code_now()) + 500_000) % 1_000_000:06d}"


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


class TestOnThePage:
    """From the form to the code and back, with nothing lost."""

    def test_the_deed_is_shown_asked_for_and_done_once(self, browser):
        asked = browser.post(PAGE, KEY)
        assert not ApiKey.objects.exists()
        page = browser.get(asked.url).content.decode()
        assert "Create an API key" in page
        assert "收银程序 &lt;b&gt;" in page
        assert "Create and close payments" in page
        assert "Mingshan Tea" in page

        made = confirm(browser, asked)

        assert made.status_code == 201
        key = ApiKey.objects.get()
        assert (key.label, key.scopes) == (KEY["label"], KEY["scopes"])
        assert actions()[-2:] == ["stepup.passed", "api_key.created"]
        assert "secret" not in str(AuditEntry.objects.get(action="stepup.passed").facts)
        assert not StepUp.objects.exists()
        assert browser.post(PAGE, KEY).url.startswith("/confirm/"), "a second time asks again"

    def test_what_was_typed_is_not_readable_in_the_database(self, browser):
        browser.post(PAGE, {**KEY, "extra": "6222021234567890"})
        assert "6222021234567890" not in StepUp.objects.get().form_sealed

    def test_a_check_for_one_thing_is_none_for_another(self, browser):
        asked = browser.post(PAGE, KEY)
        browser.post(asked.url, {"code": code_now(steps=1)})
        for other in [{**KEY, "label": "other"}, {**KEY, "scopes": ["refunds.write"]}]:
            assert browser.post(PAGE, other).url.startswith("/confirm/")
        assert not ApiKey.objects.exists()

    def test_a_code_that_was_used_at_sign_in_does_not_do(self, browser):
        with time_machine.travel(timezone.now(), tick=False):
            client, asked = browser, browser.post(PAGE, KEY)
            answer = client.post(asked.url, {"code": code_now()})
        assert answer.status_code == 200
        assert "was used before" in answer.content.decode()

    def test_a_code_that_comes_too_late_does_not_do(self, browser):
        asked = browser.post(PAGE, KEY)
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=31)):
            late = browser.post(asked.url, {"code": code_now()})
        assert late.status_code == 410
        assert "longer than five minutes" in late.content.decode()
        assert "wrong" not in late.content.decode()
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            assert browser.get(asked.url).status_code == 404
        assert "stepup.passed" not in actions()

    def test_a_check_grows_old(self, browser):
        asked = browser.post(PAGE, KEY)
        browser.post(asked.url, {"code": code_now(steps=1)})
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
            assert browser.get(asked.url).status_code == 410
            assert browser.post(PAGE, KEY).url.startswith("/confirm/")
        assert not ApiKey.objects.exists()

    def test_a_check_for_play_money_makes_no_key_for_real_money(self, browser, tea, settings):
        asked = browser.post(PAGE, KEY)
        assert "Test: no real money" in browser.get(asked.url).content.decode()
        browser.post(asked.url, {"code": code_now(steps=1)})
        settings.DEMO = False
        Merchant.objects.filter(pk=tea.pk).update(may_live=True)
        again = browser.post(PAGE, KEY)
        assert "Live: real money" in browser.get(again.url).content.decode()
        assert not ApiKey.objects.exists()

    def test_the_language_may_change_on_the_way(self, browser):
        asked = browser.post(PAGE, KEY)
        browser.post(asked.url, {"code": code_now(steps=1)})
        assert browser.post(PAGE, KEY, headers={"accept-language": "zh-hans"}).status_code == 201

    def test_guessing_ends_with_the_wish(self, browser):
        asked = browser.post(PAGE, KEY)
        answers = []
        for n in range(TRIES_MAX):
            # Each wrong code makes the next wait twice as long.
            with time_machine.travel(timezone.now() + timedelta(seconds=n * 40)):
                answers.append(browser.post(asked.url, {"code": wrong_code()}).status_code)
        assert answers == [200] * (TRIES_MAX - 1) + [410]
        assert browser.get(asked.url).status_code == 404
        assert actions().count("stepup.refused") == TRIES_MAX

    def test_another_session_and_another_person_cannot_use_it(self, browser, lin):
        asked = browser.post(PAGE, KEY)
        elsewhere = Client()
        with time_machine.travel(timezone.now() + timedelta(seconds=60)):
            lin.sign_in(elsewhere)
            assert elsewhere.get(asked.url).status_code == 404
            browser.post(asked.url, {"code": code_now(steps=1)})
            assert elsewhere.post(PAGE, KEY)["Location"].startswith("/confirm/")
        stranger = Client()
        hire("yun").sign_in(stranger)
        assert stranger.get(asked.url).status_code == 404
        assert Client().get(asked.url)["Location"].startswith("/signin/")

    def test_a_program_is_told_what_is_missing(self, browser):
        answer = browser.post(PAGE, KEY, headers={"accept": "application/json"})
        assert answer.status_code == 401
        assert 'error="insufficient_user_authentication"' in answer["WWW-Authenticate"]
        assert "max_age=300" in answer["WWW-Authenticate"]
        assert not StepUp.objects.exists()

    def test_the_way_back_is_the_page_that_asked(self, browser):
        asked = browser.post(PAGE + "?next=https://evil.example/", KEY)
        page = browser.get(asked.url).content.decode()
        assert 'action="https:' not in page
        assert StepUp.objects.get().path.startswith(PAGE)


class TestTheDigest:
    """What a check is bound to."""

    def deed(self, **changes: str) -> Deed:
        facts = {"refund": "ref_1", "amount": "12800", "payee": "ming"} | changes
        purpose = facts.pop("purpose", "refund.send")
        told = tuple(Fact(name, name, value) for name, value in facts.items())
        return Deed(purpose=purpose, title="Refund", facts=told)

    @pytest.mark.parametrize(
        "changes",
        [{"amount": "12801"}, {"payee": "yun"}, {"refund": "ref_2"}, {"purpose": "payout.send"}],
    )
    def test_another_amount_payee_object_or_action_is_another_deed(self, lin, changes):
        wanted = want(
            user=lin.user, session="s", deed=self.deed(), path="/", form=[], at=NOON
        )  # fmt: skip
        StepUp.objects.filter(pk=wanted.pk).update(passed_at=NOON)
        assert not spend(user=lin.user, session="s", deed=self.deed(**changes), at=NOON)
        assert not spend(user=lin.user, session="t", deed=self.deed(), at=NOON)
        assert spend(user=lin.user, session="s", deed=self.deed(), at=NOON)
        assert not spend(user=lin.user, session="s", deed=self.deed(), at=NOON)

    def test_what_has_no_label_binds_and_is_not_shown(self, lin):
        facts = (Fact("payment", "Payment", "pay_1"), Fact("number", "", "r1"))
        deed = Deed("refund.send", "Refund", facts)
        wanted = want(user=lin.user, session="s", deed=deed, path="/", form=[], at=NOON)
        assert wanted.facts == [["Payment", "pay_1"]]
        StepUp.objects.filter(pk=wanted.pk).update(passed_at=NOON)
        other = Deed("refund.send", "Refund", (facts[0], Fact("number", "", "r2")))
        assert not spend(user=lin.user, session="s", deed=other, at=NOON)

    def test_the_readers_language_makes_no_difference(self):
        other = Deed("refund.send", "退款", tuple(
            Fact(fact.name, "标签", fact.value) for fact in reversed(self.deed().facts)
        ))  # fmt: skip
        assert other.digest() == self.deed().digest()
