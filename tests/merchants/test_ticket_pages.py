"""Pages of tickets: the portal's, the customer's, and the admin's."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.letters import send_letters
from compliance.identity.states import StaffRole
from merchants.access import by_member
from merchants.accounts.register import add_member, register_merchant, suspend_merchant
from merchants.accounts.states import Role
from merchants.models import Merchant, Message, Ticket
from merchants.support.asking import open_ticket
from tests.compliance.people import NOON, Person, hire

pytestmark = pytest.mark.django_db

PAYMENT = "pay_01jdzzzzzzzzzzzzzzzzzzzzzz"
LINK = re.compile(r"/help/tickets/[\w-]+/")
QUESTION = {"email": "mei@example.com", "subject": "Where is it?", "text": "I paid at noon."}
NOTE = "This one is a known troublemaker"


def browser_of(person: Person | None = None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        person.sign_in(client)
    return client


def member(name: str, username: str, role: Role = Role.OWNER) -> tuple[Client, Person]:
    merchant = register_merchant(name=name, actor=SYSTEM, at=NOON)
    person = hire(username)
    add_member(merchant_id=merchant.pk, user=person.user, role=role, actor=SYSTEM, at=NOON)
    return browser_of(person), person


@pytest.fixture
def lin() -> Client:
    return member("Mingshan Tea", "lin")[0]


@pytest.fixture
def yun() -> Client:
    return member("Yunjian Books", "yun")[0]


def staff(role: StaffRole = StaffRole.OPERATOR, name: str = "gao") -> Client:
    return browser_of(hire(name, roles=[role]))


def ask(client: Client, **more) -> Ticket:
    """Somebody asks in the portal."""
    form = {"subject": "Callbacks", "text": "Where are they?", **more}
    answer = client.post("/portal/tickets/new/", form)
    assert answer.status_code == 302, answer.content.decode()
    ticket = Ticket.objects.latest("pk")
    assert answer["Location"] == f"/portal/tickets/{ticket.public_id}/"
    return ticket


def act(client: Client, ticket: Ticket, **form):
    return client.post(f"/admin/merchants/ticket/{ticket.pk}/act/", form, follow=True)


def link_of_last_letter() -> str:
    mail.outbox.clear()
    send_letters(at=timezone.now() + timedelta(seconds=1))
    return str(LINK.findall(str(mail.outbox[-1].body))[0])


class TestPortal:
    """A merchant's own tickets."""

    def test_a_question_is_asked_answered_and_settled(self, lin):
        gao = staff()
        ticket = ask(lin, payment=PAYMENT)
        act(gao, ticket, deed="answer", text="Which <b>address</b>?")
        page = lin.get(f"/portal/tickets/{ticket.public_id}/").content.decode()
        assert "Which &lt;b&gt;address&lt;/b&gt;?" in page
        assert PAYMENT in page
        assert "Answered" in page
        assert "Gao" not in page

        told = lin.post(
            f"/portal/tickets/{ticket.public_id}/act/",
            {"deed": "answer", "text": "https://tea.example"}, follow=True,
        ).content.decode()  # fmt: skip
        assert "Your message is with support." in told
        settled = lin.post(
            f"/portal/tickets/{ticket.public_id}/act/", {"deed": "resolve"}, follow=True
        ).content.decode()
        assert "Open again" in settled
        assert "Callbacks" in lin.get("/portal/tickets/").content.decode()

    def test_another_merchants_ticket_answers_like_one_that_is_not_there(self, lin, yun):
        ticket = ask(lin)
        nothing = "tkt_00000000000000000000000000"
        for number in (ticket.public_id, nothing, "x", "%00", "tkt_" + "é" * 26):
            assert yun.get(f"/portal/tickets/{number}/").status_code == 404
            for deed in ("answer", "resolve", "reopen"):
                form = {"deed": deed, "text": "mine now"}
                assert yun.post(f"/portal/tickets/{number}/act/", form).status_code == 404
        assert Message.objects.count() == 1
        assert "Callbacks" not in re.sub(
            "<header.*?</header>", "", yun.get("/portal/tickets/").content.decode(), flags=re.DOTALL
        )
        there = yun.get(f"/portal/tickets/{ticket.public_id}/").content
        assert there == yun.get(f"/portal/tickets/{nothing}/").content

    def test_an_internal_note_is_in_no_page_of_the_merchant(self, lin):
        gao = staff()
        ticket = ask(lin)
        shown = act(gao, ticket, deed="note", text=NOTE).content.decode()
        assert NOTE in shown
        for path in ("/portal/tickets/", f"/portal/tickets/{ticket.public_id}/", "/portal/"):
            assert NOTE not in lin.get(path).content.decode()
        answer = lin.post(f"/portal/tickets/{ticket.public_id}/act/", {"deed": "note", "text": ""})
        assert NOTE not in answer.content.decode()
        mail.outbox.clear()
        send_letters(at=timezone.now() + timedelta(seconds=1))
        assert NOTE not in "".join(str(letter.body) for letter in mail.outbox)

    @pytest.mark.parametrize(
        "form",
        [
            {"subject": ""}, {"subject": "x" * 121}, {"text": ""}, {"text": "x" * 4001},
            {"text": "a\0b"}, {"text": "\u202egnp.exe"}, {"payment": "pay_1"},
            {"payment": "x" * 33},
        ],
    )  # fmt: skip
    def test_a_bad_form_opens_nothing_and_says_why(self, lin, form):
        answer = lin.post("/portal/tickets/new/", {"subject": "a", "text": "b", **form})
        assert answer.status_code == 200
        assert 'class="error"' in answer.content.decode()
        assert not Ticket.objects.exists()

    def test_texts_are_escaped(self, lin):
        ticket = ask(lin, subject="<script>a</script>", text="<img src=x onerror=alert(1)>")
        gao = staff()
        for page in (
            lin.get("/portal/tickets/"), lin.get(f"/portal/tickets/{ticket.public_id}/"),
            gao.get("/admin/merchants/ticket/"),
            gao.get(f"/admin/merchants/ticket/{ticket.pk}/change/"),
        ):  # fmt: skip
            assert page.status_code == 200
            assert "<script>a" not in page.content.decode()
            assert "<img src=x" not in page.content.decode()

    def test_who_only_reads_sees_no_form(self):
        rui, person = member("Tea", "rui", Role.READ_ONLY)
        lin = hire("lin", has_device=False)
        merchant = person.user.memberships.get().merchant
        add_member(merchant_id=merchant.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        ticket = open_ticket(
            access=by_member(lin.user, None, address=""), by=lin.user, subject="a", text="b",
            at=NOON,
        )  # fmt: skip
        page = rui.get(f"/portal/tickets/{ticket.public_id}/")
        assert page.status_code == 200
        assert "<textarea" not in page.content.decode()
        assert "tickets/new/" not in rui.get("/portal/tickets/").content.decode()
        assert rui.get("/portal/tickets/new/").status_code == 403
        form = {"deed": "answer", "text": "x"}
        assert rui.post(f"/portal/tickets/{ticket.public_id}/act/", form).status_code == 403

    def test_a_suspended_merchant_asks_why(self, lin):
        suspend_merchant(
            merchant_id=Merchant.objects.get().pk, reason="review", actor=SYSTEM, at=NOON
        )
        assert ask(lin).state == "open"

    def test_the_payment_beside_the_link_is_filled_in(self, lin):
        path = "/portal/tickets/new/"
        assert f'value="{PAYMENT}"' in lin.get(path, {"payment": PAYMENT}).content.decode()
        strange = lin.get(path, {"payment": '"><script>x'}).content.decode()
        assert "&quot;&gt;&lt;script&gt;x" in strange

    def test_what_one_merchant_writes_is_limited(self, lin, settings):
        settings.LIMITS = {**settings.LIMITS, "ticket.portal": (2, 3600, "local")}
        ask(lin)
        ask(lin)
        refused = lin.post("/portal/tickets/new/", {"subject": "a", "text": "b"})
        assert refused.status_code == 429
        assert Ticket.objects.count() == 2

    def test_the_list_takes_few_statements_whatever_its_length(
        self, lin, django_assert_max_num_queries
    ):
        for _ in range(12):
            ask(lin)
        with django_assert_max_num_queries(9):
            assert (
                lin.get("/portal/tickets/").content.decode().count('<div class="ticket-subject">')
                == 12
            )


class TestCustomer:
    """Somebody without a sign-in."""

    def test_a_customer_asks_and_comes_back_by_the_link(self):
        client, gao = browser_of(), staff()
        asked = client.post("/help/ask/", {**QUESTION, "payment": PAYMENT})
        assert asked.status_code == 201
        assert "/help/tickets/" not in asked.content.decode()
        path = link_of_last_letter()

        page = client.get(path)
        assert "I paid at noon." in page.content.decode()
        assert "no-store" in page["Cache-Control"]
        assert "mei@example.com" not in page.content.decode()

        ticket = Ticket.objects.get()
        act(gao, ticket, deed="note", text=NOTE)
        act(gao, ticket, deed="answer", text="We found it.")
        newer = link_of_last_letter()
        assert newer != path
        for link in (path, newer):
            shown = client.get(link).content.decode()
            assert "We found it." in shown
            assert NOTE not in shown
            assert "Gao" not in shown
        client.post(newer, {"deed": "answer", "text": "Thank you."})
        assert "Thank you." in client.get(path).content.decode()
        client.post(newer, {"deed": "resolve"})
        ticket.refresh_from_db()
        assert ticket.state == "resolved"
        client.post(newer, {"deed": "reopen"})
        ticket.refresh_from_db()
        assert ticket.state == "waiting_for_staff"
        entry = AuditEntry.objects.filter(action="ticket.reopened").get()
        assert (entry.actor_kind, entry.actor_id) == ("customer", "")

    def test_a_customer_cannot_do_the_staffs_deeds(self):
        client = browser_of()
        client.post("/help/ask/", QUESTION)
        path = link_of_last_letter()
        for deed in ("close", "note", "prioritise", "reopen", ""):
            assert (
                client.post(path, {"deed": deed, "text": "x", "priority": "high"}).status_code < 500
            )
        ticket = Ticket.objects.get()
        assert (ticket.state, ticket.priority) == ("open", "normal")
        assert Message.objects.count() == 1

    def test_a_guessed_secret_is_not_there_and_guesses_are_limited(self, settings):
        settings.LIMITS = {**settings.LIMITS, "ticket.link": (5, 900, "closed")}
        browser_of().post("/help/ask/", QUESTION)
        path = link_of_last_letter()
        client = browser_of()
        asking: tuple[Callable[..., Any], ...] = (
            client.get,
            client.head,
            client.post,
            client.get,
            client.head,
        )
        for number, by in enumerate(asking):
            assert by(f"/help/tickets/{'x' * 42}{number}/").status_code == 404
        for by in (client.get, client.head, client.post):
            assert by(path).status_code == 429, "even a right one, or the limit would be no limit"
        assert client.get(path, REMOTE_ADDR="198.51.100.9").status_code == 200

    def test_a_short_guess_and_a_strange_one_are_not_there(self):
        client = browser_of()
        for secret in ("x", "%00", "%F0%9F%8D%B5", "x" * 3000):
            assert client.get(f"/help/tickets/{secret}/").status_code == 404

    def test_one_address_and_one_mailbox_ask_only_so_often(self):
        client = browser_of()
        answers = [client.post("/help/ask/", QUESTION).status_code for _ in range(4)]
        assert answers == [201, 201, 201, 429]
        others = [
            client.post("/help/ask/", {**QUESTION, "email": f"m{n}@example.com"}).status_code
            for n in range(27)
        ]
        assert others == [201] * 26 + [429]
        assert client.post(
            "/help/ask/", {**QUESTION, "email": "MEI@example.com "}, REMOTE_ADDR="198.51.100.9"
        ).status_code == 429  # fmt: skip

    def test_who_mends_a_form_is_not_counted_as_asking(self):
        client = browser_of()
        for _ in range(4):
            assert client.post("/help/ask/", {**QUESTION, "payment": "pay_1"}).status_code == 200
        assert client.post("/help/ask/", QUESTION).status_code == 201

    @pytest.mark.parametrize(
        "form",
        [{"email": "mei"}, {"email": "a@b.example\nBcc: c@d.example"}, {"text": ""},
         {"payment": "pay_1"}, {"subject": "\x1b"}],
    )  # fmt: skip
    def test_a_bad_form_opens_nothing(self, form):
        page = browser_of().post("/help/ask/", {**QUESTION, **form})
        assert page.status_code == 200
        assert 'class="error"' in page.content.decode()
        assert not Ticket.objects.exists()

    def test_the_form_needs_its_token(self):
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/help/ask/", QUESTION).status_code == 403


class TestQueue:
    """The staff's pages."""

    def test_what_waits_for_us_comes_first_and_overdue_is_marked(self, lin):
        gao = staff()
        first, answered, third = ask(lin), ask(lin), ask(lin)
        act(gao, answered, deed="answer", text="Done?")
        Ticket.objects.filter(pk=third.pk).update(
            first_answer_due_at=timezone.now() - timedelta(minutes=1)
        )
        page = gao.get("/admin/merchants/ticket/").content.decode()
        places = [page.index(one.public_id) for one in (third, first, answered)]
        assert places == sorted(places)
        assert page.count("Overdue</span>") == 1
        late = gao.get("/admin/merchants/ticket/?show=late").content.decode()
        assert third.public_id in late
        assert first.public_id not in late
        theirs = gao.get("/admin/merchants/ticket/?show=theirs").content.decode()
        assert answered.public_id in theirs
        assert first.public_id not in theirs
        found = gao.get(f"/admin/merchants/ticket/?q={first.public_id}").content.decode()
        assert third.public_id not in found

    def test_a_customers_address_is_masked(self):
        browser_of().post("/help/ask/", QUESTION)
        gao = staff()
        ticket = Ticket.objects.get()
        page = gao.get(f"/admin/merchants/ticket/{ticket.pk}/change/").content.decode()
        assert "m**@example.com" in page
        assert "mei@example.com" not in page

    @pytest.mark.parametrize(
        "role", [StaffRole.OPERATOR_CHECKER, StaffRole.FINANCE, StaffRole.RISK]
    )
    def test_who_answers(self, lin, role):
        ticket = ask(lin)
        gao = staff(role)
        act(gao, ticket, deed="prioritise", priority="high")
        act(gao, ticket, deed="answer", text="Yes.")
        act(gao, ticket, deed="resolve")
        act(gao, ticket, deed="reopen")
        act(gao, ticket, deed="close")
        ticket.refresh_from_db()
        assert (ticket.state, ticket.priority) == ("closed", "high")
        refused = act(gao, ticket, deed="answer", text="Still there?").content.decode()
        assert "ticket_over" in refused

    @pytest.mark.parametrize("role", [StaffRole.AUDITOR, StaffRole.ADMINISTRATOR])
    def test_others_of_the_staff_read_and_change_nothing(self, lin, role):
        ticket = ask(lin)
        he = staff(role, "he")
        page = he.get(f"/admin/merchants/ticket/{ticket.pk}/change/")
        assert page.status_code == 200
        assert "<textarea" not in page.content.decode()
        assert act(he, ticket, deed="close").status_code == 403
        ticket.refresh_from_db()
        assert ticket.state == "open"

    def test_a_deed_that_does_not_exist_is_not_there(self, lin):
        ticket = ask(lin)
        gao = staff()
        assert act(gao, ticket, deed="delete").status_code == 404
        assert act(gao, ticket, deed="prioritise", priority="now").status_code == 404
        assert gao.post("/admin/merchants/ticket/9/act/", {"deed": "close"}).status_code == 404
        assert "text" in act(gao, ticket, deed="answer", text="").content.decode()
        assert Message.objects.count() == 1

    def test_the_queue_takes_few_statements_whatever_its_length(
        self, lin, django_assert_max_num_queries
    ):
        gao = staff()
        for _ in range(12):
            ask(lin)
        with django_assert_max_num_queries(12):
            gao.get("/admin/merchants/ticket/")
