"""Endpoints in the portal: named, moved and given new secrets with the second factor; tried, read,
and sent again.
"""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from compliance.audit.models import AuditEntry
from merchants.accounts.callback_secret import callback_secret_of
from merchants.accounts.states import Role
from payments.callbacks.models import TEST, Callback, CallbackState, CallbackTry, Endpoint, Event
from payments.callbacks.states import EndpointState
from payments.portal.forms import MOMENT
from tests.cast import NOON, Shop, open_shop
from tests.compliance.people import confirm, hire
from tests.payments.portal.test_pages import enter, sell, text
from tests.payments.test_isolation import endpoint_of

pytestmark = pytest.mark.django_db

ENDPOINTS = "/portal/callbacks/endpoints/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def shop(tea) -> Shop:
    """A shop that has named nothing yet."""
    return open_shop("梅家茶坊")


@pytest.fixture
def mei(shop) -> Client:
    return enter(shop, "mei")


@pytest.fixture
def hook(shop) -> Endpoint:
    return endpoint_of(shop, "https://tea.example/hook")


def form(**changes) -> dict[str, object]:
    return {"label": "店铺", "url": "https://tea.example/hook", "modes": "all", **changes}


def page_of(endpoint: Endpoint, deed: str = "") -> str:
    return f"{ENDPOINTS}{endpoint.public_id}/{deed}"


class TestNaming:
    """With the second factor; the secret is shown once."""

    def test_the_first_endpoint(self, mei, shop):
        assert "No endpoints yet" in text(mei.get(ENDPOINTS))
        asked = mei.post(f"{ENDPOINTS}new/", form(event_types=["payment.paid"]))
        assert not Endpoint.objects.filter(merchant=shop.merchant).exists()
        assert "https://tea.example/hook" in text(mei.get(asked.url))

        made = confirm(mei, asked)

        endpoint = Endpoint.objects.get(merchant=shop.merchant)
        assert made.status_code == 201
        found = SECRET.search(made.content.decode())
        assert found is not None
        assert endpoint.secret_sealed.open() == found[0].replace("&#x3D;", "=")
        assert endpoint.event_types == ["payment.paid"]
        for page in (ENDPOINTS, page_of(endpoint), page_of(endpoint, "edit/")):
            shown = text(mei.get(page))
            assert "店铺" in shown
            assert not SECRET.search(shown)
        assert AuditEntry.objects.filter(action="endpoint.added").latest("pk").actor_label == "mei"

    def test_the_second_factor_is_for_that_address_only(self, mei, shop):
        asked = mei.post(f"{ENDPOINTS}new/", form())
        confirm(mei, asked)
        again = mei.post(f"{ENDPOINTS}new/", form(url="https://evil.example/"))
        assert again.url.startswith("/confirm/")
        assert Endpoint.objects.filter(merchant=shop.merchant).count() == 1

    @pytest.mark.parametrize("url", ["ftp://x.example/", "https://", "javascript:alert(1)"])
    def test_nonsense_is_told_before_anybody_is_asked_for_a_code(self, mei, shop, url):
        answer = mei.post(f"{ENDPOINTS}new/", form(url=url))
        assert 'role="alert"' in text(answer)
        assert not Endpoint.objects.filter(merchant=shop.merchant).exists()

    def test_eleven_are_too_many(self, mei, shop):
        for number in range(10):
            endpoint_of(shop, f"https://tea.example/{number}")
        refused = confirm(mei, mei.post(f"{ENDPOINTS}new/", form()))
        assert "too_many_endpoints" in text(refused)


