"""What the OpenAPI document says of each call. Nothing here runs for a call."""

from collections.abc import Callable
from typing import Any, Final

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    OpenApiWebhook,
    extend_schema,
)

from payments.acquiring.refund_facts import STATUSES
from payments.acquiring.states import PaymentState
from payments.api import examples, schemas
from payments.api.codes import PROBLEMS, SAMPLE
from payments.api.filters import LIMIT_DEFAULT, LIMIT_MAX
from payments.api.parsing import IDEMPOTENCY_KEY_CHARACTERS_MAX
from payments.callbacks.models import EventType

PROBLEM_JSON: Final = "application/problem+json"
EVERYWHERE: Final = (
    "key_missing", "key_unknown", "key_revoked", "key_expired", "wrong_mode", "scope_missing",
    "address_not_allowed", "internal_error", "too_many_requests", "temporarily_unavailable",
)  # fmt: skip
"""What every call may answer."""
WRITING: Final = ("merchant_suspended", "idempotency_key_malformed", "idempotency_key_reused")

_IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": IDEMPOTENCY_KEY_CHARACTERS_MAX},
    OpenApiParameter.HEADER,
    description=_(
        "A number of your own for this call. Repeated with it, the call has no second effect and"
        " answers as the first did; with other content it is refused."
    ),
)
_LANGUAGE: Final = OpenApiParameter(
    "Accept-Language",
    {"type": "string", "default": "zh-hans"},
    OpenApiParameter.HEADER,
    description=_("The language of sentences in refusals: zh-hans or en."),
)
_LIMIT: Final = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    description=_("How many to list on a page."),
)
_CURSOR: Final = OpenApiParameter(
    "cursor", str, description=_('From "next" of the page before; normally just call that address.')
)
_CREATED_AFTER: Final = OpenApiParameter(
    "created_after",
    {"type": "string", "format": "date-time"},
    description=_("Created at this time or later (RFC 3339, with a zone)."),
)


def _id(name: str, description: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=description)


_PAYMENT: Final = _id("payment", _("The payment's id, pay_…"))
_REFUND: Final = _id("refund", _("The refund's id, ref_…"))
_EVENT: Final = _id("event", _("The event's id, evt_…"))


def _answers(
    answers: dict[int, tuple[Any, dict[str, Any], Any]], *codes: str
) -> dict[Any, OpenApiResponse]:
    """The good answers, and one answer per status of the codes, which are its examples."""
    found: dict[Any, OpenApiResponse] = {
        status: OpenApiResponse(shape, description, [_example(example)])
        for status, (shape, example, description) in answers.items()
    }
    by_status: dict[int, list[str]] = {}
    for code in (*EVERYWHERE, *codes):
        by_status.setdefault(PROBLEMS[code].status.value, []).append(code)
    for status, of_status in sorted(by_status.items()):
        found[status, PROBLEM_JSON] = OpenApiResponse(
            schemas.ProblemSerializer, ", ".join(of_status), [_problem(code) for code in of_status]
        )
    return found


