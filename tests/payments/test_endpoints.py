"""Endpoints: who is told what, with which secret, and what their answers do to them."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from compliance.audit.models import AuditEntry
from compliance.identity.letters import send_letters
from merchants.accounts.callback_secret import callback_secret_of
from merchants.accounts.states import Role
from merchants.errors import AccessRefused
from merchants.models import Merchant
from payments.acquiring.notifications import receive
from payments.acquiring.pay import close_payment
from payments.callbacks.claiming import Claimed, claim
from payments.callbacks.deliver import deliver_due
from payments.callbacks.endpoints import (
    ENDPOINTS_MAX,
    EndpointInvalid,
    EndpointUnknown,
    EndpointWish,
    TooManyEndpoints,
    change_endpoint,
    rotate_endpoint_secret,
)
from payments.callbacks.heeding import FAILS_MAX
from payments.callbacks.models import Callback, CallbackState, CallbackTry, Endpoint, Event
from payments.callbacks.states import EndpointModes, EndpointState
from payments.callbacks.switching import disable_endpoint, enable_endpoint, remove_endpoint
from payments.callbacks.testing import send_test
from payments.errors import IllegalMove
from tests.cast import NOON, choose, later, order
from tests.payments.programs import (
    Program,
    enter,
    heard_at,
    mei,
    name,
    program,
    sell,
    shop,
    state_of,
)
from tests.payments.test_callbacks import make_due
from tests.scripted import script_of

__all__ = ["mei", "program", "shop"]
migration = import_module("payments.migrations.0007_endpoints")


class TestWhoIsTold:
    """One callback for each endpoint that wants the event, with the event's own transaction."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_each_endpoint_hears_and_verifies_with_its_own_secret(self, shop, program):
        _, first = name(shop, f"{program}/a")
        _, second = name(shop, f"{program}/b", label="books")
        event = sell(shop)
        assert deliver_due() == 2
        assert heard_at("/a") == heard_at("/b") == [event]
        for path, headers, body in Program.heard:
            own, other = (first, second) if path == "/a" else (second, first)
            assert Webhook(own).verify(body, headers)["type"] == "payment.paid"
            for wrong in (other, callback_secret_of(shop.merchant.pk)):
                with pytest.raises(WebhookVerificationError):
                    Webhook(wrong).verify(body, headers)

    def test_an_endpoint_hears_only_what_it_wants(self, shop, program):
        name(shop, f"{program}/paid", event_types=["payment.paid"])
        name(shop, f"{program}/closed", event_types=["payment.closed"])
        name(shop, f"{program}/live", modes=EndpointModes.LIVE)
        name(shop, f"{program}/test", modes=EndpointModes.TEST)
        paid = sell(shop)
        unpaid = order(shop, "T2")
        close_payment(access=shop.access, payment=unpaid.id, at=later(60))
        deliver_due()
        closed = Event.objects.get(subject=unpaid.id).public_id
        assert (heard_at("/paid"), heard_at("/closed")) == ([paid], [closed])
        assert heard_at("/live") == []
        assert sorted(heard_at("/test")) == sorted([paid, closed])

    def test_a_payments_own_address_is_signed_with_the_default_secret(self, shop, program):
        name(shop, f"{program}/all")
        name(shop, f"{program}/else", is_fallback=True)
        name(shop, f"{program}/own")
        sell(shop, callback_url=f"{program}/own")
        deliver_due()
        assert sorted(path for path, *_ in Program.heard) == ["/all", "/own"]
        [(headers, body)] = [(h, b) for path, h, b in Program.heard if path == "/own"]
        assert Webhook(callback_secret_of(shop.merchant.pk)).verify(body, headers)

    def test_endpoints_cost_the_notification_no_statement(self, shop, program):
        open_accounts = order(shop, "T0")
        script_of("first").pay(choose(open_accounts).number)
        sell(shop, "T1")
        for path in "abc":
            name(shop, f"{program}/{path}")
        attempt = choose(order(shop, "T2"))
        script_of("first").pay(attempt.number)
        raw = script_of("first").message(attempt.number)
        with CaptureQueriesContext(connection) as caught:
            receive(channel_code="first", raw=raw, address="")
        assert len(caught) == 1
        assert Callback.objects.count() == 3

    def test_what_was_switched_off_a_moment_ago_hears_nothing(self, shop, mei, program):
        endpoint, _ = name(shop, f"{program}/a")
        sell(shop, "T1")
        disable_endpoint(access=mei, endpoint=endpoint.public_id, at=timezone.now())
        sell(shop, "T2")
        deliver_due()
        assert Program.heard == []
        assert [c.state for c in Callback.objects.all()] == [CallbackState.GIVEN_UP]

    def test_an_address_of_before_endpoints_is_told_and_signed_as_before(self, shop, program):
        Merchant.objects.filter(pk=shop.merchant.pk).update(callback_url=f"{program}/account")
        for _again in range(2):
            migration.name_accounts_addresses(apps, None)
        assert Endpoint.objects.filter(merchant=shop.merchant).count() == 1
        sell(shop, "T1")
        sell(shop, "T2", callback_url=f"{program}/own")
        deliver_due()
        assert sorted(path for path, *_ in Program.heard) == ["/account", "/own"]
        for _path, headers, body in Program.heard:
            assert Webhook(callback_secret_of(shop.merchant.pk)).verify(body, headers)


