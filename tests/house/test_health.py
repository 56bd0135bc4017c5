"""The two questions that load balancers ask."""

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from kombu.exceptions import OperationalError as BrokerGone

from paysite import health
from paysite.machine import MachineHandler


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


def asked_of_machines(path: str, host: str):
    handler = MachineHandler()
    handler.load_middleware()
    return handler.get_response(RequestFactory().get(path, HTTP_HOST=host))


def test_a_probe_names_no_host_and_needs_no_tls(settings):
    settings.ALLOWED_HOSTS = ["pay.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    answer = asked_of_machines("/healthz", "10.0.0.7")
    assert answer.status_code == 200
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_whoever_is_no_probe_names_the_right_host_over_tls(settings):
    settings.ALLOWED_HOSTS = ["pay.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert asked_of_machines("/api/v1/payments", "10.0.0.7").status_code == 400
    assert asked_of_machines("/api/v1/payments", "pay.example.com").status_code == 301
