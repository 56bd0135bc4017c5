"""A customer at the hosted checkout, without JavaScript and without cookies."""

import gzip
import re

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.test import Client

from payments.acquiring.models import Attempt
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.acquiring.presenting import to_row
from payments.acquiring.tokens import checkout_token
from payments.channels.base import FormPost, Redirect
from tests.cast import choose, later, latest_attempt, order
from tests.scripted import script_of

pytestmark = pytest.mark.django_db

KILOBYTE = 1024


@pytest.fixture(autouse=True)
def _soon_after_noon():
    with time_machine.travel(later(20), tick=False):
        yield


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def path_of(payment, tail="") -> str:
    return f"/pay/{checkout_token(payment.id)}/{tail}"


def text_of(response) -> str:
    return str(response.content, "utf-8")


def english(browser: Client) -> Client:
    browser.cookies["django_language"] = "en"
    return browser


def test_the_page_says_what_is_paid_to_whom_and_how(tea, browser):
    payment = order(tea, subject="明前龙井 <250g>", description="礼盒装")
    page = browser.get(path_of(payment))

    assert page.status_code == 200
    shown = text_of(page)
    assert "<small>¥</small>128.00" in shown
    assert "茗山茶业" in shown
    assert "明前龙井 &lt;250g&gt;" in shown
    assert payment.merchant_order_no in shown
    assert re.findall(r'name="method" value="(\w+)"', shown) == ["first", "second"]


def test_nobody_keeps_the_page_and_no_other_site_learns_its_address(tea, browser):
    page = browser.get(path_of(order(tea)))
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "strict-origin"
    assert "Cookie" not in page.get("Vary", "")
    assert not page.cookies


def test_the_policy_is_strict_and_nothing_is_inline(tea, browser):
    payment = order(tea)
    choose(payment)
    page = browser.get(path_of(payment))
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "form-action 'self';" in page["Content-Security-Policy"] + ";"
    shown = text_of(page)
    assert " style=" not in shown
    assert "<style" not in shown
    assert re.findall(r"<script(?! src=)", shown) == []
    assert re.findall(r' on[a-z]+="', shown) == []


def test_a_method_is_chosen_by_a_plain_form(tea, browser):
    payment = order(tea)
    answer = browser.post(path_of(payment), {"method": "second"}, REMOTE_ADDR="203.0.113.9")

    assert answer.status_code == 303
    assert answer["Location"] == path_of(payment)
    page = english(browser).get(path_of(payment))
    shown = text_of(page)
    assert "Scan with Second" in shown
    assert "<svg" in shown
    assert 'http-equiv="refresh"' in shown
    attempt = latest_attempt(payment)
    assert (attempt.method, attempt.client_ip) == ("second", "203.0.113.9")


def test_changing_the_mind_closes_the_first_try(tea, browser):
    payment = order(tea)
    first = choose(payment, "first", at=later(5))
    browser.post(path_of(payment), {"method": "second"})

    first.refresh_from_db()
    assert first.state == "closed"
    assert latest_attempt(payment).method == "second"


def test_a_try_that_cannot_be_closed_is_in_the_way(tea, browser):
    payment = order(tea)
    choose(payment, "first", at=later(5))
    script_of("first").faults.append("before")

    answer = english(browser).post(path_of(payment), {"method": "second"})
    assert answer.status_code == 409
    assert "previous_attempt_unresolved" in text_of(answer)
    assert "Please do not pay again." in text_of(answer)


def test_a_method_that_is_not_offered(tea, browser):
    payment = order(tea)
    for method in ("third", "", "x" * 5000, "first\x00"):
        answer = english(browser).post(path_of(payment), {"method": method})
        assert answer.status_code == 409
        assert "method_unavailable" in text_of(answer)
    assert not Attempt.objects.exists()


def test_a_gateway_that_refuses(tea, browser):
    payment = order(tea)
    script_of("first").faults.append("reject")
    page = english(browser).post(path_of(payment), {"method": "first"}, follow=True)

    shown = text_of(page)
    assert "You have not been charged." in shown
    assert "SCRIPTED_NO" in shown
    assert re.findall(r'name="method" value="(\w+)"', shown) == ["first", "second"]


def test_a_gateway_that_does_not_answer(tea, browser):
    payment = order(tea)
    script_of("first").faults.append("after")
    page = english(browser).post(path_of(payment), {"method": "first"}, follow=True)

    shown = text_of(page)
    assert "Please do not pay again." in shown
    assert "We are asking First" in shown


def pay(payment, method="first") -> None:
    """The customer pays in the wallet and the gateway tells us."""
    attempt = choose(payment, method)
    script_of(method).pay(attempt.number)
    message = script_of(method).message(attempt.number)
    receive(channel_code=method, raw=message, address="192.0.2.1")


def test_the_result_leads_back_to_the_merchant(tea, browser):
    payment = order(tea, return_url="https://tea.example/thanks?a=1&b=2")
    pay(payment)
    shown = text_of(english(browser).get(path_of(payment)))

    assert '<div class="result paid">' in shown
    assert f"G{latest_attempt(payment).number}" in shown
    assert 'href="https://tea.example/thanks?a=1&amp;b=2&amp;payment_id=' in shown
    assert "status=paid" in shown
    assert 'name="method"' not in shown
    assert "data-watch" not in shown


def test_a_paid_order_cannot_be_paid_again(tea, browser):
    payment = order(tea)
    pay(payment)
    answer = browser.post(path_of(payment), {"method": "second"})
    assert answer.status_code == 409
    assert '<div class="result paid">' in text_of(answer)
    assert Attempt.objects.count() == 1


