"""The calls of the REST face: who, parse, one verb, answer."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from payments.acquiring.asking import read_payment_ask, read_refund_wish
from payments.acquiring.facts import document as payment_document
from payments.acquiring.pay import close_payment, create_payment
from payments.acquiring.queries import get_payment, list_payments
from payments.acquiring.refund_facts import refund_document
from payments.acquiring.refund_queries import get_refund, list_refunds
from payments.acquiring.refunding import request_refund
from payments.acquiring.repeats import replay_event_once
from payments.api import operations
from payments.api.authentication import access_of
from payments.api.cursors import cursor_of
from payments.api.filters import read_event_query, read_payment_query, read_refund_query
from payments.api.parsing import idempotency_key
from payments.api.problems import problem
from payments.callbacks.queries import document as event_document
from payments.callbacks.queries import get_event, list_events
from payments.channels.registry import methods
from payments.ledger.queries import merchant_balances

REPLAYED: Final = "Idempotent-Replayed"


class AlwaysJson(BaseContentNegotiation):
    """Whatever a caller says it accepts, it gets JSON: there is nothing else to give."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser of the body's content type, if there is one."""
        sent = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The only renderer."""
        return renderers[0], renderers[0].media_type


class MerchantView(APIView):
    """Base of every call. Only API keys come in, and only JSON goes out."""

    content_negotiation_class = AlwaysJson
    confirms_key_on: ClassVar[frozenset[str]] = frozenset()
    """The HTTP methods whose verb confirms the API key in its own statement."""
    http_method_names = ["get", "head", "post"]


class Payments(MerchantView):
    """/api/v1/payments"""

    confirms_key_on = frozenset({"POST"})

    @operations.CREATE_PAYMENT
    def post(self, request: Request) -> HttpResponse:
        """Create a payment."""
        key = idempotency_key(request)
        ask = read_payment_ask(
            request.data, known_methods=frozenset(methods()), plain_http=settings.DEMO
        )
        created = create_payment(
            access=access_of(request), ask=ask, idempotency_key=key, at=timezone.now()
        )
        is_first = created.is_new or created.is_replay
        status = HTTPStatus.CREATED if is_first else HTTPStatus.OK
        response = _answer(payment_document(created.payment), status)
        if created.is_replay:
            response[REPLAYED] = "true"
        return response

    @operations.LIST_PAYMENTS
    def get(self, request: Request) -> HttpResponse:
        """List payments."""
        wanted, place = read_payment_query(request.query_params, access_of(request))
        page = list_payments(access_of(request), wanted, before=place.before, limit=place.limit)
        data = [payment_document(payment) for payment in page.payments]
        return _page(request, data, page.next_before, of="payments")


class Payment(MerchantView):
    """/api/v1/payments/{id}"""

    @operations.GET_PAYMENT
    def get(self, request: Request, payment: str) -> HttpResponse:
        """Read a payment."""
        return _answer(payment_document(get_payment(access_of(request), payment)))


class PaymentClosing(MerchantView):
    """/api/v1/payments/{id}/close"""

    @operations.CLOSE_PAYMENT
    def post(self, request: Request, payment: str) -> HttpResponse:
        """Close a payment. Doing so again changes nothing, with or without an Idempotency-Key."""
        idempotency_key(request)
        closed = close_payment(access=access_of(request), payment=payment, at=timezone.now())
        return _answer(payment_document(closed))


class PaymentRefunds(MerchantView):
    """/api/v1/payments/{id}/refunds"""

    @operations.CREATE_REFUND
    def post(self, request: Request, payment: str) -> HttpResponse:
        """Refund a payment, in full or in part."""
        made = request_refund(
            access=access_of(request), payment=payment, wish=read_refund_wish(request.data),
            idempotency_key=idempotency_key(request), at=timezone.now(),
        )  # fmt: skip
        is_first = made.is_new or made.is_replay
        status = HTTPStatus.CREATED if is_first else HTTPStatus.OK
        response = _answer(refund_document(made.refund), status)
        if made.is_replay:
            response[REPLAYED] = "true"
        return response


class Refunds(MerchantView):
    """/api/v1/refunds"""

    @operations.LIST_REFUNDS
    def get(self, request: Request) -> HttpResponse:
        """List refunds."""
        wanted, place = read_refund_query(request.query_params, access_of(request))
        page = list_refunds(access_of(request), wanted, before=place.before, limit=place.limit)
        data = [refund_document(refund) for refund in page.refunds]
        return _page(request, data, page.next_before, of="refunds")


class Refund(MerchantView):
    """/api/v1/refunds/{id}"""

    @operations.GET_REFUND
    def get(self, request: Request, refund: str) -> HttpResponse:
        """Read a refund."""
        return _answer(refund_document(get_refund(access_of(request), refund)))


class Balance(MerchantView):
    """/api/v1/balance"""

    @operations.GET_BALANCE
    def get(self, request: Request) -> HttpResponse:
        """Read the balance of every currency."""
        data = [
            {
                "currency": balance.available.currency,
                "available": balance.available.minor,
                "reserved": balance.reserved.minor,
            }
            for balance in merchant_balances(access_of(request))
        ]
        livemode = access_of(request).livemode
        return _answer({"object": "balance", "livemode": livemode, "data": data})


class Events(MerchantView):
    """/api/v1/events"""

    @operations.LIST_EVENTS
    def get(self, request: Request) -> HttpResponse:
        """List events."""
        wanted, place = read_event_query(request.query_params, access_of(request))
        page = list_events(access_of(request), wanted, before=place.before, limit=place.limit)
        data = [event_document(event) for event in page.events]
        return _page(request, data, page.next_before, of="events")


class Event(MerchantView):
    """/api/v1/events/{id}"""

    @operations.GET_EVENT
    def get(self, request: Request, event: str) -> HttpResponse:
        """Read an event."""
        return _answer(event_document(get_event(access_of(request), event)))


class EventReplay(MerchantView):
    """/api/v1/events/{id}/replay"""

    @operations.REPLAY_EVENT
    def post(self, request: Request, event: str) -> HttpResponse:
        """Send an event's callback again."""
        replayed = replay_event_once(
            access=access_of(request),
            event=event,
            idempotency_key=idempotency_key(request),
            at=timezone.now(),
        )
        return _answer(event_document(replayed))


@csrf_exempt
def no_such_call(request: HttpRequest) -> HttpResponse:
    """Every other address under /api/v1/, refused in the same form as everything else."""
    return problem(request, "not_found")


def _answer(document: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False), status=status, content_type="application/json"
    )
    response["Cache-Control"] = "no-store"
    return response


def _page(
    request: Request, data: list[dict[str, Any]], next_before: int, *, of: str
) -> HttpResponse:
    """One page of a list, with the address of the next one."""
    following = None
    if next_before:
        query = request.query_params.dict()
        query["cursor"] = cursor_of(next_before, of=of, access=access_of(request))
        following = f"{settings.BASE_URL}{request.path}?{urlencode(query)}"
    return _answer({"data": data, "next": following})
