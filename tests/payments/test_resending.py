"""Trying endpoints, and what is sent again at somebody's wish."""

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from payments.acquiring.pay import close_payment
from payments.callbacks.deliver import deliver_due
from payments.callbacks.models import TEST, Callback, CallbackState, CallbackTry
from payments.callbacks.queries import EventFilter, list_events
from payments.callbacks.replay import NowhereToSend, replay_event
from payments.callbacks.resending import EndpointIsOff, Span, count_span, resend_span
from payments.callbacks.states import EndpointState
from payments.callbacks.switching import disable_endpoint, enable_endpoint
from payments.callbacks.testing import TriedTooSoon, send_test
from tests.cast import NOON, later, order
from tests.payments.programs import (
    Program,
    heard_at,
    mei,
    name,
    program,
    sell,
    shop,
    state_of,
)

__all__ = ["mei", "program", "shop"]


class TestTesting:
    """A test goes out at once, once, and says only that the endpoint answers."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_a_test_is_signed_and_shows_the_answer(self, shop, mei, program):
        endpoint, secret = name(shop, f"{program}/a")
        disable_endpoint(access=mei, endpoint=endpoint.public_id, at=timezone.now())
        event = send_test(access=mei, endpoint=endpoint.public_id, at=timezone.now())
        deliver_due()
        [(_, headers, body)] = Program.heard
        assert Webhook(secret).verify(body, headers)["type"] == TEST
        tried = CallbackTry.objects.get()
        assert (tried.callback.event_id, tried.status, tried.answer) == (event.pk, 200, "yes")
        assert state_of(endpoint) == EndpointState.DISABLED

    @pytest.mark.parametrize("status", [410, 500])
    def test_a_failed_test_is_not_repeated_and_judges_nobody(self, shop, mei, program, status):
        endpoint, _ = name(shop, f"{program}/a")
        Program.statuses["/a"] = status
        send_test(access=mei, endpoint=endpoint.public_id, at=timezone.now())
        deliver_due()
        assert Callback.objects.get().state == CallbackState.GIVEN_UP
        endpoint.refresh_from_db()
        assert (endpoint.state, endpoint.failing_since) == (EndpointState.ACTIVE, None)

    def test_the_api_knows_no_tests(self, shop, mei, program):
        endpoint, _ = name(shop, f"{program}/a")
        event = send_test(access=mei, endpoint=endpoint.public_id, at=timezone.now())
        assert list_events(shop.access, EventFilter(), before=0, limit=9).events == []
        with pytest.raises(Exception, match="event_not_found"):
            replay_event(access=shop.access, event=event.public_id, at=timezone.now())
        with pytest.raises(TriedTooSoon):
            send_test(access=mei, endpoint=endpoint.public_id, at=timezone.now())


class TestSendingAgain:
    """One, or all of a span, under the old numbers."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @staticmethod
    def span(*, only_missed: bool = True) -> Span:
        """All that the stories of this day can hold."""
        now = max(timezone.now(), NOON)
        return Span(since=min(timezone.now(), NOON) - timedelta(days=3),
                    until=now + timedelta(days=3), only_missed=only_missed)  # fmt: skip

    def test_what_was_missed_while_off_is_sent_in_one_go(self, shop, mei, program):
        endpoint, _ = name(shop, f"{program}/a")
        name(shop, f"{program}/b", label="b")
        first = sell(shop, "T1")
        deliver_due()
        of = {"access": mei, "endpoint": endpoint.public_id}
        disable_endpoint(**of, at=timezone.now())
        missed = [sell(shop, "T2"), sell(shop, "T3")]
        deliver_due()
        with pytest.raises(EndpointIsOff):
            resend_span(**of, span=self.span(), at=timezone.now())
        enable_endpoint(**of, at=timezone.now())

        assert count_span(mei, endpoint.public_id, self.span()) == 2
        assert resend_span(**of, span=self.span(), at=timezone.now()) == 2
        assert resend_span(**of, span=self.span(), at=timezone.now()) == 0, "they are under way"
        deliver_due()

        assert sorted(heard_at("/a")) == sorted([first, *missed])
        assert len(heard_at("/b")) == 3
        assert count_span(mei, endpoint.public_id, self.span()) == 0
        assert count_span(mei, endpoint.public_id, self.span(only_missed=False)) == 3

    def test_a_span_holds_only_what_the_endpoint_is_to_hear_of(self, shop, mei, books, program):
        sell(shop, "T1", callback_url=f"{program}/own")
        sell(shop, "T2")
        sell(books, "B1")
        close_payment(access=shop.access, payment=order(shop, "T3").id, at=later(60))
        endpoint, _ = name(shop, f"{program}/a", event_types=["payment.paid"], is_fallback=True)
        assert count_span(mei, endpoint.public_id, self.span()) == 1

    def test_replaying_goes_to_everybody_who_was_told(self, shop, mei, program):
        name(shop, f"{program}/a")
        off, _ = name(shop, f"{program}/b", label="b")
        event = sell(shop)
        deliver_due()
        disable_endpoint(access=mei, endpoint=off.public_id, at=timezone.now())
        replay_event(access=shop.access, event=event, at=timezone.now())
        replay_event(access=shop.access, event=event, at=timezone.now())
        deliver_due()
        assert (heard_at("/a"), heard_at("/b")) == ([event, event], [event])

    def test_an_event_that_went_nowhere_is_replayed_to_new_endpoints(self, shop, program):
        event = sell(shop)
        with pytest.raises(NowhereToSend):
            replay_event(access=shop.access, event=event, at=timezone.now())
        name(shop, f"{program}/a")
        replay_event(access=shop.access, event=event, at=timezone.now())
        deliver_due()
        assert heard_at("/a") == [event]