def test_an_expired_order_offers_nothing_but_still_listens(tea, browser):
    payment = order(tea, expires_in=60)
    with time_machine.travel(later(61), tick=False):
        shown = text_of(english(browser).get(path_of(payment)))
        answer = browser.post(path_of(payment), {"method": "first"})
    assert "This order has expired" in shown
    assert 'name="method"' not in shown
    assert "data-watch" in shown
    assert answer.status_code == 409


def test_a_closed_order(tea, browser):
    payment = order(tea)
    close_payment(access=tea.access, payment=payment.id, at=later(15))
    assert '<div class="result closed">' in text_of(browser.get(path_of(payment)))


def test_the_status_says_where_it_stands(tea, browser):
    payment = order(tea)
    waiting = browser.get(path_of(payment, "status"))
    assert waiting["Cache-Control"] == "no-store"
    assert waiting.json() == {
        "status": "pending", "is_expired": False, "attempt": None, "attempt_state": None,
    }  # fmt: skip
    attempt = choose(payment)
    opened = browser.get(path_of(payment, "status")).json()
    assert (opened["attempt"], opened["attempt_state"]) == (attempt.number, "open")


def test_the_page_knows_what_the_status_will_say(tea, browser):
    """Otherwise a waiting page would reload for ever."""
    payment = order(tea)
    choose(payment)
    seen = re.search(r'data-seen="([^"]+)"', text_of(browser.get(path_of(payment))))
    status = browser.get(path_of(payment, "status")).json()
    assert seen is not None
    assert seen[1] == f"{status['status']} running {status['attempt']} {status['attempt_state']}"


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_return_believes_nothing_and_asks_the_gateway(tea, browser, verb):
    payment = order(tea)
    attempt = choose(payment)
    lies = {"trade_status": "TRADE_SUCCESS", "respCode": "00", "out_trade_no": attempt.number}

    back = getattr(browser, verb)(path_of(payment, "return"), lies)
    assert back.status_code == 303
    assert browser.get(path_of(payment, "status")).json()["status"] == "pending"

    script_of("first").pay(attempt.number)
    with time_machine.travel(later(40), tick=False):
        getattr(browser, verb)(path_of(payment, "return"), {"trade_status": "TRADE_CLOSED"})
    assert browser.get(path_of(payment, "status")).json()["status"] == "paid"


def test_a_forged_address_looks_like_a_mistyped_one(tea, browser):
    token = checkout_token(order(tea).id)
    forged = [token[:-1] + ("0" if token[-1] != "0" else "1"), "x", token[::-1], token.upper(),
              checkout_token("pay_00000000000000000000000000"), "支付"]  # fmt: skip
    answers = [
        answer
        for wrong in forged
        for answer in (
            browser.get(f"/pay/{wrong}/"),
            browser.post(f"/pay/{wrong}/", {"method": "first"}),
            browser.get(f"/pay/{wrong}/return", follow=True),
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "checkout_unknown" in text_of(answers[0])
    assert all(browser.get(f"/pay/{wrong}/status").status_code == 404 for wrong in forged)


def present(payment, shown) -> None:
    """As if the gateway had answered the latest attempt with this."""
    Attempt.objects.filter(pk=latest_attempt(payment).pk).update(presentation=to_row(shown))


def test_a_form_may_go_to_its_gateway_and_nowhere_else(tea, browser):
    payment = order(tea)
    choose(payment)
    present(payment, FormPost(url="https://gateway.95516.com/front", fields=(("a", '"<b>'),)))
    page = browser.get(path_of(payment))

    policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
    assert policy["form-action"] == "'self' https://gateway.95516.com https://*.95516.com"
    assert policy["script-src"] == "'self'"
    shown = text_of(page)
    assert 'action="https://gateway.95516.com/front"' in shown
    assert 'name="a" value="&quot;&lt;b&gt;"' in shown


def test_a_redirect_is_a_link_that_a_customer_can_press(tea, browser):
    payment = order(tea)
    choose(payment)
    present(payment, Redirect(url="https://openapi.alipay.com/gateway.do?a=1&b=2"))
    shown = text_of(english(browser).get(path_of(payment)))
    assert 'href="https://openapi.alipay.com/gateway.do?a=1&amp;b=2"' in shown
    assert "Continue to First" in shown
    assert "I have paid" in shown


def test_the_language_stays_as_chosen(tea, browser):
    path = path_of(order(tea))
    assert 'lang="zh-hans"' in text_of(browser.get(path))
    answer = browser.get(path + "?lang=en")
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert 'lang="en"' in text_of(browser.get(path))
    browser.get(path + "?lang=xx")
    assert 'lang="en"' in text_of(browser.get(path))


def test_the_page_takes_few_questions(tea, browser, django_assert_max_num_queries):
    payment = order(tea)
    choose(payment)
    browser.get(path_of(payment))
    with django_assert_max_num_queries(3):
        browser.get(path_of(payment))
    with django_assert_max_num_queries(2):
        browser.get(path_of(payment, "status"))


def test_the_page_is_light(tea, browser):
    payment = order(tea)
    choose(payment)
    page = browser.get(path_of(payment))
    assert len(gzip.compress(page.content)) <= 8 * KILOBYTE

    files = re.findall(r'(?:href|src)="/static/([^"]+)"', text_of(page))
    assert len(files) == 4
    weights = []
    for name in files:
        found = finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name))
        with open(str(found), "rb") as file:  # noqa: PTH123
            weights.append(len(file.read()))
    assert len(page.content) + sum(weights) <= 60 * KILOBYTE


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(tea, browser, method):
    assert getattr(browser, method)(path_of(order(tea))).status_code == 405
