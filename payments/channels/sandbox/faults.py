"""Makes a sandbox gateway misbehave on demand, so that the platform can be seen to cope."""

import time
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from http import HTTPStatus
from typing import Final, TypeAlias

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from payments.channels.sandbox.models import SandboxFault, SandboxGateway

SLOW_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 12.0
"""Longer than any client waits. Tests shorten it with settings.SANDBOX_TIMEOUT_SECONDS."""
NEVER_ANSWERED: Final = "X-Sandbox-Never-Answered"
"""Marks the answer that no client waits for; a test's transport turns it into a time-out."""


class Fault(StrEnum):
    """What a gateway can be told to do wrong on its next calls."""

    TIMEOUT_BEFORE = "timeout_before"
    """Nothing happens and no answer comes."""
    TIMEOUT_AFTER = "timeout_after"
    """It happens, but no answer comes."""
    HTTP_500 = "http_500"
    """Nothing happens; a page of HTML comes."""
    BAD_SIGNATURE = "bad_signature"
    """It happens; the answer's signature is wrong."""
    SYSTEM_ERROR = "system_error"
    """Nothing happens; the gateway says in its own words that it does not know."""
    SLOW = "slow"
    """It happens after two seconds."""
    REFUSE = "refuse"
    """Nothing happens; the gateway refuses for good, in its own words."""


View: TypeAlias = Callable[..., HttpResponse]


def misbehaving(gateway: str) -> Callable[[View], View]:
    """Decorate a view that merchants' servers call. The view takes a keyword `fault`.

    The view itself plays BAD_SIGNATURE, SYSTEM_ERROR and REFUSE, which are said in the gateway's
    own words; for every other call `fault` is None. The view must have committed when it returns.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def faulty(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if is_down(gateway):
                return unavailable()
            fault = take(gateway)
            match fault:
                case Fault.TIMEOUT_BEFORE:
                    return _never_answer()
                case Fault.HTTP_500:
                    return _html(HTTPStatus.INTERNAL_SERVER_ERROR)
                case Fault.TIMEOUT_AFTER:
                    view(request, *args, fault=None, **kwargs)
                    return _never_answer()
                case Fault.SLOW:
                    time.sleep(float(getattr(settings, "SANDBOX_SLOW_SECONDS", SLOW_SECONDS)))
                    return view(request, *args, fault=None, **kwargs)
                case _:
                    return view(request, *args, fault=fault, **kwargs)

        return faulty

    return decorate


def is_down(gateway: str) -> bool:
    """Whether the control endpoint switched the gateway off."""
    return SandboxGateway.objects.filter(gateway=gateway, is_down=True).exists()


def switch(gateway: str, *, is_down: bool) -> None:
    """Switch a gateway off or on."""
    SandboxGateway.objects.update_or_create(gateway=gateway, defaults={"is_down": is_down})


def plan(gateway: str, fault: Fault, count: int) -> None:
    """The next `count` calls will meet this fault."""
    SandboxFault.objects.create(gateway=gateway, fault=fault, remaining=count)


@transaction.atomic
def take(gateway: str) -> Fault | None:
    """Use up one planned fault, the oldest first. Each is met by exactly one call."""
    planned = (
        SandboxFault.objects.select_for_update()
        .filter(gateway=gateway, remaining__gt=0)
        .order_by("pk")
        .first()
    )
    if planned is None:
        return None
    planned.remaining -= 1
    planned.save(update_fields=["remaining"])
    return Fault(planned.fault)


def unavailable() -> HttpResponse:
    """What a balancer in front of a dead gateway says."""
    return _html(HTTPStatus.SERVICE_UNAVAILABLE)


def _html(status: HTTPStatus) -> HttpResponse:
    page = f"<html><head><title>{status} {status.phrase}</title></head><body></body></html>"
    return HttpResponse(page, status=status)


def _never_answer() -> HttpResponse:
    time.sleep(float(getattr(settings, "SANDBOX_TIMEOUT_SECONDS", TIMEOUT_SECONDS)))
    answer = _html(HTTPStatus.GATEWAY_TIMEOUT)
    answer.headers[NEVER_ANSWERED] = "1"
    return answer