def _example(value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("example", value, response_only=True)


def _fill(sentence: object) -> str:
    return str(sentence) % SAMPLE


_filled: Final[Callable[[object], Any]] = lazy(_fill, str)


def _problem(code: str) -> OpenApiExample:
    kind = PROBLEMS[code]
    value = examples.problem(code, kind.status.value, kind.title, _filled(kind.detail))
    if code == "validation_failed":
        value["errors"] = [examples.FIELD_PROBLEM]
    return OpenApiExample(
        code, value, response_only=True, status_codes=[kind.status.value], media_type=PROBLEM_JSON
    )


CREATE_PAYMENT: Final = extend_schema(
    operation_id="create_payment",
    tags=["payments"],
    summary=_("Create a payment"),
    description=_(
        "Creates a payment; send the customer to its checkout_url. The order number is yours and"
        " makes the call safe to repeat: the same number with the same content answers with the"
        " payment that exists."
    ),
    parameters=[_IDEMPOTENCY_KEY, _LANGUAGE],
    request=schemas.PaymentAskSerializer,
    examples=[OpenApiExample("tea", examples.ASK, request_only=True)],
    responses=_answers(
        {
            201: (
                schemas.PaymentSerializer,
                examples.PENDING,
                _(
                    'The new payment; or, with the header "Idempotent-Replayed: true", the one'
                    " that the first call with this Idempotency-Key created."
                ),
            ),
            200: (
                schemas.PaymentSerializer,
                examples.PENDING,
                _("You created this payment before, with this order number and content."),
            ),
        },
        *WRITING, "body_not_json", "validation_failed", "body_too_large",
        "content_type_unsupported", "order_no_reused",
    ),
)  # fmt: skip

LIST_PAYMENTS: Final = extend_schema(
    operation_id="list_payments",
    tags=["payments"],
    summary=_("List payments"),
    description=_("Your payments in the mode of the key, newest first."),
    parameters=[
        OpenApiParameter("merchant_order_no", str, description=_("The payment of this order.")),
        OpenApiParameter(
            "status", str, enum=PaymentState.values, description=_("Only payments in this state.")
        ),
        _CREATED_AFTER,
        OpenApiParameter(
            "created_before",
            {"type": "string", "format": "date-time"},
            description=_("Created before this time."),
        ),
        _LIMIT,
        _CURSOR,
        _LANGUAGE,
    ],
    responses=_answers(
        {200: (schemas.PaymentPageSerializer, examples.PAYMENTS, _("One page."))},
        "validation_failed",
    ),
)

GET_PAYMENT: Final = extend_schema(
    operation_id="get_payment",
    tags=["payments"],
    summary=_("Read a payment"),
    description=_("The payment as it is now."),
    parameters=[_PAYMENT, _LANGUAGE],
    responses=_answers(
        {200: (schemas.PaymentSerializer, examples.PAID, _("The payment."))}, "payment_not_found"
    ),
)

CLOSE_PAYMENT: Final = extend_schema(
    operation_id="close_payment",
    tags=["payments"],
    summary=_("Close a payment"),
    description=_(
        "Makes sure that the payment is not paid any more; the gateway is told first. While the"
        ' gateway has given no final word the payment stays "pending" and nobody can start to pay'
        " it; a callback tells you how it ended. Closing it again changes nothing."
    ),
    parameters=[_PAYMENT, _IDEMPOTENCY_KEY, _LANGUAGE],
    request=None,
    responses=_answers(
        {200: (schemas.PaymentSerializer, examples.CLOSED, _("The payment, closed or closing."))},
        "merchant_suspended", "idempotency_key_malformed", "payment_not_found",
        "payment_already_paid",
    ),
)  # fmt: skip

CREATE_REFUND: Final = extend_schema(
    operation_id="create_refund",
    tags=["refunds"],
    summary=_("Refund a payment"),
    description=_(
        "Gives money back, in full or in part, as often as something is left. The refund number is"
        " yours and makes the call safe to repeat. Above a limit a person of your team releases the"
        ' refund in the portal first: "awaiting_approval". A callback tells you how it ended.'
    ),
    parameters=[_PAYMENT, _IDEMPOTENCY_KEY, _LANGUAGE],
    request=schemas.RefundWishSerializer,
    examples=[OpenApiExample("part", examples.REFUND_WISH, request_only=True)],
    responses=_answers(
        {
            201: (schemas.RefundSerializer, examples.REFUND, _("The new refund.")),
            200: (
                schemas.RefundSerializer, examples.REFUNDED,
                _("You asked for this refund before, with this number and content."),
            ),
        },
        *WRITING, "body_not_json", "validation_failed", "body_too_large",
        "content_type_unsupported", "payment_not_found", "payment_not_paid",
        "refund_exceeds_payment", "balance_insufficient", "refund_no_reused",
    ),
)  # fmt: skip

LIST_REFUNDS: Final = extend_schema(
    operation_id="list_refunds",
    tags=["refunds"],
    summary=_("List refunds"),
    description=_("Your refunds in the mode of the key, newest first."),
    parameters=[
        OpenApiParameter("payment", str, description=_("Only refunds of this payment.")),
        OpenApiParameter("merchant_refund_no", str, description=_("The refund of this number.")),
        OpenApiParameter(
            "status", str, enum=list(STATUSES), description=_("Only refunds in this state.")
        ),
        _CREATED_AFTER,
        OpenApiParameter(
            "created_before",
            {"type": "string", "format": "date-time"},
            description=_("Created before this time."),
        ),
        _LIMIT,
        _CURSOR,
        _LANGUAGE,
    ],
    responses=_answers(
        {200: (schemas.RefundPageSerializer, examples.REFUNDS, _("One page."))},
        "validation_failed",
    ),
)

GET_REFUND: Final = extend_schema(
    operation_id="get_refund",
    tags=["refunds"],
    summary=_("Read a refund"),
    description=_("The refund as it is now."),
    parameters=[_REFUND, _LANGUAGE],
    responses=_answers(
        {200: (schemas.RefundSerializer, examples.REFUNDED, _("The refund."))}, "refund_not_found"
    ),
)

GET_BALANCE: Final = extend_schema(
    operation_id="get_balance",
    tags=["balance"],
    summary=_("Read the balance"),
    description=_("What we owe you in each currency, from the books."),
    parameters=[_LANGUAGE],
    responses=_answers({200: (schemas.BalanceSerializer, examples.BALANCE, _("The balances."))}),
)

LIST_EVENTS: Final = extend_schema(
    operation_id="list_events",
    tags=["events"],
    summary=_("List events"),
    description=_("What we told you by callback, or would have, newest first."),
    parameters=[
        OpenApiParameter(
            "type", str, enum=EventType.values, description=_("Only events of this type.")
        ),
        _CREATED_AFTER,
        _LIMIT,
        _CURSOR,
        _LANGUAGE,
    ],
    responses=_answers(
        {200: (schemas.EventPageSerializer, examples.EVENTS, _("One page."))}, "validation_failed"
    ),
)

GET_EVENT: Final = extend_schema(
    operation_id="get_event",
    tags=["events"],
    summary=_("Read an event"),
    description=_("The event, and how far its callback has come."),
    parameters=[_EVENT, _LANGUAGE],
    responses=_answers(
        {200: (schemas.EventSerializer, examples.EVENT, _("The event."))}, "event_not_found"
    ),
)

REPLAY_EVENT: Final = extend_schema(
    operation_id="replay_event",
    tags=["events"],
    summary=_("Send an event again"),
    description=_(
        "Sends the event's callback once more, at once. While a callback of the event is under way"
        " that one is sent now and no second one is made."
    ),
    parameters=[_EVENT, _IDEMPOTENCY_KEY, _LANGUAGE],
    request=None,
    responses=_answers(
        {200: (schemas.EventSerializer, examples.REPLAYED, _("The event, with its callback due."))},
        "idempotency_key_malformed", "idempotency_key_reused", "event_not_found",
        "callback_url_missing",
    ),
)  # fmt: skip


def _header(name: str, description: Any) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, required=True, description=description
    )