class TestChanging:
    """Another address takes the second factor, other changes do not."""

    def test_a_label_and_a_filter(self, mei, hook):
        done = mei.post(page_of(hook, "edit/"), form(label="账务", event_types=["refund.failed"]))
        assert done.url == page_of(hook)
        hook.refresh_from_db()
        assert (hook.label, hook.event_types) == ("账务", ["refund.failed"])

    def test_another_address(self, mei, hook):
        asked = mei.post(page_of(hook, "edit/"), form(url="https://new.example/"))
        hook.refresh_from_db()
        assert hook.url == "https://tea.example/hook"
        shown = text(mei.get(asked.url))
        assert "https://tea.example/hook" in shown
        assert "https://new.example/" in shown
        confirm(mei, asked)
        hook.refresh_from_db()
        assert hook.url == "https://new.example/"

    @pytest.mark.parametrize(("when", "lasts"), [("day", True), ("now", False)])
    def test_a_new_secret(self, mei, hook, when, lasts):
        old = hook.secret_sealed.open()
        made = confirm(mei, mei.post(page_of(hook, "secret/"), {"when": when}))
        hook.refresh_from_db()
        assert SECRET.search(made.content.decode())
        assert hook.secret_sealed.open() != old
        assert (hook.secret_before_sealed is not None) is lasts
        assert ("The old secret signs along" in text(mei.get(page_of(hook)))) is lasts

    def test_a_new_default_secret(self, mei, shop):
        old = callback_secret_of(shop.merchant.pk)
        made = confirm(mei, mei.post("/portal/callbacks/secret/", {"when": "now"}))
        assert made.status_code == 201
        assert callback_secret_of(shop.merchant.pk) != old
        assert mei.post("/portal/callbacks/secret/", {"when": "never"}).status_code == 400

    def test_off_on_and_away(self, mei, hook):
        for deed, state in [
            ("disable", EndpointState.DISABLED), ("enable", EndpointState.ACTIVE),
            ("remove", EndpointState.REMOVED),
        ]:  # fmt: skip
            mei.post(page_of(hook, "switch/"), {"deed": deed})
            hook.refresh_from_db()
            assert hook.state == state
        assert "No endpoints yet" in text(mei.get(ENDPOINTS))
        assert mei.get(page_of(hook)).status_code == 404

    def test_a_stopped_one_says_why(self, mei, hook):
        Endpoint.objects.filter(pk=hook.pk).update(state=EndpointState.GONE)
        assert "410 Gone" in text(mei.get(page_of(hook)))
        Endpoint.objects.filter(pk=hook.pk).update(state=EndpointState.FAILED)
        assert "Nothing was delivered for days" in text(mei.get(page_of(hook)))


class TestRoles:
    """Who may not manage sees, and finds no button."""

    @pytest.mark.parametrize("role", [Role.FINANCE, Role.OPERATOR, Role.READ_ONLY])
    def test_readers(self, shop, hook, role):
        wen = enter(shop, "wen", role)
        page = text(wen.get(page_of(hook)))
        assert "Send a test</button>" not in page
        assert "Switch off" not in page
        assert "Replace the secret" not in text(wen.get(ENDPOINTS))
        assert wen.post(page_of(hook, "switch/"), {"deed": "disable"}).status_code == 403

    def test_a_developer_may(self, shop, hook):
        dev = enter(shop, "dev", Role.DEVELOPER)
        dev.post(page_of(hook, "switch/"), {"deed": "disable"})
        hook.refresh_from_db()
        assert hook.state == EndpointState.DISABLED

    def test_another_merchants_is_not_there(self, books, hook, shop):
        sell(shop)
        yun = enter(books, "yun")
        event, callback = Event.objects.latest("pk"), Callback.objects.latest("pk")
        for answer in (
            yun.get(page_of(hook)), yun.post(page_of(hook, "test/")),
            yun.get(page_of(hook, "again/")),
            yun.get(f"/portal/callbacks/events/{event.public_id}/"),
            yun.post(f"/portal/callbacks/sent/{callback.pk}/again/"),
        ):  # fmt: skip
            assert answer.status_code == 404


