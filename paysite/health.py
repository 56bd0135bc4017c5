"""Two questions that load balancers and the launcher ask: alive? able to serve?"""

from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from paysite.broker import probe_options
from paysite.celery import app as celery

BROKER_SECONDS: Final = 1


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers. No more is asked: a slow database must not restart web servers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """The database answers. A missing broker is told but is no reason to turn customers away:
    rows are the truth, and sweepers find them once it is back.
    """
    parts = {"database": database_answers(), "broker": broker_answers()}
    ready = parts["database"]
    return JsonResponse(
        {
            "status": "ready" if ready else "unavailable",
            **{name: "ok" if ok else "down" for name, ok in parts.items()},
        },
        status=200 if ready else 503,
    )


def database_answers() -> bool:
    """One round trip on this worker's own connection."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            cursor.fetchone()
    except DatabaseError:
        connection.close()
        return False
    return True


def broker_answers() -> bool:
    """Whether the broker takes a connection within a second."""
    options = probe_options(settings.CELERY_BROKER_URL, seconds=BROKER_SECONDS)
    with celery.connection_for_write(transport_options=dict(options)) as line:
        refusals: tuple[type[BaseException], ...] = (
            OperationalError,
            *line.connection_errors,
            *line.channel_errors,
        )
        try:
            line.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        except refusals:
            return False  # A wrong password is no answer either, and RabbitMQ says so otherwise.
    return True
