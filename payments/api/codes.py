"""Every code that the REST face answers with: its HTTP status, and its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `detail` may name facts of the refusal as %(name)s."""

    status: HTTPStatus
    title: str | Promise
    detail: str | Promise


PROBLEMS: Final[Mapping[str, Kind]] = {
    "key_missing": Kind(
        HTTPStatus.UNAUTHORIZED,
        _("API key missing"),
        _('Send your API key in the header "Authorization: Bearer sk_…".'),
    ),
    "key_unknown": Kind(
        HTTPStatus.UNAUTHORIZED,
        _("API key unknown"),
        _('No API key like this exists. Copy the whole key, from "sk_" to its end.'),
    ),
    "key_revoked": Kind(
        HTTPStatus.UNAUTHORIZED,
        _("API key revoked"),
        _("This API key was revoked. Create another one in the merchant portal."),
    ),
    "key_expired": Kind(
        HTTPStatus.UNAUTHORIZED,
        _("API key expired"),
        _("The time of this API key is over. Create another one in the merchant portal."),
    ),
    "wrong_mode": Kind(
        HTTPStatus.FORBIDDEN,
        _("Live mode not available"),
        _("This is a live key, and live mode is not open to you here. Use a test key."),
    ),
    "address_not_allowed": Kind(
        HTTPStatus.FORBIDDEN,
        _("Address not allowed"),
        _("This API key may not be used from this address. Its list is in the merchant portal."),
    ),
    "scope_missing": Kind(
        HTTPStatus.FORBIDDEN,
        _("Scope missing"),
        _('This API key lacks the scope "%(ability)s", which the call needs.'),
    ),
    "merchant_suspended": Kind(
        HTTPStatus.FORBIDDEN,
        _("Merchant suspended"),
        _("The merchant is suspended: its data can be read, but nothing can be changed."),
    ),
    "not_found": Kind(
        HTTPStatus.NOT_FOUND,
        _("No such call"),
        _("There is no call at this address. See the list in the API documentation."),
    ),
    "payment_not_found": Kind(
        HTTPStatus.NOT_FOUND,
        _("Payment not found"),
        _("You have no payment with this id in the mode of your API key."),
    ),
    "refund_not_found": Kind(
        HTTPStatus.NOT_FOUND,
        _("Refund not found"),
        _("You have no refund with this id in the mode of your API key."),
    ),
    "event_not_found": Kind(
        HTTPStatus.NOT_FOUND,
        _("Event not found"),
        _("You have no event with this id in the mode of your API key."),
    ),
    "method_not_allowed": Kind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        _("Method not allowed"),
        _('This address does not take the HTTP method; the header "Allow" names those it takes.'),
    ),
    "body_not_json": Kind(
        HTTPStatus.BAD_REQUEST,
        _("Body is not JSON"),
        _(
            "The body must be a JSON document in UTF-8, with every name once in an object, no NaN"
            " or Infinity, and at most 32 levels."
        ),
    ),
    "body_too_large": Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("Body too large"),
        _("The body may have at most %(max)s bytes."),
    ),
    "content_type_unsupported": Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        _("Content type not supported"),
        _('Send the body with the header "Content-Type: application/json", in UTF-8.'),
    ),
    "validation_failed": Kind(
        HTTPStatus.BAD_REQUEST,
        _("Fields not accepted"),
        _('Some fields cannot be accepted; "errors" says which and why.'),
    ),
    "idempotency_key_malformed": Kind(
        HTTPStatus.BAD_REQUEST,
        _("Idempotency-Key malformed"),
        _("The Idempotency-Key must be printable ASCII of at most %(max)s characters."),
    ),
    "idempotency_key_reused": Kind(
        HTTPStatus.CONFLICT,
        _("Idempotency-Key used before"),
        _("You used this Idempotency-Key before, for a call with other content."),
    ),
    "order_no_reused": Kind(
        HTTPStatus.CONFLICT,
        _("Order number used before"),
        _('You used the order number "%(order)s" before, for a payment with other content.'),
    ),
    "payment_already_paid": Kind(
        HTTPStatus.CONFLICT,
        _("Payment already paid"),
        _("The payment was paid and cannot be closed any more."),
    ),
    "payment_not_paid": Kind(
        HTTPStatus.CONFLICT,
        _("Payment not paid"),
        _("Only a paid payment can be refunded."),
    ),
    "refund_exceeds_payment": Kind(
        HTTPStatus.CONFLICT,
        _("More than is left"),
        _("Of this payment %(left)s can still be refunded, in the currency's smallest unit."),
    ),
    "balance_insufficient": Kind(
        HTTPStatus.CONFLICT,
        _("Balance too low"),
        _(
            "Your balance is %(available)s, in the currency's smallest unit: less than is to go"
            " back. Take more payments first, then repeat the call."
        ),
    ),
    "refund_no_reused": Kind(
        HTTPStatus.CONFLICT,
        _("Refund number used before"),
        _('You used the refund number "%(number)s" before, for a refund with other content.'),
    ),
    "callback_url_missing": Kind(
        HTTPStatus.CONFLICT,
        _("No callback address"),
        _("Neither the payment nor an endpoint of yours names an address to send it to."),
    ),
    "internal_error": Kind(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something broke"),
        _("Something broke on our side. Repeat the call with the same Idempotency-Key."),
    ),
    "too_many_requests": Kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Too many requests"),
        _("This API key is used too often. Wait as long as the header Retry-After says."),
    ),
    "temporarily_unavailable": Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("Temporarily unavailable"),
        _("We cannot answer at the moment. Repeat the call with the same Idempotency-Key."),
    ),
}

SAMPLE: Final[Mapping[str, str]] = {
    "ability": "payments.write", "order": "20261123-0001", "max": "256", "min": "60",
    "left": "2800", "available": "9900", "number": "R-1", "supported": "CNY",
    "known": "alipay, unionpay, wechatpay",
}  # fmt: skip
"""Facts to fill sentences with where a document shows them without a call."""

RENAMED: Final[Mapping[str, str]] = {"ability_missing": "scope_missing"}
"""What the house calls otherwise than the contract with merchants does."""

FIELD_PROBLEMS: Final[Mapping[str, str | Promise]] = {
    "required": _("This field is required."),
    "unknown_field": _("There is no field of this name here."),
    "repeated": _("Give this parameter once."),
    "not_an_object": _("This must be a JSON object."),
    "not_text": _("This must be text."),
    "not_an_integer": _("This must be a whole number."),
    "too_long": _("This is too long: at most %(max)s."),
    "out_of_range": _("This must be from %(min)s to %(max)s."),
    "control_characters": _("Control characters and broken characters are not accepted."),
    "amount_malformed": _("The amount must be a whole number of the currency's smallest unit."),
    "amount_not_positive": _("The amount must be greater than zero."),
    "amount_too_large": _("The amount may be at most %(max)s."),
    "currency_unknown": _("This is not an ISO 4217 currency code in capital letters."),
    "currency_unsupported": _("Payments can be made in: %(supported)s."),
    "order_no_malformed": _(
        "Such a number has 1 to 64 characters: letters, digits and _ - . : / #"
    ),
    "method_unknown": _("Name methods as a list of: %(known)s."),
    "url_malformed": _("This is not an absolute web address."),
    "url_not_https": _("The address must start with https://."),
    "status_unknown": _("The status must be one of: %(known)s."),
    "type_unknown": _("The type must be one of: %(known)s."),
    "time_malformed": _("Write the time as in RFC 3339, with its zone: 2026-11-23T10:00:00+08:00."),
    "cursor_malformed": _('Take the cursor from "next" of the page before, unchanged.'),
}
