"""People come by invitation, choose their passwords themselves, and may sign in by a letter."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from compliance.approvals.decide import approve
from compliance.approvals.email_changes import request_email
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity import evenly
from compliance.identity.letters import TRIES_MAX, forget_old_letters, send_letters
from compliance.identity.models import BrowserSession, Letter, MailedLink, User
from compliance.identity.people import invite
from tests.compliance.people import PASSWORD, code_now, confirm, hire

pytestmark = pytest.mark.django_db

GOOD = "seven herons over the paddy"
INVITATION = {
    "username": "yun", "display_name": "云舒", "email": "yun@example.com", "language": "en",
    "person_ref": "",
}  # fmt: skip


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def mailed() -> str:
    """Deliver what waits; the path of the link in the last letter."""
    send_letters(at=timezone.now())
    found: list[str] = re.findall(r"http://[^/\s]+(/link/\S+)", str(mail.outbox[-1].body))
    return found[-1]


def choose(client: Client, path: str, password: str = GOOD, again: str = ""):
    """Click the link and choose a password behind it."""
    clicked = client.get(path)
    assert clicked.status_code == 302
    assert clicked["Location"] == "/link/", "the secret leaves the address"
    return client.post("/link/", {"password": password, "again": again or password})


@pytest.fixture
def office():
    client = browser()
    hire("wei", roles=["administrator"]).sign_in(client)
    return client


@pytest.fixture
def lin():
    return hire("lin")


class TestInvitation:
    """No account has a password that somebody else knew."""

    def test_from_the_administrators_form_to_the_first_sign_in(self, office):
        answer = office.post("/admin/compliance/user/add/", INVITATION)
        assert answer.status_code == 302
        yun = User.objects.get(username="yun")
        assert not yun.has_usable_password()
        path = mailed()
        assert mail.outbox[-1].to == ["yun@example.com"]
        assert mail.outbox[-1].subject == "Your account at Paysite"

        mine = browser()
        assert "Welcome, 云舒" in mine.get(path, follow=True).content.decode()
        assert choose(mine, path)["Location"] == "/signin/"
        signed = mine.post("/signin/", {"username": "yun", "password": GOOD})
        assert signed["Location"] == "/signin/enrol/"
        deeds = AuditEntry.objects.filter(subject_id=str(yun.pk)).values_list("action", flat=True)
        assert {"person.added", "person.invited", "person.joined"} <= set(deeds)

    def test_the_form_takes_nothing_else(self, office):
        extra = {"is_superuser": "on", "is_staff": "on", "is_active": "", "password": GOOD,
                 "password1": GOOD, "password2": GOOD, "role": "administrator"}  # fmt: skip
        office.post("/admin/compliance/user/add/", {**INVITATION, **extra})
        yun = User.objects.get(username="yun")
        assert (yun.is_superuser, yun.is_staff, yun.is_active) == (False, False, True)
        assert not yun.has_usable_password()
        office.post(f"/admin/compliance/user/{yun.pk}/change/", {
            **INVITATION, **extra, "is_active": "on", "email": "thief@example.com",
            "role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0",
        })  # fmt: skip
        yun.refresh_from_db()
        assert (yun.is_superuser, yun.is_staff, yun.email) == (False, False, "yun@example.com")
        assert not yun.has_usable_password()

    def test_a_language_that_no_page_has_is_refused(self, office):
        answer = office.post("/admin/compliance/user/add/", {**INVITATION, "language": "../x"})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["language"]
        assert not User.objects.filter(username="yun").exists()

    def test_it_opens_once_and_for_three_days(self, office):
        office.post("/admin/compliance/user/add/", INVITATION)
        path = mailed()
        with after(hours=73):
            assert browser().get(path, follow=True).status_code == 410
        assert choose(browser(), path).status_code == 302
        late = browser().get(path, follow=True)
        assert late.status_code == 410
        assert "opens nothing any more" in late.content.decode()

    def test_sent_again_only_the_last_one_opens(self, office):
        office.post("/admin/compliance/user/add/", INVITATION)
        first = mailed()
        yun = User.objects.get(username="yun")
        page = f"/admin/compliance/user/{yun.pk}/link/"
        assert Letter.objects.count() == 1
        done = confirm(office, office.post(page))
        assert done["Location"] == f"/admin/compliance/user/{yun.pk}/change/"
        second = mailed()
        assert browser().get(first, follow=True).status_code == 410
        assert browser().get(second, follow=True).status_code == 200

    def test_a_second_look_for_one_person_is_none_for_another(self, office, lin):
        office.post("/admin/compliance/user/add/", INVITATION)
        yun = User.objects.get(username="yun")
        asked = office.post(f"/admin/compliance/user/{lin.user.pk}/link/")
        assert lin.user.email in office.get(asked.url).content.decode()
        office.post(asked.url, {"code": code_now(steps=1)})
        other = office.post(f"/admin/compliance/user/{yun.pk}/link/")
        assert other.url.startswith("/confirm/")
        assert not Letter.objects.filter(user=lin.user).exists()
        assert Letter.objects.filter(user=yun).count() == 1

    def test_opening_links_without_end_ends_with_a_wait(self, settings):
        settings.LIMITS = {**settings.LIMITS, "link.open": (2, 900, "closed")}
        guesses = [browser().get(f"/link/password/{n}/").status_code for n in range(3)]
        assert guesses == [302, 302, 429]

    def test_a_head_counts_as_the_look_that_it_is(self, settings):
        settings.LIMITS = {**settings.LIMITS, "link.open": (2, 900, "closed")}
        guesses = [browser().head(f"/link/password/{n}/").status_code for n in range(3)]
        assert guesses == [302, 302, 429]

    def test_whoever_was_switched_off_does_not_join(self, office):
        office.post("/admin/compliance/user/add/", INVITATION)
        path = mailed()
        User.objects.filter(username="yun").update(is_active=False)
        assert browser().get(path, follow=True).status_code == 410

    def test_nobody_sets_somebody_elses_password(self, office, lin):
        assert office.get(f"/admin/compliance/user/{lin.user.pk}/password/").status_code == 302
        assert office.post(
            f"/admin/compliance/user/{lin.user.pk}/password/", {"password1": GOOD}, follow=True
        ).status_code in {200, 404}
        lin.user.refresh_from_db()
        assert lin.user.check_password(PASSWORD)

    def test_only_who_may_change_people_sends_links_and_ends_sessions(self, lin):
        clerk = browser()
        hire("shen", roles=["operator"]).sign_in(clerk)
        for page in ("link", "sessions"):
            answer = clerk.post(f"/admin/compliance/user/{lin.user.pk}/{page}/", {"reason": "x"})
            assert answer.status_code == 403
        assert not Letter.objects.exists()


class TestForgotten:
    """A new password by letter; the second factor stays."""

    def ask(self, client: Client, email: str, kind: str = "password"):
        return client.post("/signin/forgotten/", {"email": email, "kind": kind})

    def test_a_new_password_ends_all_sessions_and_keeps_the_second_factor(self, lin):
        desk = browser()
        lin.sign_in(desk)
        self.ask(browser(), lin.user.email.upper())
        path = mailed()
        assert choose(browser(), path).status_code == 302
        assert desk.get("/account/").status_code == 302
        assert BrowserSession.objects.get().ended_why == "password"
        again = browser()
        assert again.post("/signin/", {"username": "lin", "password": PASSWORD}).status_code == 200
        entered = again.post("/signin/", {"username": "lin", "password": GOOD})
        assert entered["Location"] == "/signin/code/"
        send_letters(at=timezone.now())
        assert "was changed" in mail.outbox[-1].subject or "更改" in mail.outbox[-1].subject

    def test_whoever_guessed_at_the_old_one_too_often_gets_in_with_the_new_one(self, lin):
        mine, other = browser(), hire("other")
        guesses = [
            person.type_password(mine, password="what was it again").status_code
            for person in (lin, other) * 5
        ]
        assert guesses[-2:] == [429, 429]
        self.ask(mine, lin.user.email)
        choose(mine, mailed())
        assert lin.type_password(mine, password=GOOD)["Location"] == "/signin/code/"
        assert other.type_password(browser()).status_code == 429, "nobody else is let off"

    def test_the_answer_is_the_same_for_an_unknown_address(self, lin):
        known = self.ask(browser(), lin.user.email).content.decode()
        unknown = self.ask(browser(), "nobody@example.com").content.decode()
        hide = re.compile(r"[\w.]+@example\.com|value=\"[^\"]{40,}\"")
        assert hide.sub("", known) == hide.sub("", unknown)
        assert Letter.objects.count() == 1

    def test_the_answer_takes_as_long_for_an_unknown_address(self, lin, settings, monkeypatch):
        settings.EVEN_ANSWER_SECONDS = 0.1
        clock = iter([0.0, 0.03, 5.0, 5.01, 9.0, 9.2, 11.0])
        waits: list[float] = []
        monkeypatch.setattr(evenly, "monotonic", lambda: next(clock))
        monkeypatch.setattr(evenly, "sleep", waits.append)
        for email in (lin.user.email, "nobody@example.com", "late@example.com"):
            self.ask(browser(), email)
        assert waits == pytest.approx([0.07, 0.09, 0.0])
        browser().get("/signin/forgotten/")
        assert len(waits) == 3, "looking at the page takes no time"

    def test_the_host_header_does_not_decide_where_the_link_leads(self, lin, settings):
        settings.ALLOWED_HOSTS = ["*"]
        client = Client(headers={"host": "evil.example"})
        self.ask(client, lin.user.email)
        send_letters(at=timezone.now())
        assert settings.BASE_URL in mail.outbox[-1].body
        assert "evil" not in mail.outbox[-1].body

    def test_it_opens_for_an_hour(self, lin):
        self.ask(browser(), lin.user.email)
        path = mailed()
        with after(minutes=61):
            assert browser().get(path, follow=True).status_code == 410

    @pytest.mark.parametrize(
        "weak",
        ["123456789012", "iloveyou12345", "password1234", "qwertyuiop12", "linlinlinlin",
         "woaini1314520", "short", "aaaaaaaaaaaaaaaa", "paysite20261123"],
    )  # fmt: skip
    def test_weak_passwords_are_refused_and_the_link_stays(self, lin, weak):
        self.ask(browser(), lin.user.email)
        path, mine = mailed(), browser()
        answer = choose(mine, path, weak)
        assert answer.status_code == 200
        assert answer.context["form"].errors["password"]
        assert choose(mine, path).status_code == 302

    def test_two_different_ones_are_refused(self, lin):
        self.ask(browser(), lin.user.email)
        answer = choose(browser(), mailed(), GOOD, GOOD + "!")
        assert "The two are not the same" in answer.content.decode()

    @pytest.mark.parametrize("path", [
        "/link/password/" + "A" * 43 + "/", "/link/invitation/x/", "/link/signin/%00/",
    ])  # fmt: skip
    def test_invented_links_open_nothing(self, lin, path):
        assert browser().get(path, follow=True).status_code == 410

    def test_a_link_is_for_what_it_was_sent_for(self, lin):
        self.ask(browser(), lin.user.email)
        secret = mailed().strip("/").rpartition("/")[2]
        for kind in ("invitation", "signin"):
            assert browser().get(f"/link/{kind}/{secret}/", follow=True).status_code == 410
        assert browser().get(f"/link/role/{secret}/").status_code == 404

    def test_only_a_digest_is_kept(self, lin):
        self.ask(browser(), lin.user.email)
        waiting = Letter.objects.get()
        secret = mailed().strip("/").rpartition("/")[2]
        assert secret.encode() not in bytes(MailedLink.objects.get().digest)
        assert secret not in waiting.body_sealed
        assert Letter.objects.get().body_sealed == ""
        assert secret not in str(list(AuditEntry.objects.values_list("facts", flat=True)))

    def test_asking_too_often_ends_with_a_wait(self, lin, settings):
        settings.LIMITS = {**settings.LIMITS, "link.name": (2, 3600, "closed")}
        answers = [self.ask(browser(), spelling) for spelling in ("lin@x.example",) * 3]
        assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_who_names_nobody_does_not_use_up_the_tries_of_others(self, lin, settings):
        settings.LIMITS = {**settings.LIMITS, "link.name": (2, 3600, "closed")}
        form = {"email": "", "kind": "password"}
        here = [browser().post("/signin/forgotten/", form).status_code for _ in range(3)]
        there = browser().post("/signin/forgotten/", form, REMOTE_ADDR="198.51.100.77")
        assert here == [200, 200, 429]
        assert there.status_code == 200


class TestSignInByLetter:
    """The link stands for the password, in one browser, and never for the second factor."""

    def asked(self, lin) -> tuple[Client, str]:
        mine = browser()
        mine.post("/signin/forgotten/", {"email": lin.user.email, "kind": "signin"})
        return mine, mailed()

    def test_the_second_factor_is_asked_for(self, lin):
        mine, path = self.asked(lin)
        mine.get(path)
        assert mine.post("/link/")["Location"] == "/signin/code/"
        assert mine.get("/account/").status_code == 302
        assert mine.post("/signin/code/", {"code": code_now()}).status_code == 302
        assert mine.get("/account/").status_code == 200
        assert mine.get(path, follow=True).status_code == 410
        told = AuditEntry.objects.filter(subject_id=str(lin.user.pk)).order_by("pk")
        deeds = [one.action for one in told if one.action.startswith("signin.")]
        assert deeds == ["signin.link_sent", "signin.link_used", "signin.succeeded"]

    def test_another_browser_opens_nothing(self, lin):
        _mine, path = self.asked(lin)
        thief = browser()
        thief.post("/signin/forgotten/", {"email": "thief@example.com", "kind": "signin"})
        assert thief.get(path, follow=True).status_code == 410

    def test_it_opens_for_a_quarter_of_an_hour(self, lin):
        mine, path = self.asked(lin)
        with after(minutes=16):
            assert mine.get(path, follow=True).status_code == 410

    def test_without_a_second_factor_no_letter_is_sent(self):
        fresh = hire("fresh", has_device=False)
        browser().post("/signin/forgotten/", {"email": fresh.user.email, "kind": "signin"})
        assert not Letter.objects.exists()


class TestOwnPassword:
    """Changed by who shows both factors."""

    FORM = {"old": PASSWORD, "password": GOOD, "again": GOOD}

    @pytest.fixture
    def desk(self, lin):
        client = browser()
        lin.sign_in(client)
        return client

    def test_it_is_changed_and_other_sessions_end(self, desk, lin):
        with after(seconds=31):
            other = browser()
            lin.sign_in(other)
        with after(seconds=61):
            answer = desk.post("/account/password/", {**self.FORM, "code": code_now()})
            assert answer.status_code == 302
            assert desk.get("/account/").status_code == 200
            assert other.get("/account/").status_code == 302
        lin.user.refresh_from_db()
        assert lin.user.check_password(GOOD)
        entry = AuditEntry.objects.filter(action="person.password_changed").get()
        assert "heron" not in str(entry.facts)

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"old": "not that"}, "old"), ({"password": "123456789012", "again": "123456789012"},
          "password"), ({"code": "000000"}, "code"), ({"again": GOOD + "x"}, "again")],
    )  # fmt: skip
    def test_one_thing_wrong_changes_nothing(self, desk, lin, change, field):
        form = {**self.FORM, "code": code_now(steps=1), **change}
        answer = desk.post("/account/password/", form)
        assert answer.status_code == 200
        assert answer.context["form"].errors[field]
        lin.user.refresh_from_db()
        assert lin.user.check_password(PASSWORD)

    def test_a_wrong_password_spends_no_code(self, desk):
        code = code_now(steps=1)
        desk.post("/account/password/", {**self.FORM, "old": "not that", "code": code})
        assert desk.post("/account/password/", {**self.FORM, "code": code}).status_code == 302

    def test_the_admins_own_page_for_it_leads_here(self):
        client = browser()
        hire("wei", roles=["administrator"]).sign_in(client)
        assert client.get("/admin/password_change/")["Location"] == "/account/password/"


class TestAdministrator:
    """What one may do alone about another, and what not."""

    def test_sessions_are_ended_with_a_reason(self, office, lin):
        mine = browser()
        lin.sign_in(mine)
        page = f"/admin/compliance/user/{lin.user.pk}/sessions/"
        assert office.post(page, {"reason": ""}).status_code == 400
        assert office.post(page, {"reason": "the phone was stolen"}).status_code == 302
        assert mine.get("/account/").status_code == 302
        entry = AuditEntry.objects.filter(action="session.ended").get()
        assert (entry.actor_label, entry.reason) == ("wei", "the phone was stolen")

    def test_one_session_is_ended_and_the_others_stay(self, office, lin):
        phone, desk = browser(), browser()
        lin.sign_in(phone)
        stolen = BrowserSession.objects.get(user=lin.user).public_id
        page = f"/admin/compliance/user/{lin.user.pk}/sessions/"
        with after(seconds=31):
            lin.sign_in(desk)
            said = {"session": stolen, "reason": "the phone was stolen"}
            assert office.post(page, said).status_code == 302
            assert phone.get("/account/").status_code == 302
            assert desk.get("/account/").status_code == 200
            assert office.post(page, said).status_code == 400, "it is over already"
            mine = BrowserSession.objects.get(user__username="wei").public_id
            assert office.post(page, {**said, "session": mine}).status_code == 400
            assert office.get("/admin/").status_code == 200

    def test_switching_an_account_off_ends_its_sessions(self, office, lin):
        mine = browser()
        lin.sign_in(mine)
        office.post(f"/admin/compliance/user/{lin.user.pk}/change/", {
            "username": "lin", "display_name": lin.user.display_name, "language": "",
            "role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0",
        })  # fmt: skip
        lin.user.refresh_from_db()
        assert not lin.user.is_active
        assert BrowserSession.objects.get(user=lin.user).ended_why == "disabled"

    def test_another_address_takes_two_people_and_tells_the_old_one(self, lin):
        wei = hire("wei", roles=["administrator"]).user
        he = hire("he", roles=["compliance_approver"]).user
        before = lin.user.email
        asked = request_email(
            user=lin.user, email="lin.new@example.com", reason="married", maker=wei,
            actor=Actor("user", str(wei.pk), "wei"), at=timezone.now(),
        )  # fmt: skip
        lin.user.refresh_from_db()
        assert lin.user.email == before
        approve(
            number=asked.public_id, checker=he, actor=Actor("user", str(he.pk), "he"),
            at=timezone.now(),
        )  # fmt: skip
        lin.user.refresh_from_db()
        assert lin.user.email == "lin.new@example.com"
        send_letters(at=timezone.now())
        assert mail.outbox[-1].to == [before]

    def test_an_address_that_somebody_has_is_refused(self, lin):
        wei = hire("wei", roles=["administrator"]).user
        with pytest.raises(ApprovalRefused) as told:
            request_email(
                user=lin.user, email=wei.email.upper(), reason="x", maker=wei, actor=SYSTEM,
                at=timezone.now(),
            )  # fmt: skip
        assert told.value.code == "email_taken"
        assert not Approval.objects.exists()


class TestLetters:
    """Written with the deed, sent afterwards, forgotten then."""

    @pytest.fixture
    def letter(self):
        invite(
            username="yun", display_name="云舒", email="yun@example.com", actor=SYSTEM,
            at=timezone.now(),
        )  # fmt: skip
        return Letter.objects.get()

    def test_it_is_written_in_the_readers_language(self, letter):
        send_letters(at=timezone.now())
        assert "您" in mail.outbox[0].body

    def test_a_mail_server_that_is_away_is_asked_again_and_again_and_then_no_more(
        self, letter, monkeypatch
    ):
        asked = []

        def away(self, *args, **kwargs):
            asked.append(self.to)
            raise ConnectionRefusedError

        monkeypatch.setattr(mail.EmailMessage, "send", away)
        Letter.objects.update(until=None)
        now = timezone.now()
        assert send_letters(at=now) == 0
        assert send_letters(at=now + timedelta(seconds=60)) == 0
        assert len(asked) == 1, "not before its time"
        for day in range(1, TRIES_MAX + 3):
            send_letters(at=now + timedelta(days=day))
        assert len(asked) == TRIES_MAX
        letter.refresh_from_db()
        assert (letter.is_sent, letter.body_sealed) == (False, "")

    def test_a_link_that_is_over_is_not_sent(self, letter):
        assert send_letters(at=timezone.now() + timedelta(days=4)) == 0
        assert mail.outbox == []

    def test_a_letter_is_sent_once(self, letter):
        assert [send_letters(at=timezone.now()) for _ in range(3)] == [1, 0, 0]
        assert forget_old_letters(at=timezone.now() + timedelta(days=31)) == 1