class TestSecrets:
    """Replaced with an overlap, or at once."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.mark.parametrize("is_own", [True, False])
    def test_the_old_secret_signs_along_for_a_day(self, shop, mei, program, is_own):
        endpoint, old = name(shop, f"{program}/a")
        if not is_own:
            Endpoint.objects.filter(pk=endpoint.pk).update(secret_sealed=None)
            old = callback_secret_of(shop.merchant.pk)
        new = rotate_endpoint_secret(
            access=mei, endpoint=endpoint.public_id, is_at_once=False, at=timezone.now()
        )
        sell(shop)
        deliver_due()
        [(_, headers, body)] = Program.heard
        for secret in (old, new):
            assert Webhook(secret).verify(body, headers)
        over = timezone.now() - timedelta(seconds=1)
        Endpoint.objects.filter(pk=endpoint.pk).update(secret_before_until=over)
        sell(shop, "T2")
        deliver_due()
        assert " " not in Program.heard[1][1]["webhook-signature"]

    def test_a_leaked_secret_ends_at_once(self, shop, mei, program):
        endpoint, old = name(shop, f"{program}/a")
        rotate_endpoint_secret(
            access=mei, endpoint=endpoint.public_id, is_at_once=True, at=timezone.now()
        )
        sell(shop)
        deliver_due()
        [(_, headers, body)] = Program.heard
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(body, headers)

    def test_the_database_and_the_trail_hold_no_secret_and_no_path(self, shop, mei):
        endpoint, secret = name(shop, "https://tea.example/hook/s3cr3t")
        new = rotate_endpoint_secret(
            access=mei, endpoint=endpoint.public_id, is_at_once=False, at=NOON
        )
        held = str(list(Endpoint.objects.values_list("secret_sealed", "secret_before_sealed")))
        trail = str(list(AuditEntry.objects.values()))
        for word in (secret, new, "s3cr3t"):
            assert word not in held + trail
        assert "tea.example" in trail


class TestAnswers:
    """410 switches off, 429 and 503 are heeded, and days of failure end it."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_410_switches_it_off_and_tells_its_owners(self, shop, mei, program):
        enter(shop, "dev", Role.DEVELOPER)
        enter(shop, "gu", Role.FINANCE)
        endpoint, _ = name(shop, f"{program}/a")
        Program.statuses["/a"] = 410
        sell(shop)
        deliver_due()
        assert state_of(endpoint) == EndpointState.GONE
        assert Callback.objects.get().state == CallbackState.GIVEN_UP
        assert CallbackTry.objects.get().status == 410
        assert AuditEntry.objects.get(action="endpoint.stopped").facts["why"] == "gone"
        send_letters(at=timezone.now())
        assert {to for letter in mail.outbox for to in letter.to} == {
            "mei@example.com", "dev@example.com",
        }  # fmt: skip
        sell(shop, "T2")
        assert deliver_due() == 0

    def test_a_payments_own_address_that_is_gone_is_not_asked_again(self, shop, program):
        Program.statuses["/own"] = 410
        sell(shop, callback_url=f"{program}/own")
        deliver_due()
        assert Callback.objects.get().state == CallbackState.GIVEN_UP

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_endpoint_is_left_alone_as_long_as_it_asks(self, shop, program, status):
        endpoint, _ = name(shop, f"{program}/a")
        name(shop, f"{program}/b", label="b")
        Program.statuses["/a"], Program.headers_of["/a"] = status, {"Retry-After": "600"}
        sell(shop)
        before = timezone.now()
        deliver_due()
        waiting = Callback.objects.get(endpoint=endpoint)
        assert waiting.due_at is not None
        wait = timedelta(seconds=600)
        assert before + wait <= waiting.due_at <= timezone.now() + wait
        sell(shop, "T2")
        make_due()
        deliver_due()
        assert len(heard_at("/a")) == 1, "its other events wait as well"
        assert len(heard_at("/b")) == 2, "nobody else does"
        Program.statuses["/a"] = 200
        Endpoint.objects.update(paused_until=timezone.now())
        deliver_due()
        assert len(heard_at("/a")) == 3
        assert Endpoint.objects.get(pk=endpoint.pk).failing_since is None

    def test_nobody_pauses_for_longer_than_a_day(self, shop, program):
        endpoint, _ = name(shop, f"{program}/a")
        Program.statuses["/a"] = 503
        Program.headers_of["/a"] = {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}
        sell(shop)
        deliver_due()
        endpoint.refresh_from_db()
        assert endpoint.paused_until is not None
        pause = endpoint.paused_until - timezone.now()
        assert timedelta(hours=23) < pause <= timedelta(days=1)

    def test_days_of_failure_switch_it_off(self, shop, mei, program):
        endpoint, _ = name(shop, f"{program}/a")
        Program.statuses["/a"] = 500
        sell(shop)
        deliver_due()
        endpoint.refresh_from_db()
        assert (endpoint.state, endpoint.failing_since is None) == ("active", False)
        endpoint.failing_since = timezone.now() - FAILS_MAX
        endpoint.save(update_fields=["failing_since"])
        make_due()
        deliver_due()
        assert state_of(endpoint) == EndpointState.FAILED
        send_letters(at=timezone.now())
        assert [letter.to for letter in mail.outbox] == [["mei@example.com"]]

    def test_one_success_forgives_all(self, shop, program):
        endpoint, _ = name(shop, f"{program}/a")
        long_ago = timezone.now() - FAILS_MAX * 2
        Endpoint.objects.update(failing_since=long_ago)
        sell(shop)
        deliver_due()
        endpoint.refresh_from_db()
        assert (endpoint.state, endpoint.failing_since) == (EndpointState.ACTIVE, None)

    def test_what_was_claimed_before_the_switch_is_not_sent(self, shop, mei, program, monkeypatch):
        endpoint, _ = name(shop, f"{program}/a")
        sell(shop)

        def meanwhile(**more: Any) -> list[Claimed]:
            claimed = claim(**more)
            if claimed:
                disable_endpoint(access=mei, endpoint=endpoint.public_id, at=timezone.now())
            return claimed

        monkeypatch.setattr("payments.callbacks.deliver.claim", meanwhile)
        deliver_due()
        assert Program.heard == []
        dropped = Callback.objects.get()
        assert (dropped.state, dropped.tries) == (CallbackState.GIVEN_UP, 0)

    @pytest.mark.parametrize("status", [200, 500])
    def test_what_was_on_its_way_at_the_switch_ends_by_its_answer(
        self, shop, mei, program, monkeypatch, status
    ):
        heard = CallbackState.DELIVERED if status == 200 else CallbackState.GIVEN_UP
        endpoint, _ = name(shop, f"{program}/a")
        Program.statuses["/a"] = status
        sell(shop)

        def meanwhile(step: str) -> None:
            if step == "callback.answered":
                disable_endpoint(access=mei, endpoint=endpoint.public_id, at=timezone.now())

        monkeypatch.setattr("payments.callbacks.deliver.step", meanwhile)
        deliver_due()
        assert Callback.objects.get().state == heard
        assert CallbackTry.objects.get().status == status
        assert state_of(endpoint) == EndpointState.DISABLED


