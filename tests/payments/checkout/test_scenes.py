"""Which of its nine scenes the page shows, from nothing but facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from payments.acquiring.queries import Checkout, MethodChoice, ShownAttempt
from payments.channels.base import FormPost, Presentation, QrCode, Redirect
from payments.checkout.scenes import Scene, origins_of, page_of, scene_of, seen_text
from payments.money import Money

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
SOON = NOON + timedelta(minutes=5)
WECHAT = "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50"
CODE = QrCode(content="https://qr.alipay.com/1", expires_at=SOON)
FORM = FormPost(url="https://gateway.95516.com/front", fields=(("txnType", "01"),))


def method(gateway: str, *, is_available: bool = True) -> MethodChoice:
    return MethodChoice(
        code=gateway, gateway=gateway, label=gateway.title(), hint="", is_available=is_available
    )


CHECKOUT = Checkout(
    payment="pay_1", token="t", merchant_name="茗山茶业", amount=Money(1280050), subject="龙井",
    description="", merchant_order_no="T1", status="pending", is_expired=False, is_closing=False,
    created_at=NOON, expires_at=NOON + timedelta(minutes=30), paid_at=None, method="",
    channel_trade_no="", return_url="", attempt=None, livemode=False,
    methods=(method("alipay"), method("wechatpay"), method("unionpay", is_available=False)),
)  # fmt: skip


def tried(state: str, shown: Presentation | None = None) -> Checkout:
    attempt = ShownAttempt(
        id="att_1", method="alipay", gateway="alipay", state=state, presentation=shown,
        expires_at=CHECKOUT.expires_at, failure="",
    )  # fmt: skip
    return replace(CHECKOUT, attempt=attempt)


@pytest.mark.parametrize(
    ("checkout", "scene"),
    [
        (CHECKOUT, Scene.CHOOSE),
        (tried("open", CODE), Scene.QR),
        (tried("open", replace(CODE, expires_at=NOON)), Scene.STALE),
        (tried("open", Redirect(url="https://gateway.example/")), Scene.LEAVE),
        (tried("open", FORM), Scene.LEAVE),
        (tried("open"), Scene.CONFIRM),
        (tried("created"), Scene.CONFIRM),
        (tried("unknown"), Scene.CONFIRM),
        (tried("closing", CODE), Scene.CONFIRM),
        (tried("failed"), Scene.CHOOSE),
        (tried("closed"), Scene.CHOOSE),
        (tried("abandoned"), Scene.CHOOSE),
        (replace(tried("succeeded"), status="paid", is_expired=True), Scene.PAID),
        (replace(tried("late"), status="closed", is_expired=True), Scene.LATE),
        (replace(tried("late"), is_expired=True), Scene.LATE),
        (tried("late"), Scene.CHOOSE),
        (replace(CHECKOUT, is_expired=True), Scene.EXPIRED),
        (replace(tried("open", CODE), is_expired=True), Scene.EXPIRED),
        (replace(CHECKOUT, is_expired=True, status="closed"), Scene.EXPIRED),
        (replace(CHECKOUT, status="closed"), Scene.CLOSED),
        (replace(CHECKOUT, is_closing=True), Scene.CLOSED),
    ],
)
def test_the_scene(checkout, scene):
    assert scene_of(checkout, at=NOON) is scene


def test_a_paid_page_waits_for_nothing_and_an_expired_one_still_does():
    paid = page_of(replace(CHECKOUT, status="paid"), user_agent="", at=NOON)
    expired = page_of(replace(CHECKOUT, is_expired=True), user_agent="", at=NOON)
    assert not paid.is_watched
    assert expired.is_watched
    assert not expired.is_payable


def test_the_app_around_the_page_comes_first_and_what_is_away_comes_last():
    page = page_of(CHECKOUT, user_agent=WECHAT, at=NOON)
    assert [card.choice.code for card in page.cards] == ["wechatpay", "alipay", "unionpay"]
    assert [card.is_chosen for card in page.cards] == [True, False, False]


def test_what_was_tried_stays_chosen():
    page = page_of(tried("failed"), user_agent=WECHAT, at=NOON)
    assert [card.choice.code for card in page.cards if card.is_chosen] == ["alipay"]


def test_nothing_is_chosen_when_nothing_is_available():
    away = replace(CHECKOUT, methods=(method("alipay", is_available=False),))
    assert not any(card.is_chosen for card in page_of(away, user_agent="", at=NOON).cards)


def test_the_amount_is_split_into_sign_and_digits():
    page = page_of(CHECKOUT, user_agent="", at=NOON)
    assert (page.sign, page.digits) == ("¥", "12,800.50")
    page = page_of(replace(CHECKOUT, amount=Money(500, "HKD")), user_agent="", at=NOON)
    assert (page.sign, page.digits) == ("HKD ", "5.00")


def test_only_a_code_that_is_good_is_drawn():
    page = page_of(tried("open", CODE), user_agent="", at=NOON)
    assert page.qr.startswith("<svg")
    assert page.qr_seconds_left == 300
    assert page_of(tried("open", CODE), user_agent="", at=SOON).qr == ""


def test_what_a_page_has_seen():
    assert seen_text(CHECKOUT) == "pending running"
    assert seen_text(tried("open", CODE)) == "pending running att_1 open"
    assert seen_text(replace(CHECKOUT, is_expired=True)) == "pending expired"
    assert seen_text(replace(tried("succeeded"), status="paid")) == "paid"
    assert seen_text(replace(CHECKOUT, status="closed")) == "closed"
    assert seen_text(replace(tried("late"), status="closed")) == "closed att_1 late"


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        (FORM.url, ("https://gateway.95516.com", "https://*.95516.com")),
        ("https://a.test.95516.com/x", ("https://a.test.95516.com", "https://*.test.95516.com")),
        ("https://bank.com.cn/x", ("https://bank.com.cn",)),
        ("https://bank.com/x", ("https://bank.com",)),
        ("https://10.0.0.1/x", ("https://10.0.0.1",)),
        ("https://localhost/x", ("https://localhost",)),
        ("http://127.0.0.1:8000/x", ("http://127.0.0.1:8000",)),
        ("http://gateway.95516.com/x", ("http://gateway.95516.com",)),
    ],
)
def test_where_a_form_may_end(url, origins):
    assert origins_of(url) == origins


def test_only_a_form_opens_the_policy():
    form, code = tried("open", FORM), tried("open", CODE)
    link = tried("open", Redirect(url="https://gateway.example/"))
    origins = [page_of(c, user_agent="", at=NOON).form_origins for c in (form, code, link)]
    assert origins == [("https://gateway.95516.com", "https://*.95516.com"), (), ()]
