"""The shapes of the REST face for its OpenAPI document. Nothing here runs for a call."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from payments.acquiring.asking import (
    AMOUNT_MAX_MINOR,
    CURRENCIES,
    EXPIRES_IN_DEFAULT,
    EXPIRES_IN_MAX,
    EXPIRES_IN_MIN,
    REFUND_REASON_MAX,
)
from payments.acquiring.refund_facts import STATUSES
from payments.acquiring.states import PaymentState
from payments.api.codes import PROBLEMS
from payments.callbacks.models import CallbackState, EventType
from payments.channels.registry import methods


def _choices(values: Any) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]


@extend_schema_field({"type": "object", "additionalProperties": True})
class AnyObject(serializers.DictField):
    """A JSON object of the merchant's own."""


class PaymentAskSerializer(serializers.Serializer[Any]):
    """What creates a payment."""

    merchant_order_no = serializers.RegexField(
        r"^[A-Za-z0-9_\-.:/#]{1,64}$",
        help_text=_("Your number for the order. A second payment with it is refused."),
    )
    amount = serializers.IntegerField(
        min_value=1,
        max_value=AMOUNT_MAX_MINOR,
        help_text=_("In the currency's smallest unit: 12800 is 128 yuan."),
    )
    currency = serializers.ChoiceField(
        choices=_choices(sorted(CURRENCIES)), help_text=_("ISO 4217 code.")
    )
    subject = serializers.CharField(
        max_length=256, help_text=_("What is sold, in a few words. Customers see it.")
    )
    description = serializers.CharField(
        max_length=1024, required=False, allow_blank=True, help_text=_("More about it.")
    )
    methods = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=_("How customers may pay; all ways when left out."),
    )
    expires_in = serializers.IntegerField(
        min_value=EXPIRES_IN_MIN,
        max_value=EXPIRES_IN_MAX,
        required=False,
        default=EXPIRES_IN_DEFAULT,
        help_text=_("Seconds until the payment closes by itself."),
    )
    return_url = serializers.URLField(
        max_length=1024,
        required=False,
        help_text=_(
            "Where customers go afterwards. payment_id, merchant_order_no and status are appended;"
            " they prove nothing."
        ),
    )
    callback_url = serializers.URLField(
        max_length=1024,
        required=False,
        help_text=_("Where we tell you what became of it, beside your endpoints."),
    )
    customer = AnyObject(
        required=False, help_text=_("What you know of the customer. At most 4096 bytes.")
    )
    metadata = AnyObject(
        required=False,
        help_text=_("Anything of yours; you get it back with the payment. At most 4096 bytes."),
    )

    def get_fields(self) -> dict[str, Any]:
        """Which methods there are is known only when the document is made."""
        fields = super().get_fields()
        known = serializers.ChoiceField(choices=_choices(methods()))
        fields["methods"] = serializers.ListField(
            child=known, required=False, help_text=fields["methods"].help_text
        )
        return fields


class PaymentSerializer(serializers.Serializer[Any]):
    """A payment."""

    id = serializers.CharField(help_text=_("Our number of the payment, pay_…"))
    object = serializers.ChoiceField(choices=_choices(["payment"]))
    merchant_order_no = serializers.CharField(help_text=_("Your number for the order."))
    amount = serializers.IntegerField(help_text=_("In the currency's smallest unit."))
    currency = serializers.CharField(help_text=_("ISO 4217 code."))
    subject = serializers.CharField(help_text=_("What is sold."))
    status = serializers.ChoiceField(
        choices=_choices(PaymentState.values),
        help_text=_('"paid" and "closed" are final.'),
    )
    amount_refunded = serializers.IntegerField(help_text=_("How much of it went back."))
    method = serializers.CharField(allow_null=True, help_text=_("How the customer paid."))
    channel = serializers.CharField(allow_null=True, help_text=_("Through which channel."))
    channel_trade_no = serializers.CharField(
        allow_null=True, help_text=_("The gateway's number of the payment.")
    )
    checkout_url = serializers.URLField(
        help_text=_("Send the customer here. Whoever knows the address can pay.")
    )
    created_at = serializers.DateTimeField(help_text=_("RFC 3339, in UTC."))
    expires_at = serializers.DateTimeField(help_text=_("When it closes by itself."))
    paid_at = serializers.DateTimeField(allow_null=True, help_text=_("When it was paid."))
    closed_at = serializers.DateTimeField(allow_null=True, help_text=_("When it was closed."))
    metadata = AnyObject(help_text=_("What you sent when creating it."))
    livemode = serializers.BooleanField(help_text=_("False: a test, no real money moves."))


class PaymentPageSerializer(serializers.Serializer[Any]):
    """A page of payments, newest first."""

    data: Any = PaymentSerializer(many=True)
    next = serializers.URLField(
        allow_null=True, help_text=_("The address of the next page; null on the last one.")
    )