@pytest.mark.django_db
class TestManaging:
    """Whose endpoints, and how many."""

    def test_nobody_else_reaches_them(self, shop, mei, books):
        yun = enter(books, "yun", Role.OWNER)
        endpoint, _ = name(shop, "https://tea.example/a")
        for deed in (disable_endpoint, enable_endpoint, remove_endpoint, send_test):
            with pytest.raises(EndpointUnknown):
                deed(access=yun, endpoint=endpoint.public_id, at=NOON)
        with pytest.raises(EndpointUnknown):
            disable_endpoint(access=mei, endpoint="ept_nobody", at=NOON)

    @pytest.mark.parametrize("role", [Role.FINANCE, Role.OPERATOR, Role.READ_ONLY])
    def test_only_some_roles_may(self, shop, role):
        endpoint, _ = name(shop, "https://tea.example/a")
        colleague = enter(shop, "wen", role)
        with pytest.raises(AccessRefused):
            disable_endpoint(access=colleague, endpoint=endpoint.public_id, at=NOON)
        with pytest.raises(AccessRefused):
            disable_endpoint(access=shop.access, endpoint=endpoint.public_id, at=NOON)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"url": "http://tea.example/"}, "url_not_https"),
            ({"url": "https://"}, "url_malformed"),
            ({"url": "https://me:pw@tea.example/"}, "url_malformed"),
            ({"url": "https://tea.example/" + "x" * 1024}, "url_malformed"),
            ({"label": ""}, "label_malformed"),
            ({"event_types": ["payment.eaten"]}, "type_unknown"),
        ],
    )
    def test_nonsense_is_refused(self, shop, settings, changes, why):
        settings.DEMO = False
        with pytest.raises(EndpointInvalid) as refusal:
            name(shop, **{"url": "https://tea.example/", **changes})
        assert refusal.value.facts["why"] == why
        assert not Endpoint.objects.filter(merchant=shop.merchant).exists()

    def test_ten_are_enough_and_removed_ones_do_not_count(self, shop, mei):
        made = [name(shop, f"https://tea.example/{n}")[0] for n in range(ENDPOINTS_MAX)]
        with pytest.raises(TooManyEndpoints):
            name(shop, "https://tea.example/more")
        remove_endpoint(access=mei, endpoint=made[0].public_id, at=NOON)
        name(shop, "https://tea.example/more")
        with pytest.raises(EndpointUnknown):
            enable_endpoint(access=mei, endpoint=made[0].public_id, at=NOON)

    def test_an_active_endpoint_is_not_switched_on(self, shop, mei):
        endpoint, _ = name(shop, "https://tea.example/a")
        with pytest.raises(IllegalMove):
            enable_endpoint(access=mei, endpoint=endpoint.public_id, at=NOON)

    @pytest.mark.django_db(transaction=True)
    def test_what_waits_goes_to_the_new_address(self, shop, mei, program):
        endpoint, _ = name(shop, f"{program}/old")
        Program.statuses["/old"] = 500
        event = sell(shop)
        deliver_due()
        wish = EndpointWish(label="shop", url=f"{program}/new")
        change_endpoint(access=mei, endpoint=endpoint.public_id, wish=wish, at=timezone.now())
        make_due()
        deliver_due()
        assert heard_at("/new") == heard_at("/old") == [event]
        assert Callback.objects.get().url == f"{program}/new"
