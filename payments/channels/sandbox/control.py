"""The control endpoint: makes the sandbox gateways do what a test or a demonstration wants."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.channels.sandbox import bills, enrolments, faults, orders
from payments.channels.sandbox.models import OrderState, SandboxMessage, SandboxOrder
from payments.channels.sandbox.notifier import OLD_SECONDS, Tamper
from payments.channels.sandbox.speaker import Speaker
from payments.channels.sandbox.speakers import SPEAKERS

COUNT_MAX: Final = 1000
COPIES_MAX: Final = 100
PLANTED_MAX: Final = 1000


class _No(Exception):
    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail


@dataclass(frozen=True, slots=True)
class Command:
    """One parsed request."""

    speaker: Speaker
    data: dict[str, Any]

    def text(self, name: str) -> str:
        """A member that is text, or "" when it is missing."""
        value = self.data.get(name, "")
        if not isinstance(value, str) or "\x00" in value:
            raise _No(HTTPStatus.BAD_REQUEST, "invalid", f"{name} must be text.")
        return value

    def count(self, name: str, most: int) -> int:
        """A member that is a whole number from 0 to `most`; 0 when it is missing."""
        value = self.data.get(name, 0)
        if type(value) is not int or not 0 <= value <= most:
            detail = f"{name} must be a whole number from 0 to {most}."
            raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
        return value

    def whole(self, name: str, default: int, most: int) -> int:
        """A member that is a whole number from 1 to `most`."""
        value = self.data.get(name, default)
        if type(value) is not int or not 1 <= value <= most:
            detail = f"{name} must be a whole number from 1 to {most}."
            raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
        return value


@csrf_exempt
@require_POST
def control(request: HttpRequest) -> JsonResponse:
    """POST /sandbox/control/"""
    try:
        command, action = _read(request.body)
        done = _ACTIONS[action](command)
    except _No as no:
        return JsonResponse({"error": no.code, "detail": no.detail}, status=no.status)
    return JsonResponse({"gateway": command.speaker.name, "action": action, **done})


def _read(body: bytes) -> tuple[Command, str]:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", "The body must be JSON.") from error
    if not isinstance(data, dict):
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", "The body must be a JSON object.")
    gateway, action = data.get("gateway"), data.get("action")
    if not isinstance(gateway, str) or gateway not in SPEAKERS:
        detail = f"gateway must be one of {', '.join(SPEAKERS)}."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
    if not isinstance(action, str) or action not in _ACTIONS:
        detail = f"action must be one of {', '.join(_ACTIONS)}."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
    return Command(SPEAKERS[gateway], data), action


def _pay(command: Command) -> dict[str, Any]:
    order = _order(command)
    amount = command.whole("amount", order.amount_minor, 10**12)
    try:
        paid = orders.pay(order.pk, command.speaker, at=timezone.now(), amount_minor=amount)
    except orders.OrderPaid as error:
        raise _No(HTTPStatus.CONFLICT, "already_paid", "The order is paid already.") from error
    except orders.OrderClosed as error:
        detail = "The order is closed or its time is over."
        raise _No(HTTPStatus.CONFLICT, "order_closed", detail) from error
    return {"paid": _facts(paid)}


def _next(command: Command) -> dict[str, Any]:
    try:
        fault = faults.Fault(command.text("fault"))
    except ValueError as error:
        detail = f"fault must be one of {', '.join(faults.Fault)}."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail) from error
    count = command.whole("count", 1, COUNT_MAX)
    faults.plan(command.speaker.name, fault, count)
    return {"fault": fault, "count": count}


def _notify(command: Command) -> dict[str, Any]:
    copies = command.whole("copies", 1, COPIES_MAX)
    tamper = _tamper(command)
    order = _order(command)
    if order.state != OrderState.PAID:
        detail = "Gateways only tell of paid orders; pay it first."
        raise _No(HTTPStatus.CONFLICT, "not_paid", detail)
    at = timezone.now()
    first = order.messages.filter(refund=None).order_by("pk").first()
    notice_id = first.notice_id if first else orders.new_digits(at, 32)
    made = SandboxMessage.objects.bulk_create(
        SandboxMessage(
            gateway=order.gateway, order=order, notice_id=notice_id, url=order.notify_url,
            tamper=tamper, tries_max=1, due_at=at,
        )
        for _ in range(copies)
    )  # fmt: skip
    return {
        "copies": len(made),
        "tamper": tamper,
        "number": order.number,
        "url": order.notify_url,
    }


def _tamper(command: Command) -> str:
    value = command.data.get("tamper", "")
    if value in (None, False, ""):
        return ""
    try:
        return Tamper("signature" if value is True else value)
    except (ValueError, TypeError) as error:
        detail = f"tamper must be one of {', '.join(Tamper)} (old: {OLD_SECONDS} seconds)."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail) from error


def _bill(command: Command) -> dict[str, Any]:
    try:
        day = date.fromisoformat(command.text("day"))
    except ValueError as error:
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", "day must be a date.") from error
    counts = {kind: command.count(kind, PLANTED_MAX) for kind in bills.ERRORS}
    is_late = command.data.get("late", False)
    if type(is_late) is not bool:
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", "late must be true or false.")
    planted = bills.plant(command.speaker.name, day, counts=counts, is_late=is_late)
    lines = bills.published(command.speaker.name, day, at=timezone.now())
    return {
        "day": day.isoformat(), "late": is_late, "planted": planted, "lines": len(lines or ()),
    }  # fmt: skip


def _enrolment(command: Command) -> dict[str, Any]:
    decision, fields = command.text("decide"), command.data.get("fields", {})
    if decision not in enrolments.DECISIONS:
        detail = f"decide must be one of {', '.join(enrolments.DECISIONS)}."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
    if not isinstance(fields, dict) or not all(isinstance(one, str) for one in fields.values()):
        detail = "fields must be an object of reasons by field."
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", detail)
    try:
        row = enrolments.decide(
            gateway=command.speaker.name, number=command.text("number"), decision=decision,
            reasons=fields, at=timezone.now(),
        )  # fmt: skip
    except enrolments.EnrolmentUnknown as error:
        detail = "The gateway knows no such application."
        raise _No(HTTPStatus.NOT_FOUND, "enrolment_unknown", detail) from error
    return {
        "number": row.number, "gateway_number": row.gateway_number, "state": row.state,
        "times": row.times, "sub_merchant": row.sub_merchant, "stated": row.fields,
    }  # fmt: skip


def _down(command: Command) -> dict[str, Any]:
    faults.switch(command.speaker.name, is_down=True)
    return {"is_down": True}


def _up(command: Command) -> dict[str, Any]:
    faults.switch(command.speaker.name, is_down=False)
    return {"is_down": False}


_ACTIONS: Final[dict[str, Callable[[Command], dict[str, Any]]]] = {
    "pay": _pay,
    "next": _next,
    "notify": _notify,
    "bill": _bill,
    "enrolment": _enrolment,
    "down": _down,
    "up": _up,
}


def _order(command: Command) -> SandboxOrder:
    """The newest order of our payment (a waiting one first), or the order with a number."""
    payment, number = command.text("payment"), command.text("number")
    if not payment and not number:
        raise _No(HTTPStatus.BAD_REQUEST, "invalid", "Name a payment or a number.")
    known = SandboxOrder.objects.filter(gateway=command.speaker.name).order_by("-pk")
    if payment:
        found = known.filter(reference=payment)
        order = found.filter(state=OrderState.WAITING).first() or found.first()
    else:
        order = known.filter(number=number).first() or known.filter(gateway_number=number).first()
    if order is None:
        detail = (
            "The gateway knows no such order. An order paid in the browser exists there"
            " only after the browser has gone to the gateway."
        )
        raise _No(HTTPStatus.NOT_FOUND, "order_unknown", detail)
    return order


def _facts(order: SandboxOrder) -> dict[str, Any]:
    return {
        "number": order.number,
        "gateway_number": order.gateway_number,
        "payment": order.reference,
        "product": order.product,
        "amount": order.amount_minor,
        "amount_paid": order.paid_minor,
        "state": order.state,
    }