class TestTrying:
    """A test shows the status, the first bytes and the time."""

    def test_a_test_from_the_page(self, mei, hook, monkeypatch):
        asked = mei.post(page_of(hook, "test/"))
        waiting = text(mei.get(asked.url))
        assert "data-look-again" in waiting
        callback = Callback.objects.get(event__type=TEST)
        CallbackTry.objects.create(
            callback=callback, number=1, at=timezone.now(), status=201, error="", duration_ms=42,
            answer="<i>fine</i>",
        )  # fmt: skip
        callback.state, callback.due_at = CallbackState.DELIVERED, None
        callback.ended_at = timezone.now()
        callback.save()
        shown = text(mei.get(asked.url))
        for word in ("HTTP 201", "42 ms", "&lt;i&gt;fine", "Delivered"):
            assert word in shown
        assert "http-equiv" not in shown
        assert "Test" in text(mei.get(page_of(hook)))
        assert "endpoint.test" not in text(mei.get("/portal/callbacks/"))

    def test_not_twice_at_once(self, mei, hook):
        mei.post(page_of(hook, "test/"))
        again = mei.post(page_of(hook, "test/"))
        assert "test_too_soon" in text(mei.get(again.url))
        assert Event.objects.filter(type=TEST).count() == 1


class TestLog:
    """Every try and the next one; by state; and again."""

    def test_an_events_page_shows_each_receiver(self, mei, hook, shop):
        second = endpoint_of(shop, "https://second.example/")
        payment = sell(shop)
        CallbackTry.objects.create(
            callback=Callback.objects.get(endpoint=second), number=1, at=NOON, status=None,
            error="timeout", duration_ms=15000, answer="",
        )  # fmt: skip
        event = Event.objects.get(subject=payment.id)
        assert event.public_id in text(mei.get("/portal/callbacks/?type=payment.paid"))
        assert "No event found" in text(mei.get("/portal/callbacks/?type=refund.failed"))
        page = text(mei.get(f"/portal/callbacks/events/{event.public_id}/"))
        for word in (hook.url, second.url, "timeout", "Next try at", "payment.paid"):
            assert word in page

    def test_the_log_of_an_endpoint_by_state(self, mei, hook, shop):
        sell(shop, "T1")
        sell(shop, "T2")
        gone = Callback.objects.earliest("pk")
        gone.state, gone.due_at, gone.ended_at = CallbackState.GIVEN_UP, None, NOON
        gone.save()
        events = {c.state: c.event.public_id for c in Callback.objects.select_related("event")}
        everything = text(mei.get(page_of(hook)))
        given_up = text(mei.get(page_of(hook, "?state=given_up")))
        assert all(number in everything for number in events.values())
        assert events["given_up"] in given_up
        assert events["pending"] not in given_up
        assert "Nothing of this status" in text(mei.get(page_of(hook, "?state=delivered")))

        mei.post(f"/portal/callbacks/sent/{gone.pk}/again/")
        done = mei.post(f"/portal/callbacks/sent/{gone.pk}/again/")

        assert done.url == f"/portal/callbacks/events/{events['given_up']}/"
        assert Callback.objects.filter(event=gone.event, state="pending").count() == 1

    def test_the_log_is_turned_over_by_key(self, mei, hook, shop, monkeypatch):
        monkeypatch.setattr("payments.portal.endpoint_pages.PAGE", 2)
        for number in range(3):
            sell(shop, f"T{number}")
        first = text(mei.get(page_of(hook)))
        older = re.search(r'rel="next" href="([^"]+)"', first)
        assert older is not None
        oldest = Callback.objects.earliest("pk").event.public_id
        assert oldest not in first
        assert oldest in text(mei.get(page_of(hook, older[1].replace("&amp;", "&"))))

    def test_a_span_is_counted_first(self, mei, hook, shop):
        sell(shop, "T1")
        sell(shop, "T2")
        Callback.objects.update(state=CallbackState.GIVEN_UP, due_at=None, ended_at=NOON)
        now = timezone.localtime()
        span = {
            "since": min(now, timezone.localtime(NOON)) - timedelta(days=2),
            "until": max(now, timezone.localtime(NOON)) + timedelta(days=2),
        }
        asked = {key: at.strftime(MOMENT) for key, at in span.items()} | {"which": "missed"}
        counted = text(mei.post(page_of(hook, "again/"), asked))
        assert "2 events are sent." in counted
        assert not Callback.objects.filter(state="pending").exists()

        done = mei.post(page_of(hook, "again/"), {**asked, "send": "1"})

        assert "2 events are sent again." in text(mei.get(done.url))
        assert Callback.objects.filter(state="pending", endpoint=hook).count() == 2
        assert AuditEntry.objects.get(action="endpoint.resent").facts["events"] == 2
        nothing = text(mei.post(page_of(hook, "again/"), asked))
        assert "There is nothing to send." in nothing

    @pytest.mark.parametrize(
        ("since", "until", "word"),
        [("2026-11-02T00:00", "2026-11-01T00:00", "The end must be after"),
         ("2026-01-01T00:00", "2026-11-01T00:00", "span_invalid"),
         ("", "soon", 'class="error"')],
    )  # fmt: skip
    def test_senseless_spans(self, mei, hook, since, until, word):
        asked = {"since": since, "until": until, "which": "all", "send": "1"}
        assert word in text(mei.post(page_of(hook, "again/"), asked))

    def test_too_much_at_once_is_not_sent(self, mei, hook, shop, monkeypatch):
        monkeypatch.setattr("payments.callbacks.resending.RANGE_MAX", 1)
        monkeypatch.setattr("payments.portal.callback_pages.RANGE_MAX", 1)
        sell(shop, "T1")
        sell(shop, "T2")
        Callback.objects.all().delete()
        at = timezone.localtime()
        asked = {
            "since": (min(at, timezone.localtime(NOON)) - timedelta(days=2)).strftime(MOMENT),
            "until": (max(at, timezone.localtime(NOON)) + timedelta(days=2)).strftime(MOMENT),
            "which": "all",
        }
        assert "More than 1 events" in text(mei.post(page_of(hook, "again/"), asked))
        refused = mei.post(page_of(hook, "again/"), {**asked, "send": "1"})
        assert "too_many_to_resend" in text(refused)
        assert not Callback.objects.exists()


