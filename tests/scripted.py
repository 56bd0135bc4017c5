"""A gateway in memory whose answers a test scripts. It keeps its own truth, so tests can
compare.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from payments.channels.base import (
    Connection,
    Credential,
    Device,
    Done,
    Method,
    NotAuthentic,
    Notification,
    Order,
    OrderKey,
    Outcome,
    Presentation,
    QrCode,
    RawMessage,
    RefundAsk,
    RefundReading,
    RefundState,
    Rejected,
    Reply,
    Trade,
    TradeState,
    Unknown,
)
from payments.channels.http import GatewayHttp
from payments.money import Money


@dataclass
class Kept:
    """An order as this gateway remembers it."""

    order: Order
    state: TradeState = TradeState.WAITING
    paid: Money | None = None


@dataclass
class Script:
    """What the gateway knows, and how it will misbehave. One per channel code."""

    orders: dict[str, Kept] = field(default_factory=dict)
    refunds: dict[str, Money] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    """Taken one per call: `before`, `after` (time-outs), `unsent`, `reject`,
    `our_fault`, `ok`."""
    calls: list[str] = field(default_factory=list)
    can_close: bool = True

    def pay(self, number: str, amount: Money | None = None) -> None:
        """The customer pays in the wallet."""
        kept = self.orders[number]
        assert kept.state is TradeState.WAITING
        kept.state, kept.paid = TradeState.PAID, amount or kept.order.amount

    def message(self, number: str, /, at: datetime | None = None, **changes) -> RawMessage:
        """The gateway's notification of a paid order, as it comes in at `at`."""
        kept = self.orders[number]
        fact = {"number": number, "minor": (kept.paid or kept.order.amount).minor,
                "currency": "CNY", "merchant": "scripted-merchant",
                "key": f"n-{number}"}  # fmt: skip
        body = json.dumps(fact | changes).encode()
        return RawMessage(headers={"x-sealed": "yes"}, body=body,
                          received_at=at or kept.order.created_at)  # fmt: skip


SCRIPTS: dict[str, Script] = {}


def script_of(code: str) -> Script:
    """The script behind a channel; made on first use."""
    return SCRIPTS.setdefault(code, Script())


class ScriptedGateway:
    """Answers from its script."""

    merchant_number = "scripted-merchant"
    app_number = ""

    def __init__(self, code: str) -> None:
        self.script = script_of(code)

    def _fault(self, call: str) -> str:
        self.script.calls.append(call)
        return self.script.faults.popleft() if self.script.faults else "ok"

    def open(self, order: Order) -> Outcome[Presentation]:
        fault = self._fault("open")
        if fault in {"reject", "our_fault"}:
            is_ours = fault == "our_fault"
            return Rejected(code="SCRIPTED_NO", message="no", is_our_fault=is_ours)
        if fault == "unsent":
            return Unknown(reason="connect", was_sent=False)
        if fault != "before":
            known = self.script.orders.setdefault(order.number, Kept(order))
            assert known.order == order, "a repeat must be equal"
        if fault in {"before", "after"}:
            return Unknown(reason="timeout")
        return Done(QrCode(content=f"scripted:{order.number}",
                           expires_at=order.created_at + timedelta(hours=2)))  # fmt: skip

    def _trade(self, number: str) -> Trade:
        kept = self.script.orders.get(number)
        if kept is None:
            return Trade(number=number, state=TradeState.WAITING)
        return Trade(number=number, state=kept.state, amount=kept.paid,
                     gateway_number=f"G{number}" if kept.paid else "",
                     merchant=self.merchant_number)  # fmt: skip

    def query(self, order: OrderKey) -> Outcome[Trade]:
        if self._fault("query") in {"before", "after"}:
            return Unknown(reason="timeout")
        return Done(self._trade(order.number))

    def close(self, order: OrderKey) -> Outcome[Trade]:
        fault = self._fault("close")
        kept = self.script.orders.get(order.number)
        if fault != "before" and self.script.can_close:
            if kept is None:
                if fault == "ok":
                    return Done(Trade(number=order.number, state=TradeState.CLOSED))
            elif kept.state is TradeState.WAITING:
                kept.state = TradeState.CLOSED
        if fault in {"before", "after"}:
            return Unknown(reason="timeout")
        return Done(self._trade(order.number))

    def refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        fault = self._fault("refund")
        if fault == "reject":
            return Rejected(code="SCRIPTED_NO", message="no")
        if fault != "before":
            self.script.refunds.setdefault(ask.number, ask.amount)
        if fault in {"before", "after"}:
            return Unknown(reason="timeout")
        return self.query_refund(ask)

    def query_refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        if ask.number not in self.script.refunds:
            return Rejected(code="NOT_FOUND", message="unknown refund")
        return Done(RefundReading(number=ask.number, state=RefundState.SUCCEEDED,
                                  amount=self.script.refunds[ask.number]))  # fmt: skip

    def read(self, message: RawMessage) -> Notification:
        if message.headers.get("x-sealed") != "yes":
            raise NotAuthentic("unsigned")
        fact = json.loads(message.body)
        state = TradeState(fact.get("state", TradeState.PAID))
        trade = Trade(number=fact["number"], state=state,
                      amount=Money(fact["minor"], fact["currency"]),
                      gateway_number=f"G{fact['number']}", merchant=fact["merchant"])  # fmt: skip
        return Notification(key=fact["key"], trade=trade)

    def accept(self) -> Reply:
        return Reply(status=200, body=b"ok", content_type="text/plain")

    def refuse(self, reason: str) -> Reply:
        return Reply(status=400, body=reason.encode(), content_type="text/plain")


class _Scripted:
    hosts: ClassVar[frozenset[str]] = frozenset({"scripted.example"})
    base_url: ClassVar[str] = "https://scripted.example"
    credentials: ClassVar[tuple[Credential, ...]] = ()

    def connect(self, connection: Connection, http: GatewayHttp) -> ScriptedGateway:
        return ScriptedGateway(connection.code)


class First(_Scripted):
    """One gateway that a customer may pick."""

    name: ClassVar[str] = "first"
    label: ClassVar[str] = "First"
    methods: ClassVar[tuple[Method, ...]] = (
        Method(code="first", label="First", hint="", products=dict.fromkeys(Device, "qr")),
    )


class Second(_Scripted):
    """Another one."""

    name: ClassVar[str] = "second"
    label: ClassVar[str] = "Second"
    methods: ClassVar[tuple[Method, ...]] = (
        Method(code="second", label="Second", hint="", products=dict.fromkeys(Device, "qr")),
    )


def later(at: datetime, seconds: float) -> datetime:
    """`at`, and some seconds."""
    return at + timedelta(seconds=seconds)
