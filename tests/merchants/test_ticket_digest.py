"""Gao hears of tickets that wait: one letter about all of them, and only about news."""

import pytest
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.identity.models import Letter
from compliance.protection.fields import unseal
from merchants.access import by_member
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import Ticket
from merchants.support.answering import answer, note_internally
from merchants.support.asking import open_customer_ticket, open_ticket
from merchants.support.digest import NAMED_MAX, tell_staff
from merchants.support.ending import reopen, resolve
from merchants.support.sides import side_of_merchant, side_of_staff
from tests.cast import NOON
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def gao():
    return hire("gao", roles=["operator"]).user


@pytest.fixture
def lin():
    tea = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    user = hire("lin").user
    add_member(merchant_id=tea.pk, user=user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return user


def ask(lin, text: str = "A secret thing") -> Ticket:
    access = by_member(lin, None, address="")
    return open_ticket(access=access, by=lin, subject="Callbacks", text=text, at=timezone.now())


def side(lin):
    return side_of_merchant(by_member(lin, None, address=""), lin)


def texts() -> list[str]:
    rows = Letter.objects.filter(about="tickets_waiting").order_by("pk")
    return [unseal(row.body_sealed, bound_to=f"letter:{row.public_id}") for row in rows]


def test_three_tickets_make_one_letter_that_says_nothing_of_them(gao, lin):
    tickets = [ask(lin) for _ in range(2)]
    tickets.append(open_customer_ticket(
        email="mei@example.com", language="en", subject="Hm", text="A secret thing", actor=SYSTEM,
        at=NOON,
    ))  # fmt: skip

    assert tell_staff(at=NOON) == 3

    [text] = texts()
    assert all(ticket.public_id in text for ticket in tickets)
    assert "secret" not in text
    assert tell_staff(at=NOON) == 0
    assert len(texts()) == 1


def test_an_answer_of_the_asker_is_news_and_one_of_the_staff_is_not(gao, lin):
    ticket = ask(lin).public_id
    tell_staff(at=NOON)

    note_internally(side=side_of_staff(gao), ticket=ticket, text="Hm", actor=SYSTEM, at=NOON)
    answer(side=side_of_staff(gao), ticket=ticket, text="So.", actor=SYSTEM, at=NOON)
    assert tell_staff(at=NOON) == 0

    answer(side=side(lin), ticket=ticket, text="But why?", actor=SYSTEM, at=NOON)
    assert tell_staff(at=NOON) == 1


def test_what_was_answered_meanwhile_is_passed_over(gao, lin):
    ticket = ask(lin).public_id
    answer(side=side_of_staff(gao), ticket=ticket, text="So.", actor=SYSTEM, at=NOON)

    assert tell_staff(at=NOON) == 0
    assert texts() == []


def test_a_ticket_that_is_opened_again_is_news(gao, lin):
    ticket = ask(lin).public_id
    tell_staff(at=NOON)
    resolve(side=side(lin), ticket=ticket, actor=SYSTEM, at=NOON)
    reopen(side=side(lin), ticket=ticket, actor=SYSTEM, at=NOON)

    assert tell_staff(at=NOON) == 1


def test_who_answers_no_tickets_hears_of_none_and_who_wants_no_letter_gets_none(gao, lin):
    hire("wei", roles=["auditor"])
    bo = hire("bo", roles=["operator"]).user
    bo.letters_off = ["tickets_waiting"]
    bo.save()
    ask(lin)

    tell_staff(at=NOON)

    assert [row.user for row in Letter.objects.filter(about="tickets_waiting")] == [gao]


def test_a_flood_is_told_by_how_many(gao, lin):
    for _ in range(NAMED_MAX + 2):
        ask(lin)

    tell_staff(at=NOON)

    [text] = texts()
    assert text.count("tkt_") == NAMED_MAX
