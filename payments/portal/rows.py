"""Payments, events and callbacks as the pages show them: with words and colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from merchants.access import MerchantAccess
from payments.acquiring.facts import PaymentFacts, facts_of
from payments.acquiring.queries import PaymentFilter, list_payments
from payments.acquiring.search import search_payments
from payments.acquiring.states import PaymentState
from payments.acquiring.timeline import method_label
from payments.callbacks.models import Callback, CallbackState, CallbackTry, EventType
from payments.callbacks.queries import EventFacts
from payments.portal.asked import Wanted

PAYMENT_TONES: Final = {PaymentState.PENDING: "warn", PaymentState.PAID: "ok"}
CALLBACK_TONES: Final = {
    CallbackState.PENDING: "warn",
    CallbackState.DELIVERED: "ok",
    CallbackState.GIVEN_UP: "bad",
}


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment's facts, its method's name and its state's colour."""

    facts: PaymentFacts
    method: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRow:
    """What the merchant is told about which object, and how the telling goes."""

    event: str
    what: str
    about: str
    created_at: datetime
    url: str
    state: str
    tone: str
    tries: int
    due_at: datetime | None
    history: Sequence[CallbackTry]

    @property
    def is_about_payment(self) -> bool:
        """Whether the object has a page here."""
        return self.about.startswith("pay_")


def payment_row(facts: PaymentFacts) -> PaymentRow:
    """A payment, ready to show."""
    method = method_label(facts.method) if facts.method else ""
    return PaymentRow(facts, method, PAYMENT_TONES.get(facts.status, "neutral"))


def find_rows(
    access: MerchantAccess, wanted: Wanted, *, limit: int
) -> tuple[Sequence[PaymentRow], int]:
    """A page of the list, and the key of the next one (0: there is none)."""
    if wanted.number:
        found = search_payments(access, wanted.number).select_related("channel").order_by("-pk")
        if wanted.status:
            found = found.filter(state=wanted.status)
        return [payment_row(facts_of(payment)) for payment in found], 0
    page = list_payments(
        access, PaymentFilter(status=wanted.status), before=wanted.before, limit=limit
    )
    return [payment_row(facts) for facts in page.payments], page.next_before


def event_row(event: EventFacts) -> CallbackRow:
    """An event with its latest callback, if it has one."""
    callback = event.callback
    state = CallbackState(callback.state) if callback else None
    return CallbackRow(
        event=event.id,
        what=str(EventType(event.type).label),
        about=str(event.data.get("id", "")),
        created_at=event.created_at,
        url=callback.url if callback else "",
        state=str(state.label) if state else "",
        tone=CALLBACK_TONES[state] if state else "neutral",
        tries=callback.tries if callback else 0,
        due_at=callback.due_at if callback else None,
        history=(),
    )


def callback_row(callback: Callback) -> CallbackRow:
    """A callback with its tries. Its event and its history should have been fetched with it."""
    event, state = callback.event, CallbackState(callback.state)
    return CallbackRow(
        event=event.public_id,
        what=str(EventType(event.type).label),
        about=event.subject,
        created_at=callback.created_at,
        url=callback.url,
        state=str(state.label),
        tone=CALLBACK_TONES[state],
        tries=callback.tries,
        due_at=callback.due_at,
        history=sorted(callback.history.all(), key=lambda one: one.number),
    )
