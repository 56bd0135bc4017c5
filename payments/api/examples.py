"""The examples of the OpenAPI document: one order of tea, from creation to its callback."""

from typing import Any, Final

PAYMENT_ID: Final = "pay_06fc9k4v7m3x8q2w5t1z0n6b4d"
EVENT_ID: Final = "evt_06fc9k6a2r9s4y7c1h8j3p5g0e"

ASK: Final[dict[str, Any]] = {
    "merchant_order_no": "20261123-0001",
    "amount": 12800,
    "currency": "CNY",
    "subject": "明前龙井 250 g",
    "methods": ["alipay", "wechatpay"],
    "expires_in": 1800,
    "return_url": "https://shop.example/orders/20261123-0001",
    "callback_url": "https://shop.example/callbacks",
    "metadata": {"cart": "c-81"},
}

PENDING: Final[dict[str, Any]] = {
    "id": PAYMENT_ID,
    "object": "payment",
    "merchant_order_no": "20261123-0001",
    "amount": 12800,
    "currency": "CNY",
    "subject": "明前龙井 250 g",
    "status": "pending",
    "amount_refunded": 0,
    "method": None,
    "channel": None,
    "channel_trade_no": None,
    "checkout_url": "https://pay.example/pay/06fc9k4v7m3x8q2w5t1z0n6b4d41c0ffee41c0ffee41c0ff/",
    "created_at": "2026-11-23T02:00:00.000Z",
    "expires_at": "2026-11-23T02:30:00.000Z",
    "paid_at": None,
    "closed_at": None,
    "metadata": {"cart": "c-81"},
    "livemode": False,
}

PAID: Final[dict[str, Any]] = PENDING | {
    "status": "paid",
    "method": "alipay",
    "channel": "alipay",
    "channel_trade_no": "2026112322001400000000000001",
    "paid_at": "2026-11-23T02:01:12.000Z",
}

CLOSED: Final[dict[str, Any]] = PENDING | {
    "status": "closed",
    "closed_at": "2026-11-23T02:05:00.000Z",
}

REFUND_ID: Final = "ref_06fc9m1b8n4d7f2g5k9s3v6x0z"

REFUND_WISH: Final[dict[str, Any]] = {
    "merchant_refund_no": "R-20261123-0001",
    "amount": 2800,
    "reason": "少了一罐",
}

REFUND: Final[dict[str, Any]] = {
    "id": REFUND_ID,
    "object": "refund",
    "payment": PAYMENT_ID,
    "merchant_refund_no": "R-20261123-0001",
    "amount": 2800,
    "currency": "CNY",
    "status": "processing",
    "reason": "少了一罐",
    "created_at": "2026-11-23T05:00:00.000Z",
    "finished_at": None,
}

REFUNDED: Final[dict[str, Any]] = REFUND | {
    "status": "succeeded",
    "finished_at": "2026-11-23T05:00:09.000Z",
}

REFUNDS: Final[dict[str, Any]] = {"data": [REFUNDED], "next": None}

CALLBACK: Final[dict[str, Any]] = {
    "id": EVENT_ID,
    "type": "payment.paid",
    "created_at": "2026-11-23T02:01:12.000Z",
    "data": {"object": PAID},
}

CLOSED_CALLBACK: Final[dict[str, Any]] = CALLBACK | {
    "type": "payment.closed",
    "created_at": "2026-11-23T02:05:00.000Z",
    "data": {"object": CLOSED},
}

REFUND_CALLBACK: Final[dict[str, Any]] = CALLBACK | {
    "type": "refund.succeeded",
    "created_at": "2026-11-23T05:00:09.000Z",
    "data": {"object": REFUNDED},
}

REFUND_FAILED_CALLBACK: Final[dict[str, Any]] = REFUND_CALLBACK | {
    "type": "refund.failed",
    "data": {"object": REFUNDED | {"status": "failed"}},
}

EVENT: Final[dict[str, Any]] = CALLBACK | {
    "object": "event",
    "livemode": False,
    "callback": {
        "url": "https://shop.example/callbacks",
        "status": "delivered",
        "tries": 1,
        "next_try_at": None,
    },
}

REPLAYED: Final[dict[str, Any]] = EVENT | {
    "callback": {
        "url": "https://shop.example/callbacks",
        "status": "pending",
        "tries": 0,
        "next_try_at": "2026-11-23T03:00:00.000Z",
    },
}

BALANCE: Final[dict[str, Any]] = {
    "object": "balance",
    "livemode": False,
    "data": [{"currency": "CNY", "available": 12800, "reserved": 0}],
}

PAYMENTS: Final[dict[str, Any]] = {"data": [PAID], "next": None}
EVENTS: Final[dict[str, Any]] = {"data": [EVENT], "next": None}

FIELD_PROBLEM: Final[dict[str, Any]] = {
    "field": "amount",
    "code": "amount_not_positive",
    "detail": "The amount must be greater than zero.",
}


def problem(code: str, status: int, title: Any, detail: Any) -> dict[str, Any]:
    """A refusal, as it looks in the language of the document."""
    return {
        "type": f"https://pay.example/api/docs/#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
