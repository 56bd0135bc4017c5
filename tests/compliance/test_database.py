"""Prepared statements on Django's own connection, and connections that the server has closed."""

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.audit.trail import record
from compliance.database import drop_dead_connection, prepared

PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"


def hang_up() -> None:
    """The server ends our connection, as a restart does."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(
        host=connection.settings_dict["HOST"],
        port=connection.settings_dict["PORT"],
        user=connection.settings_dict["USER"],
        dbname=connection.settings_dict["NAME"],
        autocommit=True,
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def insert(number: str) -> None:
    """A write of one statement."""
    prepared(
        "INSERT INTO compliance_auditentry (actor_kind, action, subject_kind, subject_id) "
        "VALUES ('system', 'tested', 'test', %s)",
        [number],
    )


@pytest.mark.django_db
def test_a_statement_is_prepared_at_its_first_run_and_kept():
    for number in (1, 70_000, 5_000_000_000):
        assert prepared("SELECT %s + 1 AS kept_statement", [number]) == [(number + 1,)]

    # One statement for small and large numbers alike.
    assert prepared(PREPARED, ["SELECT $1 + 1 AS kept_statement"]) == [(1,)]


@pytest.mark.django_db
def test_parameters_may_be_named_and_nothing_is_bound_on_the_client():
    rows = prepared("SELECT %(a)s::text, %(b)s::int", {"a": "x'; DROP TABLE t; --", "b": 2})

    assert rows == [("x'; DROP TABLE t; --", 2)]


@pytest.mark.django_db
def test_a_statement_without_rows_gives_none():
    assert prepared("UPDATE compliance_auditprogress SET settled = settled WHERE id = 2") == []


@pytest.mark.django_db
def test_errors_are_djangos_and_a_savepoint_survives_them():
    with pytest.raises(IntegrityError), transaction.atomic():
        prepared("INSERT INTO compliance_auditprogress (id) VALUES (%s)", [2])

    assert prepared("SELECT 1") == [(1,)]


@pytest.mark.django_db
def test_statements_are_counted_like_djangos_own():
    with CaptureQueriesContext(
        connection,
    ) as seen:
        prepared("SELECT 42")

    assert [query["sql"] for query in seen] == ["SELECT 42"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_takes_the_statement_with_it():
    with transaction.atomic():
        insert("1")
        transaction.set_rollback(True)

    assert AuditEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_statements_work_again_after_a_rollback_dropped_what_was_prepared():
    prepared("SELECT %s::bigint", [1])
    with transaction.atomic():
        prepared("SELECT %s::bigint", [2])
        transaction.set_rollback(True)

    assert prepared("SELECT %s::bigint", [3]) == [(3,)]


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_after_the_server_hung_up_runs_on_a_new_connection():
    prepared("SELECT 1")
    hang_up()

    insert("once")

    assert AuditEntry.objects.filter(subject_id="once").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_start_of_a_request_drops_a_dead_connection_for_the_orm_too(client):
    AuditEntry.objects.count()
    hang_up()

    assert client.get("/signin/").status_code == 200
    assert AuditEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_living_connection_is_kept():
    prepared("SELECT 1")
    before = connection.connection

    drop_dead_connection()

    assert connection.connection is before


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_a_lost_connection_is_an_error_and_nothing_is_repeated():
    def cut_in_the_middle() -> None:
        with transaction.atomic():
            insert("first half")
            hang_up()
            insert("second half")

    with pytest.raises(OperationalError):
        cut_in_the_middle()

    assert AuditEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_read_that_was_cut_off_is_asked_once_more(monkeypatch):
    prepared("SELECT 1")
    monkeypatch.setattr("compliance.database.drop_dead_connection", hang_up)

    assert prepared("SELECT 7") == [(7,)]


@pytest.mark.django_db(transaction=True)
def test_a_write_that_was_cut_off_is_never_sent_again(monkeypatch):
    prepared("SELECT 1")
    monkeypatch.setattr("compliance.database.drop_dead_connection", hang_up)

    with pytest.raises(OperationalError):
        insert("maybe")


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_a_mistake_of_the_program():
    with pytest.raises(transaction.TransactionManagementError, match=r"tea\.poured"):
        record(SYSTEM, "tea.poured", subject=("tea", "1"))
