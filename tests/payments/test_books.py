"""The database itself guards the books, whoever asks."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from payments.ledger import checks
from payments.ledger.models import Account, AccountKind, Journal, Posting
from payments.ledger.posting import NotBalanced, credit, debit, post
from payments.money import Money
from tests.cast import NOON

KIND = AccountKind.SUSPENSE
TABLES = ["account", "journal", "posting", "checkpoint"]


def book(subject: str = "pay_1", minor: int = 100) -> Journal:
    return post(
        kind="test", subject=subject, livemode=False, at=NOON,
        entries=[debit(KIND, "a", Money(minor)), credit(KIND, "b", Money(minor))],
    )  # fmt: skip


def some_account() -> Account:
    return Account.objects.order_by("pk")[0]


@pytest.mark.django_db
def test_a_fact_is_booked_once(sound):
    book()
    with pytest.raises(IntegrityError, match="journal_once"), transaction.atomic():
        book()
    sound()


@pytest.mark.django_db
@pytest.mark.parametrize("entries", [
    [], [debit(KIND, "a", Money(100))],
    [debit(KIND, "a", Money(100)), credit(KIND, "b", Money(99))],
    [debit(KIND, "a", Money(100)), credit(KIND, "b", Money(100, "USD"))],
])  # fmt: skip
def test_what_does_not_balance_is_refused_by_the_verb(entries):
    with pytest.raises(NotBalanced):
        post(kind="test", subject="x", entries=entries, livemode=False, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_what_does_not_balance_is_refused_by_the_database_at_commit():
    @transaction.atomic
    def add_one_fen() -> None:
        Posting.objects.create(journal=book(), account=some_account(), amount_minor=1)

    with pytest.raises(IntegrityError, match="journal_balances"):
        add_one_fen()
    assert Journal.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_test_money_and_real_money_do_not_balance_each_other():
    @transaction.atomic
    def mix() -> None:
        journal = Journal.objects.create(kind="mixed", subject="x", at=NOON)
        for livemode, minor in ((True, 1), (False, -1)):
            account = Account.objects.create(
                kind=KIND, owner="m", currency="CNY", livemode=livemode
            )
            Posting.objects.create(journal=journal, account=account, amount_minor=minor)

    with pytest.raises(IntegrityError, match="journal_balances"):
        mix()


@pytest.mark.django_db
def test_a_posting_of_nothing_is_refused():
    journal = book()
    with pytest.raises(IntegrityError, match="posting_not_zero"), transaction.atomic():
        Posting.objects.create(journal=journal, account=some_account(), amount_minor=0)


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_books_refuse_change(table, sql):
    book()
    some_account().checkpoints.create(posting_id=0, balance_minor=0)
    refused = pytest.raises(DatabaseError, match="books_are_append_only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql.format(f"payments_{table}"))


@pytest.mark.django_db
def test_tampering_past_the_triggers_is_found_by_the_check():
    book(minor=500)
    assert [*checks.breaks()] == []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "UPDATE payments_posting SET amount_minor = 501 WHERE amount_minor = 500"
            )
            cursor.execute("SET LOCAL session_replication_role = origin")
        found = [*checks.breaks()]
        transaction.set_rollback(True)
    assert found == ["journal does not balance: test pay_1 CNY 1"]
