"""Where somebody is signed in: for how long, seen by whom, and ended how."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import BrowserSession
from compliance.identity.roles import revoke_role
from compliance.identity.sessions import KEPT, forget_old_sessions
from compliance.identity.states import Ending, StaffRole
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from tests.compliance.people import Person, hire

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone) Safari/604.1"


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


def browser(agent: str = FIREFOX) -> Client:
    return Client(headers={"accept-language": "en", "user-agent": agent})


@pytest.fixture
def shen():
    return hire("shen", roles=["compliance_officer"])


@pytest.fixture
def lin():
    """Of a merchant, with the longer limits."""
    person = hire("lin")
    shop = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=timezone.now())
    add_member(
        merchant_id=shop.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=timezone.now()
    )
    return person


def signed_in(person: Person, agent: str = FIREFOX) -> Client:
    client = browser(agent)
    person.sign_in(client)
    return client


def is_open(client: Client, page: str) -> bool:
    return client.get(page).status_code == 200


class TestLimits:
    """A session that nobody uses ends, and one that is used ends too, later."""

    def test_the_staff_is_out_after_a_quarter_of_an_hour(self, shen):
        client = signed_in(shen)
        with after(minutes=14):
            assert is_open(client, "/compliance/")
        with after(minutes=28):
            assert is_open(client, "/compliance/")
        with after(minutes=44):
            answer = client.get("/compliance/audit/")
            assert answer.status_code == 302
            assert answer["Location"] == "/signin/?next=%2Fcompliance%2Faudit%2F"
            told = client.get(answer["Location"]).content.decode()
            assert "You are signed out: Not used for too long" in told
        assert BrowserSession.objects.get().ended_why == Ending.IDLE

    def test_a_merchants_people_have_half_an_hour(self, lin):
        client = signed_in(lin)
        with after(minutes=29):
            assert is_open(client, "/portal/")
        with after(minutes=60):
            assert not is_open(client, "/portal/")

    def test_the_staff_is_out_after_eight_hours_however_busy(self, shen):
        client = signed_in(shen)
        for minutes in range(10, 8 * 60, 10):
            with after(minutes=minutes):
                assert is_open(client, "/compliance/"), minutes
        with after(hours=8, seconds=1):
            assert not is_open(client, "/compliance/")
        assert BrowserSession.objects.get().ended_why == Ending.OVER

    def test_asking_how_long_it_lasts_does_not_lengthen_it(self, shen):
        client = signed_in(shen)
        with after(minutes=10):
            assert 290 <= client.get("/account/session/").json()["seconds_left"] <= 300
        with after(minutes=14):
            assert 50 <= client.get("/account/session/").json()["seconds_left"] <= 60
            assert client.post("/account/session/").json()["seconds_left"] == 900
        with after(minutes=28):
            assert is_open(client, "/compliance/")

    def test_what_is_sent_after_the_end_is_not_done(self, lin):
        client = signed_in(lin)
        form = {"label": "till", "scopes": ["payments.read"]}
        with after(minutes=31):
            answer = client.post("/portal/keys/", form)
            assert answer["Location"] == "/signin/"
            assert "was not done" in client.get("/signin/").content.decode()

    def test_pages_know_when_to_warn(self, shen):
        page = signed_in(shen).get("/compliance/").content.decode()
        assert '<meta name="session" content="900"' in page
        assert "js/session.js" in page
        assert 'name="session"' not in browser().get("/signin/").content.decode()


class TestOwnSessions:
    """Everybody sees where they are signed in."""

    def test_another_browser_is_seen_and_ended(self, shen):
        desk, phone = signed_in(shen), None
        with after(seconds=60):
            phone = signed_in(shen, PHONE)
            page = desk.get("/account/").content.decode()
            assert "Safari, iPhone" in page
            assert page.count("this one") == 1
            other = BrowserSession.objects.get(agent=PHONE).public_id
            assert desk.post("/account/sessions/end/", {"session": other}).status_code == 302
            assert not is_open(phone, "/compliance/")
            assert "Ended from another browser" in phone.get("/signin/").content.decode()
            assert is_open(desk, "/compliance/")
        entry = AuditEntry.objects.filter(action="session.ended").get()
        assert entry.facts == {"username": "shen", "sessions": 1, "why": "by_owner"}

    def test_all_others_are_ended_at_once(self, shen):
        others = []
        for minutes in (1, 2, 3):
            with after(minutes=minutes):
                others.append(signed_in(shen, PHONE))
        with after(minutes=4):
            desk = signed_in(shen)
            desk.post("/account/sessions/end/", {"session": "others"})
            assert [is_open(other, "/compliance/") for other in others] == [False] * 3
            assert is_open(desk, "/compliance/")

    def test_nobody_ends_somebody_elses(self, shen, lin):
        desk = signed_in(shen)
        other = BrowserSession.objects.get().public_id
        stranger = signed_in(lin)
        for wanted in (other, "ses_00000000000000000000000000", "", "'"):
            answer = stranger.post("/account/sessions/end/", {"session": wanted})
            assert answer.status_code == 404
        assert is_open(desk, "/compliance/")

    def test_a_program_calls_itself_what_it_wants(self, shen):
        signed_in(shen, "curl\x1b[31m\u202e" + "x" * 500)
        agent = BrowserSession.objects.get().agent
        assert agent.startswith("curl [31m x")
        assert len(agent) <= 200

    def test_the_key_itself_is_kept_nowhere(self, shen):
        client = signed_in(shen)
        key = client.cookies["sessionid"].value
        row = BrowserSession.objects.get()
        assert key.encode() not in bytes(row.key_digest)


class TestOtherEnds:
    """What else ends a session, and that the row says so."""

    def test_signing_out(self, shen):
        client = signed_in(shen)
        stolen = browser()
        stolen.cookies["sessionid"] = client.cookies["sessionid"].value
        client.post("/signout/")
        assert not is_open(stolen, "/compliance/")
        assert BrowserSession.objects.get().ended_why == Ending.SIGNED_OUT

    def test_losing_a_role(self, shen):
        client = signed_in(shen)
        revoke_role(
            user=shen.user, role=StaffRole.COMPLIANCE_OFFICER, actor=SYSTEM, at=timezone.now()
        )
        assert not is_open(client, "/account/")
        assert BrowserSession.objects.get().ended_why == Ending.ROLES

    def test_a_session_that_nobody_noted_opens_nothing(self, shen):
        client = signed_in(shen)
        BrowserSession.objects.all().delete()
        assert not is_open(client, "/compliance/")

    def test_old_ones_are_forgotten(self, shen):
        signed_in(shen)
        assert forget_old_sessions(at=timezone.now() + KEPT - timedelta(hours=1)) == 0
        assert forget_old_sessions(at=timezone.now() + KEPT + timedelta(hours=1)) == 1
