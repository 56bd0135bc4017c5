"""The people and places of every story: Lin sells tea, Yun sells books, and a customer pays."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from compliance.audit.actor import SYSTEM
from merchants.access import MerchantAccess, by_api_key
from merchants.accounts.abilities import SCOPES
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import register_merchant
from merchants.models import Merchant
from payments.acquiring.asking import PaymentAsk
from payments.acquiring.attempts import choose_method
from payments.acquiring.facts import PaymentFacts
from payments.acquiring.models import Attempt
from payments.acquiring.pay import create_payment
from payments.acquiring.tokens import checkout_token
from payments.callbacks.endpoints import EndpointWish, make_endpoint
from payments.channels.base import Device
from payments.channels.configuring import configure_channel
from payments.money import Money

NOON: Final = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Twelve o'clock in Shanghai, on the day of most stories."""


def later(seconds: float) -> datetime:
    """Some seconds after noon."""
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Shop:
    """A merchant with the key of its program."""

    merchant: Merchant
    api_key: str

    @property
    def access(self) -> MerchantAccess:
        """What the program may do."""
        return by_api_key(self.api_key, address="198.51.100.7")


def open_shop(name: str, *, callback_url: str = "") -> Shop:
    """Register a merchant and give its program a test key with every scope, and an endpoint."""
    merchant = register_merchant(name=name, actor=SYSTEM, at=NOON)
    if callback_url:
        wish = EndpointWish(label="shop", url=callback_url, is_fallback=True)
        make_endpoint(merchant_id=merchant.pk, wish=wish, actor=SYSTEM, at=NOON)
    _, secret = create_api_key(
        merchant_id=merchant.pk, livemode=False, label="shop", scopes=SCOPES, actor=SYSTEM, at=NOON
    )
    return Shop(merchant, secret)


def connect_scripted() -> None:
    """Two channels on the scripted gateways."""
    for code in ("first", "second"):
        configure_channel(
            code=code, gateway=code, name=code.title(), livemode=False, credentials={},
            base_url="https://scripted.example", front_url="https://scripted.example",
            actor=SYSTEM,
        )  # fmt: skip


def order(shop: Shop, number: str = "T1", *, key: str = "", **changes) -> PaymentFacts:
    """The shop creates a payment at noon: 128 yuan of tea unless told otherwise."""
    at = changes.pop("at", NOON)
    ask = PaymentAsk(
        **{"merchant_order_no": number, "amount": Money(12800), "subject": "明前龙井", **changes}
    )
    return create_payment(access=shop.access, ask=ask, idempotency_key=key, at=at).payment


def choose(payment: PaymentFacts, method: str = "first", *, at: datetime | None = None) -> Attempt:
    """The customer picks a method; the latest attempt."""
    choose_method(
        token=checkout_token(payment.id), method=method, device=Device.DESKTOP,
        client_ip="203.0.113.9", at=at or later(10),
    )  # fmt: skip
    return latest_attempt(payment)


def latest_attempt(payment: PaymentFacts) -> Attempt:
    """The newest try to get it paid."""
    return Attempt.objects.filter(payment__public_id=payment.id).latest("pk")