class TestOffice:
    """Operators switch off and send again, for a reason; others read."""

    @staticmethod
    def office(role: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        hire("gao", roles=[role]).sign_in(client)
        return client

    def test_switching_off(self, hook):
        gao = self.office("operator")
        page = f"/admin/payments/endpoint/{hook.pk}/change/"
        shown = gao.get(page).content.decode()
        assert "Switch the endpoint off" in shown
        assert hook.secret_sealed.held not in shown
        gao.post(f"/admin/payments/endpoint/{hook.pk}/disable/", {"reason": " "})
        hook.refresh_from_db()
        assert hook.state == EndpointState.ACTIVE
        gao.post(f"/admin/payments/endpoint/{hook.pk}/disable/", {"reason": "floods a neighbour"})
        hook.refresh_from_db()
        assert hook.state == EndpointState.DISABLED
        entry = AuditEntry.objects.get(action="endpoint.disabled")
        assert (entry.actor_label, entry.reason) == ("gao", "floods a neighbour")
        again = gao.post(f"/admin/payments/endpoint/{hook.pk}/disable/", {"reason": "again"})
        assert "illegal_move" in gao.get(again["Location"]).content.decode()

    def test_sending_again(self, shop, hook):
        sell(shop)
        Callback.objects.update(state=CallbackState.GIVEN_UP, due_at=None, ended_at=NOON)
        sent = Callback.objects.get()
        gao = self.office("operator")
        assert (
            "Send again" in gao.get(f"/admin/payments/callback/{sent.pk}/change/").content.decode()
        )
        gao.post(f"/admin/payments/callback/{sent.pk}/resend/", {"reason": "asked by phone"})
        assert Callback.objects.filter(event=sent.event, state="pending").count() == 1
        assert AuditEntry.objects.get(action="event.replayed").reason == "asked by phone"

    def test_others_only_read(self, hook):
        other = self.office("risk")
        page = other.get(f"/admin/payments/endpoint/{hook.pk}/change/").content.decode()
        assert "Switch the endpoint off" not in page
        answer = other.post(f"/admin/payments/endpoint/{hook.pk}/disable/", {"reason": "x"})
        assert answer.status_code == 403
        assert hook.label in other.get("/admin/payments/endpoint/").content.decode()
