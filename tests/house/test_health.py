"""The two questions that load balancers ask."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from kombu.exceptions import OperationalError as BrokerGone

from paysite import health


def test_alive_asks_nobody(client: Client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_when_the_database_answers(client: Client, monkeypatch):
    monkeypatch.setattr(health, "broker_answers", lambda: True)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "broker": "ok"}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_a_missing_broker_turns_no_customer_away(client: Client, settings, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise BrokerGone("no broker")

    monkeypatch.setattr("kombu.connection.Connection.ensure_connection", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["broker"] == "down"


@pytest.mark.django_db
def test_not_ready_without_the_database(client: Client, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the server went away")

    monkeypatch.setattr(health, "broker_answers", lambda: True)
    monkeypatch.setattr(connection, "cursor", gone)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "down", "broker": "ok"}


def test_only_questions_are_answered(client: Client):
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200