def _webhook(kind: str, summary: Any, example: dict[str, Any]) -> OpenApiWebhook:
    return OpenApiWebhook(
        kind,
        extend_schema(
            operation_id=kind.replace(".", "_"),
            tags=["callbacks"],
            summary=summary,
            description=_(
                "Posted to the payment's callback_url and to your endpoints. Answer 2xx within 15"
                " seconds; anything else is tried again for about four days, and 410 ends it."
            ),
            auth=[],
            parameters=[
                _header("webhook-id", _("The event's id. Do nothing when you have handled it.")),
                _header("webhook-timestamp", _("Seconds since 1970, of this try.")),
                _header(
                    "webhook-signature",
                    _("Standard Webhooks: v1, and a Base64 HMAC-SHA256; several while a secret is"
                      " being replaced, separated by spaces."),
                ),
            ],
            # Told from the receiver's side: what we send counts as our response there.
            request=OpenApiRequest(
                schemas.CallbackSerializer, examples=[OpenApiExample("example", example)]
            ),
            responses={204: OpenApiResponse(description=_("Understood."))},
        ),
    )  # fmt: skip


IN_ORDER: Final = (
    "create_payment", "get_payment", "list_payments", "close_payment",
    "create_refund", "get_refund", "list_refunds",
    "get_balance", "list_events", "get_event", "replay_event",
)  # fmt: skip
"""As a reader meets the calls, by their operation ids."""

WEBHOOKS: Final = [
    _webhook("payment.paid", _("A payment was paid"), examples.CALLBACK),
    _webhook("payment.closed", _("A payment was closed"), examples.CLOSED_CALLBACK),
    _webhook("refund.succeeded", _("A refund succeeded"), examples.REFUND_CALLBACK),
    _webhook("refund.failed", _("A refund failed"), examples.REFUND_FAILED_CALLBACK),
]
