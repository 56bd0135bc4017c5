"""Ninety days of believable business, made through the verbs that real use calls."""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM, Actor
from merchants.access import MerchantAccess
from merchants.accounts.abilities import SCOPES
from merchants.models import Merchant
from payments.acquiring.asking import PaymentAsk
from payments.acquiring.attempts import create_attempt, order_of, take_in_opening
from payments.acquiring.models import Attempt, Refund
from payments.acquiring.outcomes import learn_trade
from payments.acquiring.pay import create_payment, request_closing
from payments.acquiring.refunds import learn_refund
from payments.acquiring.states import RefundState
from payments.channels.base import Device, Done, QrCode, RefundReading, Rejected, Trade, TradeState
from payments.channels.base import RefundState as ReadState
from payments.channels.registry import line
from payments.money import Money

DAYS: Final = 90
GOODS: Final = (
    (
        ("2026 明前龙井 250g", 12800), ("正山小种 100g", 8600), ("白毫银针 50g", 23900),
        ("茶礼盒 · 四季", 39800), ("紫砂壶 · 西施", 128000), ("冷泡茶包 20 袋", 4900),
    ),
    (
        ("《平凡的世界》精装", 9800), ("儿童绘本套装", 16800), ("手账本 A5", 4500),
        ("《营造法式》注释", 15600), ("台灯 · 阅读", 32900),
    ),
)  # fmt: skip
WEEKEND: Final = (5, 6)
FATES: Final = ("paid", "expired", "failed_then_paid", "late")
ODDS: Final = (86, 9, 4, 1)
METHODS: Final = ("alipay", "wechatpay", "unionpay", "unionpay_qr")
METHOD_ODDS: Final = (44, 41, 9, 6)


@dataclass(frozen=True)
class Sale:
    """One customer's visit, before it happens."""

    merchant: Merchant
    subject: str
    amount: Money
    method: str
    fate: str
    at: datetime


def make_history(merchants: list[Merchant], *, now: datetime, seed: int = 20260823) -> int:
    """Play ninety days of sales up to `now`; says how many."""
    sales = sorted(_sales(merchants, now, random.Random(seed)), key=lambda sale: sale.at)  # noqa: S311
    for number, sale in enumerate(sales):
        _play(sale, number)
    return len(sales)


def _sales(merchants: list[Merchant], now: datetime, rng: random.Random) -> Iterator[Sale]:
    for days_ago in range(DAYS, -1, -1):
        day = (now - timedelta(days=days_ago)).astimezone(UTC).replace(hour=0, minute=0, second=0)
        busy = 1.35 if day.weekday() in WEEKEND else 1.0
        growth = 1 + (DAYS - days_ago) / DAYS
        for index, merchant in enumerate(merchants):
            for _ in range(round(rng.uniform(3, 6) * busy * growth / (index + 1))):
                subject, price = rng.choice(GOODS[index])
                count = rng.choices((1, 2, 3), (80, 15, 5))[0]
                at = day + timedelta(hours=rng.triangular(0, 15, 12), seconds=rng.uniform(0, 59))
                if at > now - timedelta(hours=1):
                    continue
                yield Sale(
                    merchant, subject if count == 1 else f"{subject} × {count}",
                    Money(price * count), rng.choices(METHODS, METHOD_ODDS)[0],
                    rng.choices(FATES, ODDS)[0], at,
                )  # fmt: skip


def _play(sale: Sale, number: int) -> None:
    actor = Actor(kind="customer", id="", label="customer", address="203.0.113.7")
    access = MerchantAccess(
        merchant_id=sale.merchant.pk, merchant=sale.merchant.public_id, livemode=False,
        abilities=frozenset(SCOPES), actor=Actor(kind="api_key", id="", label="Shop"),
    )  # fmt: skip
    ask = PaymentAsk(
        merchant_order_no=f"T{sale.at:%Y%m%d}-{number:05d}", amount=sale.amount,
        subject=sale.subject,
    )  # fmt: skip
    payment = create_payment(access=access, ask=ask, idempotency_key="", at=sale.at).payment.id
    opened = sale.at + timedelta(seconds=8)
    if sale.fate == "failed_then_paid":
        failed = create_attempt(payment, sale.method, Device.DESKTOP, actor=actor, at=opened)
        refusal = Rejected(code="DEMO_BANK_REFUSED", message="")
        take_in_opening(failed, refusal, actor=actor, at=opened)
        opened += timedelta(seconds=25)
    attempt = create_attempt(payment, sale.method, Device.DESKTOP, actor=actor, at=opened)
    shown = QrCode(content="demo", expires_at=attempt.expires_at)
    take_in_opening(attempt, Done(shown), actor=actor, at=opened)
    if sale.fate in {"paid", "failed_then_paid"}:
        _pay(attempt, at=opened + timedelta(seconds=21))
        return
    _expire(payment, attempt)
    if sale.fate == "late":
        _pay(attempt, at=attempt.expires_at + timedelta(seconds=70))
        _give_back(attempt, at=attempt.expires_at + timedelta(seconds=95))


def _pay(attempt: Attempt, *, at: datetime) -> None:
    channel = line(attempt.channel.code)
    order = order_of(attempt)
    trade = Trade(
        number=order.number, state=TradeState.PAID, amount=order.amount,
        gateway_number=f"{at:%Y%m%d}22{secrets.randbelow(10**16):016d}", paid_at=at,
        merchant=channel.gateway.merchant_number, app=channel.gateway.app_number,
    )  # fmt: skip
    gateway = Actor(kind="gateway", id=channel.code, label=channel.name)
    with transaction.atomic():
        learn_trade(channel, trade, source="notification", actor=gateway, at=at)


def _expire(payment: str, attempt: Attempt) -> None:
    """The gateway closes first, then the payment follows, as the janitor would find it."""
    channel = line(attempt.channel.code)
    closed = Trade(number=attempt.number, state=TradeState.CLOSED)
    with transaction.atomic():
        learn_trade(channel, closed, source="close", actor=SYSTEM, at=attempt.expires_at)
    request_closing(payment=payment, actor=SYSTEM, at=attempt.expires_at + timedelta(seconds=3))


def _give_back(attempt: Attempt, *, at: datetime) -> None:
    refund = Refund.objects.get(attempt=attempt)
    refund.move(RefundState.SENT, at=at)
    reading = RefundReading(
        number=refund.number, state=ReadState.SUCCEEDED, amount=refund.amount, finished_at=at
    )
    with transaction.atomic():
        learn_refund(line(attempt.channel.code), reading, actor=SYSTEM, at=at)