class RefundWishSerializer(serializers.Serializer[Any]):
    """What asks for a refund."""

    merchant_refund_no = serializers.RegexField(
        r"^[A-Za-z0-9_\-.:/#]{1,64}$",
        help_text=_("Your number for the refund. It makes the call safe to repeat."),
    )
    amount = serializers.IntegerField(
        min_value=1,
        max_value=AMOUNT_MAX_MINOR,
        help_text=_("In the payment's smallest unit; at most what is left of it."),
    )
    reason = serializers.CharField(
        max_length=REFUND_REASON_MAX,
        required=False,
        allow_blank=True,
        help_text=_("Why. Some gateways show it to the customer."),
    )


class RefundSerializer(serializers.Serializer[Any]):
    """A refund."""

    id = serializers.CharField(help_text=_("Our number of the refund, ref_…"))
    object = serializers.ChoiceField(choices=_choices(["refund"]))
    payment = serializers.CharField(help_text=_("The payment that it gives back, pay_…"))
    merchant_refund_no = serializers.CharField(help_text=_("Your number for the refund."))
    amount = serializers.IntegerField(help_text=_("In the currency's smallest unit."))
    currency = serializers.CharField(help_text=_("ISO 4217 code."))
    status = serializers.ChoiceField(
        choices=_choices(STATUSES),
        help_text=_('"succeeded", "failed" and "rejected" are final.'),
    )
    reason = serializers.CharField(allow_blank=True, help_text=_("What you gave as the reason."))
    created_at = serializers.DateTimeField(help_text=_("RFC 3339, in UTC."))
    finished_at = serializers.DateTimeField(allow_null=True, help_text=_("When it was over."))


class RefundPageSerializer(serializers.Serializer[Any]):
    """A page of refunds, newest first."""

    data: Any = RefundSerializer(many=True)
    next = serializers.URLField(
        allow_null=True, help_text=_("The address of the next page; null on the last one.")
    )


class BalanceLineSerializer(serializers.Serializer[Any]):
    """The balance in one currency."""

    currency = serializers.CharField(help_text=_("ISO 4217 code."))
    available = serializers.IntegerField(help_text=_("What we owe you and can be settled."))
    reserved = serializers.IntegerField(help_text=_("What we owe you and hold back for now."))


class BalanceSerializer(serializers.Serializer[Any]):
    """The balances of a merchant."""

    object = serializers.ChoiceField(choices=_choices(["balance"]))
    livemode = serializers.BooleanField()
    data: Any = BalanceLineSerializer(many=True, help_text=_("One line per currency."))


class EventDataSerializer(serializers.Serializer[Any]):
    """What the event is about."""

    object = PolymorphicProxySerializer(
        component_name="EventObject",
        serializers={"payment": PaymentSerializer, "refund": RefundSerializer},
        resource_type_field_name="object",
        help_text=_("The payment or refund as it was at that moment."),
    )


class CallbackStateSerializer(serializers.Serializer[Any]):
    """How the sending of an event goes."""

    url = serializers.URLField(help_text=_("Where it is sent."))
    status = serializers.ChoiceField(choices=_choices(CallbackState.values))
    tries = serializers.IntegerField(help_text=_("How often it was sent."))
    next_try_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """Something that happened."""

    id = serializers.CharField(help_text=_("Our number of the event, evt_…"))
    object = serializers.ChoiceField(choices=_choices(["event"]))
    type = serializers.ChoiceField(choices=_choices(EventType.values))
    created_at = serializers.DateTimeField(help_text=_("When it happened."))
    livemode = serializers.BooleanField()
    data: Any = EventDataSerializer()
    callback = CallbackStateSerializer(
        allow_null=True,
        help_text=_("The newest one. Null when there was no address to send it to."),
    )


class EventPageSerializer(serializers.Serializer[Any]):
    """A page of events, newest first."""

    data: Any = EventSerializer(many=True)
    next = serializers.URLField(
        allow_null=True, help_text=_("The address of the next page; null on the last one.")
    )


class CallbackSerializer(serializers.Serializer[Any]):
    """The body of a callback."""

    id = serializers.CharField(help_text=_("The event's number; the same at every try."))
    type = serializers.ChoiceField(choices=_choices(EventType.values))
    created_at = serializers.DateTimeField(help_text=_("When it happened."))
    data: Any = EventDataSerializer()


class FieldProblemSerializer(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField(allow_blank=True, help_text=_("The field's name."))
    code = serializers.CharField(help_text=_("Stable; program against it."))
    detail = serializers.CharField(help_text=_("For people, in the language of Accept-Language."))


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a call was refused (RFC 9457)."""

    type = serializers.URLField(help_text=_("An address that explains the code."))
    title = serializers.CharField()
    status = serializers.IntegerField(help_text=_("The HTTP status."))
    detail = serializers.CharField(help_text=_("For people, in the language of Accept-Language."))
    code = serializers.ChoiceField(
        choices=_choices(PROBLEMS), help_text=_("Stable; program against it.")
    )
    errors: Any = FieldProblemSerializer(
        many=True, required=False, help_text=_('With "validation_failed": what is wrong where.')
    )
