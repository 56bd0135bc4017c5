"""Lin changes where her letters go: with the second factor, from the new mailbox, and undoably."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity.errors import EmailRefused, LinkOver
from compliance.identity.letters import send_letters
from compliance.identity.models import MailedLink, User
from compliance.identity.own_email import (
    RESTS,
    ask_for_email,
    confirm_email,
    forget_old_changes,
    undo_email,
)
from compliance.identity.people import change_email, send_password_link
from compliance.identity.sent_codes import means_of
from compliance.identity.states import LinkKind
from compliance.models import EmailChange
from tests.compliance.people import NOON, Person, confirm, hire

pytestmark = pytest.mark.django_db

NEW = "lin@tea.example"
STRANGER = Actor("user", "", "", "203.0.113.9")


@pytest.fixture
def lin() -> Person:
    return hire("lin")


def actor_of(person: Person) -> Actor:
    return Actor("user", str(person.user.pk), "lin", "198.51.100.7", person=person.user.pk)


def letters() -> dict[str, str]:
    """What was sent, by address; the newest of each."""
    mail.outbox.clear()
    send_letters(at=timezone.now())
    return {one.to[0]: str(one.body) for one in mail.outbox}


def secret_in(text: str, kind: str) -> str:
    [secret] = re.findall(rf"/link/{kind}/([\w-]+)/", text)
    return str(secret)


def change(person: Person, *, at=None) -> str:
    """Ask for it and confirm it; the secret of the way back."""
    at = at or timezone.now()
    ask_for_email(user=person.user, email=NEW, actor=actor_of(person), at=at)
    secret = secret_in(letters()[NEW], "email")
    confirm_email(user=person.user, secret=secret, session="", actor=actor_of(person), at=at)
    return secret_in(letters()["lin@example.com"], "email_undo")


def address_of(person: Person) -> str:
    return User.objects.get(pk=person.user.pk).email


class TestThroughThePages:
    """As Lin does it."""

    def test_the_whole_way_and_other_sessions_end(self, lin):
        here, elsewhere = Client(), Client()
        lin.sign_in(here)
        lin.user.authenticator_set.update(last_step=-1)  # The same code once more.
        lin.sign_in(elsewhere)
        lin.user.authenticator_set.update(last_step=-1)

        asked = confirm(here, here.post("/account/email/", {"email": NEW}))
        assert asked.status_code == 302
        assert address_of(lin) == "lin@example.com"
        secret = secret_in(letters()[NEW], "email")
        here.get(f"/link/email/{secret}/")
        assert here.get("/link/").status_code == 200
        assert address_of(lin) == "lin@example.com", "looking spends nothing"
        assert here.post("/link/")["Location"] == "/account/"

        assert address_of(lin) == NEW
        assert here.get("/account/").status_code == 200
        assert elsewhere.get("/account/")["Location"].startswith("/signin/")
        entry = AuditEntry.objects.get(action="person.email_changed")
        assert entry.person == lin.user.pk
        assert NEW not in str([(row.facts, row.after) for row in AuditEntry.objects.all()])

    def test_without_the_second_factor_no_letter_goes(self, lin):
        client = Client()
        lin.sign_in(client)

        assert client.post("/account/email/", {"email": NEW})["Location"].startswith("/confirm/")

        assert letters() == {}

    def test_whoever_owns_a_mistyped_mailbox_gets_no_account(self, lin):
        ask_for_email(user=lin.user, email=NEW, actor=actor_of(lin), at=timezone.now())
        secret = secret_in(letters()[NEW], "email")
        stranger, yun = Client(), Client()
        hire("yun").sign_in(yun)

        stranger.get(f"/link/email/{secret}/")
        assert stranger.post("/link/")["Location"].startswith("/signin/")
        yun.get(f"/link/email/{secret}/")
        assert yun.post("/link/").status_code == 410

        assert address_of(lin) == "lin@example.com"

    def test_the_old_mailbox_takes_the_account_back(self, lin):
        thief, mailbox = Client(), Client()
        lin.sign_in(thief)
        undo = change(lin)

        mailbox.get(f"/link/email_undo/{undo}/")
        assert mailbox.get("/link/").status_code == 200
        assert mailbox.post("/link/")["Location"] == "/signin/"

        assert address_of(lin) == "lin@example.com"
        assert thief.get("/account/")["Location"].startswith("/signin/")
        assert secret_in(letters()["lin@example.com"], "password")
        assert mailbox.get(f"/link/email_undo/{undo}/", follow=True).status_code == 410


class TestRules:
    """What an attacker with a session and a phone would try."""

    def test_the_way_back_outlives_a_new_password(self, lin):
        undo = change(lin)
        send_password_link(user=lin.user, actor=SYSTEM, at=timezone.now())

        undo_email(secret=undo, actor=STRANGER, at=timezone.now() + timedelta(hours=71))

        assert address_of(lin) == "lin@example.com"

    def test_the_address_rests_until_the_way_back_is_over(self, lin):
        at = timezone.now()
        change(lin, at=at)
        again = {"user": lin.user, "email": "c@tea.example", "actor": actor_of(lin)}

        with pytest.raises(EmailRefused) as refusal:
            ask_for_email(**again, at=at + RESTS - timedelta(seconds=1))

        assert refusal.value.code == "changed_lately"
        ask_for_email(**again, at=at + RESTS)

    def test_no_code_comes_to_an_address_so_new(self, lin):
        at = timezone.now()
        assert means_of(lin.user, is_by_mail=False, at=at) == ["email"]
        change(lin, at=at)

        assert means_of(lin.user, is_by_mail=False, at=at) == []
        assert means_of(lin.user, is_by_mail=False, at=at + RESTS) == ["email"]

    def test_after_three_days_there_is_no_way_back(self, lin):
        undo = change(lin)

        with pytest.raises(LinkOver):
            undo_email(secret=undo, actor=STRANGER, at=timezone.now() + RESTS)

    def test_what_the_staff_changed_since_stays(self, lin):
        undo = change(lin)
        change_email(user=lin.user, email="x@tea.example", actor=SYSTEM, at=timezone.now())

        with pytest.raises(LinkOver):
            undo_email(secret=undo, actor=STRANGER, at=timezone.now())
        assert address_of(lin) == "x@tea.example"

    def test_a_link_opens_once_and_a_newer_one_replaces_it(self, lin):
        at = timezone.now()
        ask_for_email(user=lin.user, email=NEW, actor=actor_of(lin), at=at)
        first = secret_in(letters()[NEW], "email")
        ask_for_email(user=lin.user, email="b@tea.example", actor=actor_of(lin), at=at)
        second = secret_in(letters()["b@tea.example"], "email")
        given = {"user": lin.user, "session": "", "actor": actor_of(lin), "at": at}

        with pytest.raises(LinkOver):
            confirm_email(secret=first, **given)
        confirm_email(secret=second, **given)
        with pytest.raises(LinkOver):
            confirm_email(secret=second, **given)
        assert address_of(lin) == "b@tea.example"

    def test_an_address_of_somebody_else_is_told_to_nobody(self, lin):
        hire("yun")
        client = Client()
        lin.sign_in(client)

        asked = confirm(client, client.post("/account/email/", {"email": "YUN@example.com"}))

        assert "y**@example.com" in client.get(asked.url).content.decode().lower()
        assert letters() == {}
        assert AuditEntry.objects.get(action="person.email_asked").facts["taken"] is True

    @pytest.mark.parametrize(
        ("roles", "email", "code"),
        [(["operator"], NEW, "by_two_people"), ([], "LIN@example.com", "no_change")],
    )
    def test_what_is_refused(self, roles, email, code):
        person = hire("lin", roles=roles)

        with pytest.raises(EmailRefused) as refusal:
            ask_for_email(user=person.user, email=email, actor=SYSTEM, at=NOON)

        assert refusal.value.code == code

    def test_a_row_holds_no_address_in_the_clear_and_goes_after_weeks(self, lin):
        change(lin)

        assert NEW not in str(EmailChange.objects.values().get())
        assert forget_old_changes(at=timezone.now() + timedelta(days=31)) == 1
        assert MailedLink.objects.filter(kind=LinkKind.EMAIL_UNDO).exists()
