"""Payments, events and callbacks as the pages show them: with words and colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from merchants.access import MerchantAccess
from payments.acquiring.facts import PaymentFacts
from payments.acquiring.pages import Slice
from payments.acquiring.search import search_payments
from payments.acquiring.sieve import page_of, sifted
from payments.acquiring.states import PaymentState
from payments.acquiring.timeline import method_label
from payments.callbacks.models import TEST, Callback, CallbackState, CallbackTry
from payments.callbacks.queries import EventFacts
from payments.portal.asked import Wanted
from payments.portal.endpoint_words import type_label

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

    number: int
    """Of the callback's row; 0: there is none."""
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
    endpoint: str = ""
    """Its label; empty: the payment named the address."""
    is_test: bool = False

    @property
    def is_about_payment(self) -> bool:
        """Whether the object has a page here."""
        return self.about.startswith("pay_")


def payment_row(facts: PaymentFacts) -> PaymentRow:
    """A payment, ready to show."""
    method = method_label(facts.method) if facts.method else ""
    return PaymentRow(facts, method, PAYMENT_TONES.get(facts.status, "neutral"))


def find_page(access: MerchantAccess, wanted: Wanted, *, size: int) -> Slice:
    """A page of the list; a number finds few, and other fields narrow them."""
    if not wanted.number:
        return page_of(access, wanted.sieve, place=wanted.place, size=size)
    passing, _reach = sifted(access, wanted.sieve)
    found = search_payments(access, wanted.number).select_related("channel").order_by("-pk")
    return Slice(list(found if wanted.sieve.is_empty else found & passing), 0, 0)


def event_row(event: EventFacts) -> CallbackRow:
    """An event with its latest callback, if it has one."""
    callback = event.callback
    state = CallbackState(callback.state) if callback else None
    return CallbackRow(
        number=0,
        event=event.id,
        what=type_label(event.type),
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
        number=callback.pk,
        event=event.public_id,
        what=type_label(event.type),
        about=event.subject,
        created_at=callback.created_at,
        url=callback.url,
        state=str(state.label),
        tone=CALLBACK_TONES[state],
        tries=callback.tries,
        due_at=callback.due_at,
        history=sorted(callback.history.all(), key=lambda one: one.number),
        endpoint=callback.endpoint.label if callback.endpoint else "",
        is_test=event.type == TEST,
    )
