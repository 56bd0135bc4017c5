"""Orders and refunds in UnionPay's fields."""

from payments.channels.sandbox.models import SandboxOrder, SandboxRefund
from payments.channels.sandbox.unionpay.wire import MESSAGES, moment

CURRENCY_NUMBERS = {"CNY": "156", "HKD": "344", "USD": "840"}


def show_order(order: SandboxOrder) -> dict[str, str]:
    """The fields that name a purchase, in every message about it."""
    return {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "accessType": "0",
        "merId": order.merchant,
        "orderId": order.number,
        "txnTime": order.fields["txnTime"],
        "txnType": "01",
        "txnSubType": order.fields["txnSubType"],
        "bizType": order.fields["bizType"],
        **({"reqReserved": order.reference} if order.reference else {}),
    }


def show_paid(order: SandboxOrder) -> dict[str, str]:
    """A paid purchase; sent as a notification, and told again by queries."""
    paid_at = moment(order.paid_at or order.created_at)
    amount = str(order.paid.minor)
    currency = CURRENCY_NUMBERS.get(order.currency, "156")
    return {
        **show_order(order),
        "accNo": "6226********0048",
        "payCardType": "01",
        "queryId": order.gateway_number,
        "traceNo": order.gateway_number[-6:],
        "traceTime": paid_at[4:],
        "txnAmt": amount,
        "currencyCode": currency,
        "settleAmt": amount,
        "settleCurrencyCode": currency,
        "settleDate": paid_at[4:8],
        "exchangeRate": "0",
        "respCode": "00",
        "respMsg": MESSAGES["00"],
    }


def show_refund(refund: SandboxRefund) -> dict[str, str]:
    """A refund, in every message about it."""
    made_at = moment(refund.created_at)
    return {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "accessType": "0",
        "merId": refund.order.merchant,
        "orderId": refund.number,
        "txnTime": refund.fields["txnTime"],
        "txnType": "04",
        "txnSubType": "00",
        "bizType": refund.order.fields["bizType"],
        "origQryId": refund.order.gateway_number,
        "queryId": refund.gateway_number,
        "txnAmt": str(refund.amount_minor),
        "currencyCode": CURRENCY_NUMBERS.get(refund.order.currency, "156"),
        "settleDate": made_at[4:8],
        "traceNo": refund.gateway_number[-6:],
        "traceTime": made_at[4:],
        "respCode": "00",
        "respMsg": MESSAGES["00"],
    }
