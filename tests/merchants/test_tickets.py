"""Tickets: whose move it is, until when, who reads what, and what letters say."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity.letters import send_letters
from compliance.identity.models import Letter
from compliance.identity.states import StaffRole
from compliance.protection.redaction import redacted
from merchants.access import by_member
from merchants.accounts.abilities import OF_ROLE, SCOPES, TICKETS_READ, TICKETS_WRITE
from merchants.accounts.register import add_member, register_merchant, suspend_merchant
from merchants.accounts.states import Role
from merchants.errors import AccessRefused, IllegalMove
from merchants.models import Member, Message, Ticket, TicketLink
from merchants.support.answering import MESSAGES_MAX, answer, note_internally, prioritise
from merchants.support.asking import open_customer_ticket, open_ticket
from merchants.support.ending import close, reopen, resolve
from merchants.support.links import LASTS, forget_old_links
from merchants.support.models import SUBJECT_MAX, TEXT_MAX
from merchants.support.queries import list_tickets, overdue, talk_of
from merchants.support.refusals import (
    NotAnswering,
    PaymentMalformed,
    TextUnfit,
    TicketFull,
    TicketOver,
    TicketUnknown,
)
from merchants.support.servicetimes import (
    CLOSES,
    OPENS,
    SERVICE_TIMES,
    WORKING_DAY,
    WORKING_DAYS,
    ZONE,
    due_after,
    due_times,
)
from merchants.support.sides import (
    Side,
    customer,
    side_of_customer,
    side_of_merchant,
    side_of_staff,
)
from merchants.support.states import (
    ONGOING,
    TICKET_MOVES,
    Priority,
    TicketState,
    require_ticket_move,
)
from tests.cast import NOON, later
from tests.compliance.people import Person, hire

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAYMENT = "pay_01jdzzzzzzzzzzzzzzzzzzzzzz"
STRANGER = customer("203.0.113.9")
LINK = re.compile(r"/help/tickets/([\w-]+)/")


def at(text: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Team:
    """A merchant with one person, and what they do."""

    def __init__(self, name: str, username: str, role: Role = Role.OWNER) -> None:
        self.merchant = register_merchant(name=name, actor=SYSTEM, at=NOON)
        self.person: Person = hire(username, has_device=False)
        self.join(self.person, role)

    def join(self, person: Person, role: Role) -> None:
        add_member(merchant_id=self.merchant.pk, user=person.user, role=role, actor=SYSTEM, at=NOON)

    @property
    def side(self) -> Side:
        return side_of_merchant(by_member(self.person.user, None, address=""), self.person.user)

    def ask(self, subject: str = "Callbacks", **more) -> Ticket:
        access = by_member(self.person.user, None, address="")
        return open_ticket(
            access=access, by=self.person.user, subject=subject, text="Where are they?",
            **{"at": NOON, **more},
        )  # fmt: skip


@pytest.fixture
def tea(db) -> Team:
    return Team("Mingshan Tea", "lin")


@pytest.fixture
def books(db) -> Team:
    return Team("Yunjian Books", "yun")


@pytest.fixture
def gao(db) -> Side:
    """Gao of the operators answers."""
    return side_of_staff(hire("gao", has_device=False, roles=[StaffRole.OPERATOR]).user)


def of(side: Side, ticket: Ticket, seconds: float = 60) -> dict[str, Any]:
    person = side.person
    actor = Actor("user", str(person.pk), person.username) if person else STRANGER
    return {"side": side, "ticket": ticket.public_id, "actor": actor, "at": later(seconds)}


def ask_as_customer(**more) -> Ticket:
    return open_customer_ticket(
        **{
            "email": "mei@example.com", "language": "en", "subject": "Where is my payment?",
            "text": "I paid at noon.", "payment": PAYMENT, "actor": STRANGER, "at": NOON, **more,
        }
    )  # fmt: skip


def letters_sent() -> list[mail.EmailMessage]:
    """What the worker sends now, in order."""
    mail.outbox.clear()
    send_letters(at=later(3600))
    return mail.outbox


class TestStates:
    """One table of moves, and no way around it."""

    def test_every_state_has_a_row_and_only_its_moves_are_allowed(self):
        assert set(TICKET_MOVES) == set(TicketState)
        for old in TicketState:
            for new in TicketState:
                if new in TICKET_MOVES[old]:
                    require_ticket_move(old, new)
                else:
                    with pytest.raises(IllegalMove):
                        require_ticket_move(old, new)

    def test_closed_is_the_only_end_and_every_other_state_reaches_it(self):
        assert [state for state in TicketState if not TICKET_MOVES[state]] == [TicketState.CLOSED]
        for state in set(TicketState) - {TicketState.CLOSED}:
            assert TicketState.CLOSED in TICKET_MOVES[state]

    def test_a_talk_goes_to_and_fro(self, tea, gao):
        ticket = tea.ask()

        def state() -> str:
            ticket.refresh_from_db()
            return str(ticket.state)

        assert state() == TicketState.OPEN
        answer(text="More please.", **of(tea.side, ticket))
        assert state() == TicketState.OPEN
        answer(text="Which address?", **of(gao, ticket, 120))
        assert state() == TicketState.WAITING_FOR_ASKER
        assert ticket.first_answered_at == later(120)
        answer(text="One more thing.", **of(gao, ticket, 130))
        assert (state(), ticket.first_answered_at) == (
            TicketState.WAITING_FOR_ASKER, later(120),
        )  # fmt: skip
        answer(text="https://tea.example/", **of(tea.side, ticket, 180))
        assert state() == TicketState.WAITING_FOR_STAFF
        resolve(**of(gao, ticket, 240))
        assert (state(), ticket.resolved_at) == (TicketState.RESOLVED, later(240))
        with pytest.raises(TicketOver):
            answer(text="Still nothing.", **of(tea.side, ticket))
        reopen(**of(tea.side, ticket, 300))
        assert (state(), ticket.resolved_at) == (TicketState.WAITING_FOR_STAFF, None)
        close(**of(gao, ticket, 360))
        assert (state(), ticket.closed_at) == (TicketState.CLOSED, later(360))
        for deed in (resolve, reopen):
            with pytest.raises(IllegalMove):
                deed(**of(tea.side, ticket))

    def test_only_what_is_resolved_is_reopened(self, tea, gao):
        ticket = tea.ask()
        answer(text="Which address?", **of(gao, ticket))
        with pytest.raises(IllegalMove):
            reopen(**of(tea.side, ticket))

    def test_an_asker_neither_closes_nor_notes_nor_hurries(self, tea):
        ticket = tea.ask()
        for deed, more in (
            (close, {}), (note_internally, {"text": "x"}), (prioritise, {"priority": Priority.HIGH})
        ):  # fmt: skip
            with pytest.raises(NotAnswering):
                deed(**more, **of(tea.side, ticket))

    def test_the_database_keeps_states_and_askers_as_well(self, tea, gao):
        ticket = tea.ask()
        note_internally(text="Known.", **of(gao, ticket))
        for changes in (
            {"state": "lost"}, {"state": "closed"}, {"state": "resolved"}, {"merchant": None},
            {"kind": "customer"}, {"priority": "now"}, {"subject": ""}, {"resolved_at": NOON},
        ):  # fmt: skip
            with pytest.raises(IntegrityError), transaction.atomic():
                Ticket.objects.filter(pk=ticket.pk).update(**changes)
        for changes in ({"author_kind": "merchant"}, {"text": ""}, {"author": None}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Message.objects.filter(is_internal=True).update(**changes)


class TestAnyOrder(HypothesisTestCase):
    """Whatever people do in whatever order, the row says what the table allows."""

    @given(
        deeds=st.lists(
            st.tuples(
                st.sampled_from(["answer", "resolve", "reopen", "close", "note", "hurry"]),
                st.booleans(),
            ),
            max_size=10,
        )
    )
    def test_any_order_of_deeds(self, deeds):
        tea = Team("Tea", "lin")
        gao = side_of_staff(hire("gao", has_device=False, roles=[StaffRole.FINANCE]).user)
        ticket = tea.ask()
        verbs: dict[str, Callable[..., Any]] = {
            "answer": lambda **who: answer(text="x", **who), "resolve": resolve,
            "reopen": reopen, "close": close,
            "note": lambda **who: note_internally(text="n", **who),
            "hurry": lambda **who: prioritise(priority=Priority.HIGH, **who),
        }  # fmt: skip
        entries = AuditEntry.objects.filter(subject_id=ticket.public_id)
        for number, (deed, is_staff) in enumerate(deeds):
            before, count = TicketState(ticket.state), entries.count()
            side = gao if is_staff else tea.side
            try:
                verbs[deed](**of(side, ticket, 60 * (number + 1)))
            except (IllegalMove, TicketOver, NotAnswering):
                ticket.refresh_from_db()
                assert ticket.state == before
                assert entries.count() == count
                continue
            ticket.refresh_from_db()
            assert ticket.state == before or ticket.state in TICKET_MOVES[before]
            assert entries.count() == count + 1
            assert (ticket.state in ONGOING) == (not ticket.resolved_at and not ticket.closed_at)
        notes = [line for line in talk_of(tea.side, ticket.public_id).lines if line.is_internal]
        assert notes == []


def is_working(moment: datetime) -> bool:
    """By the clock on the wall, minute for minute: another way to reckon than the rule's."""
    there = moment.astimezone(SHANGHAI)
    return there.weekday() < 5 and time(9) <= there.time() < time(18)


MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


class TestDueTimes:
    """Working hours, counted."""

    @pytest.mark.parametrize(
        ("asked", "first", "resolved"),
        [
            ("2026-11-23T09:00", "2026-11-23T13:00", "2026-11-24T18:00"),  # Monday
            ("2026-11-23T14:00", "2026-11-23T18:00", "2026-11-25T14:00"),
            ("2026-11-23T17:00", "2026-11-24T12:00", "2026-11-25T17:00"),
            ("2026-11-23T20:00", "2026-11-24T13:00", "2026-11-25T18:00"),
            ("2026-11-27T16:30", "2026-11-30T11:30", "2026-12-01T16:30"),  # Friday
            ("2026-11-28T11:00", "2026-11-30T13:00", "2026-12-01T18:00"),  # Saturday
            ("2026-11-23T03:00", "2026-11-23T13:00", "2026-11-24T18:00"),
        ],
    )
    def test_normal_tickets(self, asked, first, resolved):
        due = due_times(Priority.NORMAL, since=at(asked))
        assert (due.first_answer, due.resolution) == (at(first), at(resolved))

    def test_the_table_is_what_help_promises(self):
        normal = SERVICE_TIMES[Priority.NORMAL]
        assert (normal.first_answer, normal.resolution) == (timedelta(hours=4), 2 * WORKING_DAY)
        assert (OPENS, CLOSES, ZONE.key) == (time(9), time(18), "Asia/Shanghai")
        assert frozenset({0, 1, 2, 3, 4}) == WORKING_DAYS
        for priority in Priority:
            assert SERVICE_TIMES[priority].first_answer <= SERVICE_TIMES[priority].resolution

    @given(since=MOMENTS, minutes=st.integers(1, 3 * 9 * 60))
    def test_exactly_the_working_minutes_lie_between(self, since, minutes):
        due = due_after(timedelta(minutes=minutes), since=since)
        span = int((due - since).total_seconds() // 60)
        worked = sum(is_working(since + timedelta(minutes=one)) for one in range(span))
        assert worked == minutes
        assert is_working(due - timedelta(minutes=1)), "due at the end of working time, not later"

    @given(since=MOMENTS, later_by=st.integers(0, 10_000), minutes=st.integers(1, 2000))
    def test_who_asks_later_is_never_due_earlier(self, since, later_by, minutes):
        working = timedelta(minutes=minutes)
        assert due_after(working, since=since) <= due_after(
            working, since=since + timedelta(minutes=later_by)
        )

    @pytest.mark.django_db
    def test_a_ticket_is_late_only_while_it_is_our_move(self, tea, gao):
        ticket = tea.ask()

        def late(seconds: float) -> bool:
            return Ticket.objects.filter(overdue(later(seconds))).exists()

        assert (ticket.first_answer_due_at, ticket.resolution_due_at) == (
            at("2026-11-23T16:00"), at("2026-11-25T12:00"),
        )  # fmt: skip
        assert (late(4 * 3600 - 1), late(4 * 3600 + 1)) == (False, True)
        answer(text="Which address?", **of(gao, ticket))
        assert not late(90 * 86400)
        answer(text="This.", **of(tea.side, ticket, 120))
        assert (late(5 * 3600), late(2 * 86400 + 1)) == (False, True)
        resolve(**of(gao, ticket, 3 * 86400))
        assert not late(90 * 86400)

    @pytest.mark.django_db
    def test_reopening_begins_the_time_anew_and_priority_shortens_it(self, tea, gao):
        ticket = tea.ask()
        resolve(**of(gao, ticket))
        reopen(**of(tea.side, ticket, 86400))
        ticket.refresh_from_db()
        assert ticket.resolution_due_at == at("2026-11-26T12:00")
        prioritise(priority=Priority.HIGH, **of(gao, ticket, 90000))
        ticket.refresh_from_db()
        assert ticket.resolution_due_at == at("2026-11-25T12:00")
        assert ticket.first_answer_due_at == at("2026-11-23T14:00")


class TestWhoReadsWhat:
    """A ticket of others answers like one that does not exist."""

    def test_another_merchants_ticket_is_not_there(self, tea, books):
        ticket = tea.ask()
        for deed in (resolve, reopen, lambda **who: answer(text="x", **who)):
            with pytest.raises(TicketUnknown):
                deed(**of(books.side, ticket))
        with pytest.raises(TicketUnknown):
            talk_of(books.side, ticket.public_id)
        assert list_tickets(books.side, limit=10) == ([], 0)
        assert Message.objects.count() == 1

    def test_a_customers_ticket_is_nobodys_but_theirs(self, tea):
        ticket = ask_as_customer()
        with pytest.raises(TicketUnknown):
            talk_of(tea.side, ticket.public_id)

    def test_notes_are_the_staffs(self, tea, gao):
        ticket = tea.ask()
        note_internally(text="They moved their server.", **of(gao, ticket))
        answer(text="Please look at your address.", **of(gao, ticket, 90))

        theirs = talk_of(tea.side, ticket.public_id).lines
        ours = talk_of(gao, ticket.public_id).lines
        assert [line.text for line in theirs] == ["Where are they?", "Please look at your address."]
        assert [line.author for line in ours] == ["Lin", "Gao", "Gao"]
        assert "Gao" not in {line.author for line in theirs}
        assert ours[1].is_internal

    def test_roles_and_keys(self):
        for role in Role:
            assert TICKETS_READ in OF_ROLE[role]
            assert (TICKETS_WRITE in OF_ROLE[role]) == (role is not Role.READ_ONLY)
        assert not SCOPES & {TICKETS_READ, TICKETS_WRITE}

    def test_who_only_reads_does_not_write(self, db):
        tea = Team("Tea", "rui", Role.READ_ONLY)
        with pytest.raises(AccessRefused):
            tea.ask()
        lin = hire("lin", has_device=False)
        tea.join(lin, Role.OWNER)
        access = by_member(lin.user, None, address="")
        ticket = open_ticket(access=access, by=lin.user, subject="a", text="b", at=NOON)
        assert talk_of(tea.side, ticket.public_id).lines
        for deed in (resolve, lambda **who: answer(text="x", **who)):
            with pytest.raises(AccessRefused):
                deed(**of(tea.side, ticket))

    def test_a_suspended_merchant_can_ask_why(self, tea):
        suspend_merchant(merchant_id=tea.merchant.pk, reason="review", actor=SYSTEM, at=NOON)
        assert talk_of(tea.side, tea.ask().public_id).lines

    @pytest.mark.parametrize(
        "role", [StaffRole.ADMINISTRATOR, StaffRole.AUDITOR, StaffRole.COMPLIANCE_OFFICER]
    )
    def test_other_staff_do_not_answer(self, db, role):
        with pytest.raises(NotAnswering):
            side_of_staff(hire("he", has_device=False, roles=[role]).user)

    def test_lists_go_on_by_key(self, tea):
        made = [tea.ask(f"Question {number}").public_id for number in range(5)]
        first, older = list_tickets(tea.side, limit=3)
        second, end = list_tickets(tea.side, before=older, limit=3)
        assert [row.number for row in (*first, *second)] == made[::-1]
        assert end == 0


class TestCustomers:
    """A link by letter, and nothing else, opens a customer's ticket."""

    def test_letters_carry_links_and_nothing_that_was_typed(self, gao):
        ticket = ask_as_customer(subject="Buy cheap pills", text="at pills.example")
        [letter] = letters_sent()
        assert letter.to == ["mei@example.com"]
        assert ticket.public_id in letter.body
        assert "pills" not in f"{letter.subject} {letter.body}".lower()

        side, found = side_of_customer(LINK.findall(str(letter.body))[0], at=later(60))
        assert found == ticket
        assert [line.text for line in talk_of(side, ticket.public_id).lines] == ["at pills.example"]

        answer(text="We found it.", **of(gao, ticket))
        [second] = letters_sent()
        assert "We found it" not in second.body
        newer, _same = side_of_customer(LINK.findall(str(second.body))[0], at=later(60))
        assert len(talk_of(newer, ticket.public_id).lines) == 2
        answer(text="Thank you.", **of(newer, ticket, 120))
        assert letters_sent() == []

    def test_letters_follow_the_language_of_the_asker(self, db):
        ask_as_customer(language="zh-hans")
        [letter] = letters_sent()
        assert "您的问题" in f"{letter.subject} {letter.body}"

    def test_the_database_holds_neither_address_nor_secret(self, db):
        ask_as_customer()
        with connection.cursor() as cursor:
            for table in ("merchants_ticket", "merchants_ticketlink", "compliance_letter",
                          "compliance_auditentry"):  # fmt: skip
                cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")  # noqa: S608
                assert "mei@example.com" not in cursor.fetchone()[0]
        [letter] = letters_sent()
        secret = LINK.findall(str(letter.body))[0]
        assert len(secret) >= 43
        assert secret.encode() not in bytes(TicketLink.objects.get().digest)
        assert Letter.objects.get().body_sealed == ""
        assert secret not in redacted(f"GET /help/tickets/{secret}/ 200")

    def test_a_link_ends_and_is_forgotten(self, db):
        ask_as_customer()
        [letter] = letters_sent()
        secret = LINK.findall(str(letter.body))[0]
        side_of_customer(secret, at=NOON + LASTS - timedelta(seconds=1))
        with pytest.raises(TicketUnknown):
            side_of_customer(secret, at=NOON + LASTS)
        assert forget_old_links(at=NOON + LASTS) == 1

    @pytest.mark.parametrize("secret", ["", "x", "x" * 43, "é" * 43, "\ud800", "x" * 100_000])
    def test_a_guess_opens_nothing(self, db, secret):
        ask_as_customer()
        with pytest.raises(TicketUnknown):
            side_of_customer(secret, at=NOON)

    def test_one_customers_link_does_not_open_anothers_ticket(self, db):
        ask_as_customer()
        other = ask_as_customer(email="rui@example.com")
        first = next(one for one in letters_sent() if one.to == ["mei@example.com"])
        side, _own = side_of_customer(LINK.findall(str(first.body))[0], at=NOON)
        with pytest.raises(TicketUnknown):
            answer(text="x", **of(side, other))


class TestLettersToMerchants:
    """The asker is told, as long as they belong there."""

    def test_the_asker_is_told_where_to_read(self, tea, gao):
        ticket = tea.ask()
        answer(text="We found it.", **of(gao, ticket))
        resolve(**of(gao, ticket, 120))
        told, resolved = letters_sent()
        assert told.to == ["lin@example.com"]
        assert f"/portal/tickets/{ticket.public_id}/" in told.body
        assert "We found it" not in f"{told.body}{resolved.body}"

    def test_who_has_left_is_told_nothing(self, tea, gao):
        ticket = tea.ask()
        Member.objects.update(removed_at=NOON)
        answer(text="We found it.", **of(gao, ticket))
        assert letters_sent() == []


class TestTexts:
    """What may be written."""

    @pytest.mark.parametrize(
        "text", ["", "  \n ", "x" * (TEXT_MAX + 1), "a\0b", "a\x1bb", "\u202egnp.exe", "\ud800"]
    )
    def test_an_unfit_text_is_refused_and_leaves_nothing(self, tea, text):
        with pytest.raises(TextUnfit):
            tea.ask(text)
        ticket = tea.ask()
        with pytest.raises(TextUnfit):
            answer(text=text, **of(tea.side, ticket))
        assert Message.objects.count() == 1

    def test_a_subject_is_one_line_of_limited_length(self, tea):
        assert tea.ask("a\r\nb\tc").subject == "a b c"
        with pytest.raises(TextUnfit):
            tea.ask("x" * (SUBJECT_MAX + 1))

    def test_lines_and_chinese_are_kept(self, tea):
        ticket = tea.ask()
        said = answer(text=" 第一行\r\n第二行 🍵 ", **of(tea.side, ticket))
        assert said.text == "第一行\n第二行 🍵"

    @pytest.mark.parametrize("payment", ["pay_1", "ref_" + PAYMENT[4:], "x", PAYMENT + "0"])
    def test_a_payment_number_has_its_shape(self, tea, payment):
        with pytest.raises(PaymentMalformed):
            tea.ask(payment=payment)
        assert tea.ask(payment=PAYMENT).payment == PAYMENT

    def test_a_ticket_is_full_some_time(self, tea):
        ticket = tea.ask()
        Message.objects.bulk_create(
            Message(
                ticket=ticket, author_kind="merchant", author=tea.person.user, text="x",
                created_at=NOON,
            )
            for _ in range(MESSAGES_MAX - 1)
        )  # fmt: skip
        with pytest.raises(TicketFull):
            answer(text="x", **of(tea.side, ticket))


def test_the_trail_tells_deeds_and_no_texts(tea, gao):
    ticket = tea.ask("A secret subject", payment=PAYMENT)
    note_internally(text="A secret note", **of(gao, ticket))
    answer(text="A secret answer", **of(gao, ticket))
    prioritise(priority=Priority.HIGH, **of(gao, ticket))
    resolve(**of(gao, ticket))
    reopen(**of(tea.side, ticket))
    close(**of(gao, ticket))

    entries = list(AuditEntry.objects.filter(subject_id=ticket.public_id).order_by("pk"))
    assert [entry.action for entry in entries] == [
        "ticket.opened", "ticket.noted", "ticket.answered", "ticket.prioritised",
        "ticket.resolved", "ticket.reopened", "ticket.closed",
    ]  # fmt: skip
    assert entries[2].before == {"state": "open"}
    assert entries[2].after == {"state": "waiting_for_asker"}
    assert "secret" not in "".join(f"{entry.facts}{entry.before}{entry.after}" for entry in entries)
