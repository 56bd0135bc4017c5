"""The broker is chosen by its address alone, and carries a wake whichever it is."""

import pytest
from amqp.exceptions import AccessRefused
from django.conf import settings
from kombu import Connection

from compliance.jobs.models import Job
from compliance.jobs.registry import jobs
from paysite.broker import VISIBILITY_SECONDS, probe_options, transport_options
from paysite.celery import app
from paysite.health import broker_answers

NAME = "compliance.expire_requests"


@pytest.mark.parametrize(
    "url", ["redis://h/0", "rediss://h/0", "redis+socket:///run/r.sock", "sentinel://h:26379"]
)
def test_redis_is_told_how_long_a_task_may_take(url):
    assert transport_options(url)["visibility_timeout"] == VISIBILITY_SECONDS
    assert "socket_timeout" in probe_options(url, seconds=1)


@pytest.mark.parametrize("url", ["amqp://u:p@h:5672/v", "amqps://h/", "memory://"])
def test_no_other_broker_is_told_what_only_redis_knows(url):
    assert transport_options(url) == {}
    assert "socket_timeout" not in probe_options(url, seconds=1)


def test_no_task_may_take_longer_than_redis_waits():
    limits = {name: app.tasks[name].time_limit or 0 for name in jobs()}
    assert all(0 < limit < VISIBILITY_SECONDS for limit in limits.values()), limits


def test_the_settings_follow_the_address():
    assert transport_options(settings.CELERY_BROKER_URL) == settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert app.conf.broker_connection_max_retries is None


@pytest.mark.django_db
def test_a_wake_over_another_broker_runs_the_job():
    with Connection("memory://") as line:
        app.send_task(NAME, connection=line, expires=60)
        with line.SimpleQueue("celery") as queue:
            wake = queue.get(timeout=5)
            wake.ack()
    app.tasks[wake.headers["task"]]()
    assert Job.objects.get(name=NAME).outcome == "done"


def test_a_broker_that_refuses_the_password_does_not_answer(monkeypatch):
    def refused(*_args, **_more):
        raise AccessRefused("ACCESS_REFUSED")

    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "amqp://u:wrong@h//")
    monkeypatch.setattr("paysite.health.celery.connection_for_write", _line(refused))
    assert not broker_answers()


def _line(refused):
    def opened(**_options):
        line = Connection("amqp://u:wrong@h//")
        line.ensure_connection = refused  # type: ignore[method-assign]
        return line

    return opened
