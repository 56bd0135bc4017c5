"""Signing in: a password, then a code, then the page one wanted."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.address import client_address
from compliance.identity.devices import remove_all_devices, show_code
from compliance.identity.models import Authenticator, User
from compliance.identity.signin import safe_next
from tests.compliance.people import PASSWORD, SECRET, code_now, hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin():
    return hire("lin")


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


@pytest.fixture
def client():
    return Client(headers={"accept-language": "en"})


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


class TestTheWayIn:
    """Both factors, in this order."""

    def test_lin_signs_in_and_arrives_where_she_wanted(self, client, lin):
        asked = client.get("/portal/keys/")
        assert asked.url == "/signin/?next=%2Fportal%2Fkeys%2F"

        first = lin.type_password(client, page="/portal/keys/")
        second = client.post("/signin/code/", {"code": code_now()})

        assert (first.status_code, first.url) == (302, "/signin/code/")
        assert (second.status_code, second.url) == (302, "/portal/keys/")
        assert client.session["_auth_user_id"] == str(lin.user.pk)
        assert actions()[-1] == "signin.succeeded"

    def test_a_code_may_be_typed_with_the_space_that_apps_show(self, client, lin):
        lin.type_password(client)
        code = code_now()

        answer = client.post("/signin/code/", {"code": f" {code[:3]} {code[3:]}"})

        assert answer.status_code == 302

    def test_staff_go_to_the_admin_and_merchants_to_the_portal(self, client, lin):
        officer = hire("shen", roles=["compliance_officer"])

        assert lin.sign_in(client).url == "/portal/"
        assert hire("he", is_staff=True).sign_in(Client()).url == "/admin/"
        assert officer.sign_in(Client()).url == "/compliance/"

    def test_who_is_signed_in_is_sent_on(self, client, lin):
        lin.sign_in(client)

        assert client.get("/signin/?next=/portal/team/").url == "/portal/team/"

    def test_a_page_of_the_admin_is_reached_through_our_sign_in(self, client):
        he = hire("he", is_staff=True, is_superuser=True)

        asked = client.get("/admin/compliance/user/", follow=True)
        wanted = asked.context["next"]

        assert asked.redirect_chain[-1][0].startswith("/signin/?next=")
        assert he.sign_in(client, page=wanted).url == "/admin/compliance/user/"
        assert client.get("/admin/compliance/user/").status_code == 200
        assert client.get("/admin/login/?next=//evil.example").url == "/admin/"

    def test_who_is_not_staff_is_turned_away_from_the_admin_without_going_in_circles(
        self, client, lin
    ):
        lin.sign_in(client)

        assert client.get("/admin/", follow=True).status_code == 403

    def test_pages_come_in_the_persons_language_after_signing_in(self, client):
        mei = hire("mei", language="zh-hans")

        mei.sign_in(client)

        assert client.cookies["django_language"].value == "zh-hans"

    def test_sign_in_pages_are_never_cached_and_hold_no_script_of_their_own(self, client):
        answer = client.get("/signin/")

        assert "no-store" in answer["Cache-Control"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert not re.search(rb"<script(?![^>]*src=)|style=|onclick", answer.content)

    def test_signing_out_takes_a_post_and_ends_the_session(self, client, lin):
        lin.sign_in(client)

        assert client.get("/signout/").status_code == 405
        assert client.post("/signout/").url == "/signin/"
        assert client.get("/portal/keys/").url.startswith("/signin/")
        assert actions()[-1] == "signin.ended"

    def test_a_stranger_may_sign_out_too(self, client):
        assert client.post("/signout/").status_code == 302


class TestThePassword:
    """The first step opens nothing and tells nothing."""

    def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(self):
        def answer_to(username: str, password: str) -> str:
            form = {"username": username, "password": password}
            page = Client(headers={"accept-language": "en"}).post("/signin/", form)
            assert page.status_code == 200
            text = page.content.decode().replace(username, "NAME")
            return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)

        hire("yun.books")
        wrong = answer_to("yun.books", "something else")

        assert "do not belong together" in wrong
        assert answer_to("no.body", "something else") == wrong

    def test_a_deactivated_person_gets_the_same_answer(self, client, lin):
        User.objects.update(is_active=False)

        assert b"do not belong together" in lin.type_password(client).content

    def test_the_password_alone_opens_no_page(self, client, lin):
        lin.type_password(client)

        assert client.get("/portal/keys/").url.startswith("/signin/")
        assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/signin/")
        assert client.get("/compliance/").url.startswith("/signin/")

    def test_the_code_page_without_the_password_leads_back(self, client):
        assert client.get("/signin/code/").url == "/signin/"
        assert client.post("/signin/code/", {"code": "123456"}).url == "/signin/"
        assert client.get("/signin/enrol/").url == "/signin/"

    def test_five_wrong_passwords_pause_the_name_even_for_the_right_one(self, client, lin):
        answers = [lin.type_password(client, password="wrong") for _ in range(5)]
        right = lin.type_password(client)

        assert answers[-1].status_code == 429
        assert right.status_code == 429
        assert b"Try again in 15 minutes" in right.content

    @pytest.mark.parametrize("name", ["lin", "nobody"])
    def test_each_further_pause_of_a_day_is_twice_as_long(self, client, lin, name):
        form = {"username": name, "password": "wrong"}
        start, waited = timezone.now(), timedelta()
        for minutes in (15, 30, 60, 120, 240, 240):
            with time_machine.travel(start + waited, tick=False):
                answers = [client.post("/signin/", form).status_code for _ in range(5)]
                assert answers == [200] * 4 + [429]
                told = client.post("/signin/", form)
                assert f"Try again in {minutes} minutes".encode() in told.content
            waited += timedelta(minutes=minutes)
            with time_machine.travel(start + waited - timedelta(seconds=5), tick=False):
                assert client.post("/signin/", form).status_code == 429
            waited += timedelta(seconds=1)

    def test_an_unknown_name_is_paused_just_the_same(self, client):
        form = {"username": "nobody", "password": "wrong"}

        answers = [client.post("/signin/", form) for _ in range(5)]

        assert answers[-1].status_code == 429

    def test_others_at_the_same_address_can_still_sign_in(self, client, lin):
        for _ in range(6):
            lin.type_password(client, password="wrong")

        assert hire("yun").type_password(client).url == "/signin/code/"

    def test_an_old_password_step_does_not_count(self, client, lin):
        lin.type_password(client)
        session = client.session
        session["signin"] = {**session["signin"], "at": session["signin"]["at"] - 601}
        session.save()

        assert client.post("/signin/code/", {"code": code_now()}).url == "/signin/"

    def test_a_password_changed_meanwhile_ends_the_waiting_sign_in(self, client, lin):
        lin.type_password(client)
        lin.user.set_password("another password altogether")
        lin.user.save()

        assert client.post("/signin/code/", {"code": code_now()}).url == "/signin/"

    def test_a_person_deactivated_meanwhile_does_not_get_in(self, client, lin):
        lin.type_password(client)
        User.objects.update(is_active=False)

        assert client.post("/signin/code/", {"code": code_now()}).url == "/signin/"


class TestTheCode:
    """A code counts once, for one person, and guesses cost time."""

    def test_a_code_that_was_used_is_refused(self, client, lin):
        code = code_now()
        lin.type_password(client)
        assert client.post("/signin/code/", {"code": code}).status_code == 302

        thief = Client(headers={"accept-language": "en"})
        lin.type_password(thief)
        answer = thief.post("/signin/code/", {"code": code})

        assert b"was used before" in answer.content
        assert "_auth_user_id" not in thief.session

    def test_after_a_newer_code_an_older_one_is_refused(self, client, lin):
        lin.type_password(client)
        client.post("/signin/code/", {"code": code_now(steps=1)})
        again = Client()
        lin.type_password(again)

        assert again.post("/signin/code/", {"code": code_now()}).status_code == 200

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_a_phone_whose_clock_is_half_a_minute_off_works(self, client, lin, steps):
        lin.type_password(client)

        assert client.post("/signin/code/", {"code": code_now(steps=steps)}).status_code == 302

    @pytest.mark.parametrize("steps", [-3, 3])
    def test_a_code_of_another_time_is_refused(self, client, lin, steps):
        lin.type_password(client)

        assert client.post("/signin/code/", {"code": code_now(steps=steps)}).status_code == 200

    @pytest.mark.parametrize(
        "code", ["", "12345", "1234567", "abcdef", "-12345", "１２３４５６", "1e5"]
    )
    def test_what_is_no_code_is_refused(self, client, lin, code):
        lin.type_password(client)

        assert client.post("/signin/code/", {"code": code}).status_code == 200
        assert "_auth_user_id" not in client.session

    def test_each_wrong_code_doubles_the_wait_and_the_right_one_has_to_wait_too(self, client, lin):
        lin.type_password(client)
        client.post("/signin/code/", {"code": "000000"})

        too_soon = client.post("/signin/code/", {"code": code_now()})

        assert b"Too many wrong codes. Try again in" in too_soon.content
        Authenticator.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(60))
        assert client.post("/signin/code/", {"code": code_now()}).status_code == 302
        assert Authenticator.objects.get().throttling_failure_count == 0
        assert actions().count("second_factor.refused") == 1

    def test_the_code_of_another_person_does_not_count(self, client, lin):
        hire("yun", has_device=False)
        other = Authenticator.objects.get()
        other.keep_secret("A" * 32)
        other.save()
        lin.type_password(client)

        assert client.post("/signin/code/", {"code": code_now()}).status_code == 200

    def test_a_database_dump_does_not_give_the_secret_away(self, lin):
        kept = Authenticator.objects.values().get()

        assert SECRET not in str(kept)
        assert Authenticator.objects.get().secret == SECRET


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_twice_at_once_opens_one_door():
    lin = hire("lin")
    code, outcome, start = code_now(), [], threading.Barrier(2)

    def show() -> None:
        start.wait(5)
        shown = show_code(user=lin.user, code=code, actor=SYSTEM, at=timezone.now())
        outcome.append(shown.device is not None)
        connection.close()

    threads = [threading.Thread(target=show) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcome) == [False, True]


class TestEnrolment:
    """The first sign-in sets up the second factor."""

    def test_a_new_person_scans_a_code_and_is_in(self, client):
        yun = hire("yun", has_device=False)

        assert yun.type_password(client).url == "/signin/enrol/"
        page = client.get("/signin/enrol/").content.decode()
        device = Authenticator.objects.get()
        answer = client.post("/signin/enrol/", {"code": code_now(secret=device.secret)})

        assert "<svg" in page
        assert device.secret[:4] in page
        assert answer.url == "/portal/"
        assert Authenticator.objects.get().confirmed
        assert actions() == ["second_factor.enrolled", "signin.succeeded"]

    def test_reading_the_page_again_shows_the_same_secret(self, client):
        hire("yun", has_device=False).type_password(client)

        client.get("/signin/enrol/")
        first = Authenticator.objects.get().secret
        client.get("/signin/enrol/")

        assert Authenticator.objects.get().secret == first

    def test_an_enrolment_left_lying_starts_over(self, client):
        hire("yun", has_device=False).type_password(client)
        client.get("/signin/enrol/")
        first = Authenticator.objects.get().secret
        Authenticator.objects.update(created_at=timezone.now() - timedelta(hours=1))

        client.get("/signin/enrol/")

        assert Authenticator.objects.get().secret != first

    def test_a_wrong_code_does_not_enrol(self, client):
        hire("yun", has_device=False).type_password(client)
        client.get("/signin/enrol/")

        assert client.post("/signin/enrol/", {"code": "000000"}).status_code == 200
        assert not Authenticator.objects.get().confirmed

    def test_who_has_an_authenticator_cannot_add_one_with_the_password_alone(self, client, lin):
        lin.type_password(client)

        assert client.get("/signin/enrol/").url == "/signin/code/"
        assert client.post("/signin/enrol/", {"code": code_now()}).url == "/signin/code/"
        assert Authenticator.objects.count() == 1

    def test_a_lost_authenticator_taken_away_ends_its_sessions(self, client, lin):
        lin.sign_in(client)
        assert client.get("/signin/").status_code == 302

        remove_all_devices(user=lin.user, actor=SYSTEM, at=timezone.now())

        assert client.get("/signin/").status_code == 200
        assert lin.type_password(client).url == "/signin/enrol/"
        assert "second_factor.removed" in actions()


class TestTheSession:
    """Its key changes with every rise of rights."""

    def test_the_session_key_changes_at_each_step(self, client, lin):
        session = client.session
        session["planted"] = "by someone else"
        session.save()
        planted = session.session_key
        client.cookies["sessionid"] = planted

        lin.type_password(client)
        after_password = client.session.session_key
        client.post("/signin/code/", {"code": code_now()})
        after_code = client.session.session_key

        assert len({planted, after_password, after_code}) == 3
        assert "planted" not in client.session
        assert "signin" not in client.session

    def test_an_old_session_key_opens_nothing(self, client, lin):
        lin.type_password(client)
        before = client.session.session_key
        client.post("/signin/code/", {"code": code_now()})

        thief = Client()
        thief.cookies["sessionid"] = before

        assert thief.get("/portal/keys/")["Location"].startswith("/signin/")

    def test_a_session_without_second_factor_opens_nothing(self, client, lin):
        client.force_login(lin.user, "django.contrib.auth.backends.ModelBackend")

        assert client.get("/portal/keys/").url.startswith("/signin/")
        assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/signin/")

    def test_forms_demand_their_token(self, lin):
        strict = Client(enforce_csrf_checks=True)

        assert lin.type_password(strict).status_code == 403


EVIL = [
    "https://evil.example", "http:evil.example", "//evil.example", "///evil.example",
    "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
    " //evil.example", "/ /evil.example", "javascript:alert(1)", "data:text/html,x",
    "//evil.example/portal/", "/\x00/evil.example", "https:/evil.example", "evil.example",
    "/\\/evil.example", "//\u3002evil.example", "http://127.0.0.1@evil.example", "portal/",
    "\x08//evil.example", "/portal/\r\nSet-Cookie: a=b", "/\u2028/evil.example", "", "/" * 3000,
    "/" + "a" * 3000,
]  # fmt: skip


class TestWhereToNext:
    """`next` never leads away from here."""

    @pytest.mark.parametrize("wanted", EVIL)
    def test_a_page_elsewhere_is_never_gone_to(self, client, lin, wanted):
        assert safe_next(wanted) == ""

        page = client.get("/signin/", {"next": wanted})
        lin.type_password(client, page=wanted)
        arrived = client.post("/signin/code/", {"code": code_now()}).url

        assert arrived == "/portal/"
        assert page.context["next"] == ""

    @pytest.mark.parametrize(
        "wanted", ["/", "/portal/", "/portal/payments/?status=paid&page=2", "/admin/#top", "/a//b"]
    )
    def test_a_page_here_is_gone_to(self, wanted):
        assert safe_next(wanted) == wanted

    @given(st.text(max_size=40))
    def test_whatever_is_wanted_the_browser_stays_here(self, wanted):
        page = safe_next(wanted)

        assert page in {"", wanted}
        assert not page or (page[0] == "/" and page[1:2] not in {"/", "\\"})
        assert not re.search(r"[\s\\\x00-\x1f]", page)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "address"),
    [
        (0, "203.0.113.9", "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1", ""),
        (1, "<script>", "10.0.0.1", ""),
        (0, "", "", ""),
    ],
)
def test_the_address_of_a_caller_is_what_our_own_proxies_wrote(
    settings, proxies, forwarded, remote, address
):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == address


def test_the_password_itself_is_nowhere_in_the_trail(client, lin):
    lin.type_password(client, password="wrong but secret")
    lin.sign_in(client)

    told = str(list(AuditEntry.objects.values()))
    assert PASSWORD not in told
    assert "wrong but secret" not in told
