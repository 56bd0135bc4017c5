"""Tells what happened to one payment as one list: all of it for staff, less for its merchant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit.models import AuditEntry
from merchants.access import MerchantAccess, require
from payments.acquiring.models import Attempt, Notification, Payment, Refund, Verdict
from payments.acquiring.queries import PaymentUnknown
from payments.acquiring.states import LIVE, AttemptState, RefundState
from payments.acquiring.story import Story, told_of
from payments.callbacks.models import Callback, CallbackState, CallbackTry, Event
from payments.channels.registry import methods
from payments.ledger.models import Journal
from payments.money import Money


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One thing that happened. `tone` is "", ok, warn, bad or info; `kind` names its row."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    tone: str = ""


ORDER: Final = (
    "payment", "attempt", "deed", "notification", "attempt_end", "refund", "end", "journal",
    "event", "callback",
)  # fmt: skip
"""What comes first among things of the same second. Gateways tell no time finer than that."""

BOOKED_LATE: Final = timedelta(minutes=5)
"""A journal has the time of its fact; that it was written later than this is worth saying."""

TOLD_BY_ROWS: Final = frozenset({
    "payment.created", "payment.paid", "payment.closed", "payment.late_success",
    "attempt.created", "refund.requested", "refund.succeeded", "refund.failed",
    "refund.rejected",
})  # fmt: skip
"""Audited deeds whose own rows are in the timeline already."""

ENDINGS: Final = {
    "attempt.closed": AttemptState.CLOSED,
    "attempt.failed": AttemptState.FAILED,
    "attempt.abandoned": AttemptState.ABANDONED,
}
"""Deeds that ended an attempt. Its row tells of the last one only: money may come later still."""

_ENDS: Final = {
    AttemptState.SUCCEEDED: "ok",
    AttemptState.FAILED: "bad",
    AttemptState.LATE: "warn",
    AttemptState.ABANDONED: "warn",
}
_VERDICTS: Final = {
    Verdict.BOOKED: "ok",
    Verdict.LATE: "warn",
    Verdict.REFUSED: "bad",
    Verdict.MISMATCH: "bad",
}


def staff_timeline(story: Story) -> Sequence[TimelineItem]:
    """Everything, oldest first."""
    actors = {deed.action: deed.actor_label for deed in story.deeds}
    items = [*_payment(story.payment, actors)]
    for attempt in story.attempts:
        items += _attempt(attempt)
    for refund in story.refunds:
        items += _refund(refund)
    items += [_notification(row) for row in story.notifications]
    items += [_journal(row) for row in story.journals]
    items += [_event(row) for row in story.events]
    for callback in story.callbacks:
        items += _callback(callback)
    states = {attempt.number: attempt.state for attempt in story.attempts}
    items += [_deed(row) for row in story.deeds if not _is_told(row, states)]
    return _sorted(items)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantStory:
    """What a merchant sees of one payment."""

    timeline: Sequence[TimelineItem]
    callbacks: Sequence[Callback]


def merchant_story(access: MerchantAccess, public_id: str) -> MerchantStory:
    """A payment's life without what is internal: no journals, raw messages, or deeds of staff.

    Raises PaymentUnknown, also for another merchant's payment.
    """
    require(access, "payments.read")
    payment = Payment.objects.filter(
        merchant_id=access.merchant_id, livemode=access.livemode, public_id=public_id
    ).first()
    if payment is None:
        raise PaymentUnknown(payment=public_id)
    items = [*_payment(payment, {})]
    for attempt in payment.attempts.order_by("pk"):
        items += _attempt(attempt)
    refunds = list(payment.refunds.order_by("pk"))
    for refund in refunds:
        items += _refund(refund)
    callbacks: Sequence[Callback] = ()
    if "events.read" in access.abilities:
        _events, callbacks = told_of(payment, refunds)
        for callback in callbacks:
            items += _callback(callback)
    return MerchantStory(timeline=_sorted(items), callbacks=callbacks)


def method_label(code: str) -> str:
    """A method's name in the reader's language."""
    known = methods().get(code)
    return _(known[1].label) if known else code


def _sorted(items: Sequence[TimelineItem]) -> Sequence[TimelineItem]:
    return sorted(
        items, key=lambda item: (item.at.replace(microsecond=0), ORDER.index(item.kind), item.at)
    )


def _payment(payment: Payment, actors: dict[str, str]) -> Iterator[TimelineItem]:
    by = actors.get("payment.created", "")
    yield TimelineItem(payment.created_at, "payment", _("Payment created"), by)
    if payment.close_requested_at and "payment.close_requested" not in actors:
        is_expiry = payment.close_requested_at >= payment.expires_at
        title = _("The payment's time was over") if is_expiry else _("Closing was asked for")
        yield TimelineItem(payment.close_requested_at, "payment", title)
    if payment.paid_at:
        yield TimelineItem(
            payment.paid_at, "end", _("Paid"),
            f"{payment.amount} · {method_label(payment.method)}", "ok",
        )  # fmt: skip
    if payment.closed_at:
        yield TimelineItem(payment.closed_at, "end", _("Payment closed"))


def _attempt(attempt: Attempt) -> Iterator[TimelineItem]:
    title = _("The customer chose %(method)s") % {"method": method_label(attempt.method)}
    tone = "warn" if attempt.state == AttemptState.UNKNOWN else ""
    detail = attempt.number
    if attempt.state in LIVE:
        detail = f"{detail} · {attempt.get_state_display()}"
    yield TimelineItem(attempt.created_at, "attempt", title, detail, tone)
    if attempt.ended_at is not None:
        title = _("Attempt: %(state)s") % {"state": attempt.get_state_display()}
        parts = (attempt.number, attempt.failure, attempt.gateway_number)
        yield TimelineItem(
            attempt.ended_at, "attempt_end", title, _joined(*parts),
            _ENDS.get(AttemptState(attempt.state), ""),
        )  # fmt: skip


def _refund(refund: Refund) -> Iterator[TimelineItem]:
    title = _("Refund of %(amount)s asked for") % {"amount": refund.amount}
    if refund.is_late_return:
        title = _("%(amount)s goes back: it came after the end") % {"amount": refund.amount}
    detail = _joined(refund.public_id, refund.requested_by)
    yield TimelineItem(refund.created_at, "refund", title, detail, "info")
    if refund.ended_at is None:
        return
    if refund.state == RefundState.SUCCEEDED:
        title, tone = _("The money went back"), "ok"
    elif refund.state == RefundState.REJECTED:
        title, tone = _("The refund was refused by the second person"), "bad"
    else:
        title, tone = _("The refund failed"), "bad"
    yield TimelineItem(
        refund.ended_at, "refund", title, _joined(refund.public_id, refund.failure), tone
    )


def _notification(row: Notification) -> TimelineItem:
    title = _("Notification from %(channel)s: %(verdict)s") % {
        "channel": row.channel.name,
        "verdict": row.get_verdict_display(),
    }
    copies = _("%(count)d copies") % {"count": row.copies} if row.copies > 1 else ""
    return TimelineItem(
        row.received_at, "notification", title, _joined(row.number, row.reason, copies),
        _VERDICTS.get(Verdict(row.verdict), ""),
    )  # fmt: skip


def _journal(row: Journal) -> TimelineItem:
    sides = [
        f"{posting.account} {Money(posting.amount_minor, posting.account.currency)}"
        for posting in row.postings.all()
    ]
    title = _("Booked: %(kind)s") % {"kind": row.kind}
    if row.created_at - row.at > BOOKED_LATE:
        when = f"{timezone.localtime(row.created_at):%Y-%m-%d %H:%M:%S}"
        sides.append(_("written at %(time)s") % {"time": when})
    return TimelineItem(row.at, "journal", title, _joined(*sides))


def _event(row: Event) -> TimelineItem:
    title = _("Event: %(type)s") % {"type": row.get_type_display()}
    return TimelineItem(row.created_at, "event", title, row.public_id)


def _callback(callback: Callback) -> Iterator[TimelineItem]:
    for one in callback.history.all():
        yield _try(callback, one)
    if callback.state == CallbackState.GIVEN_UP and callback.ended_at:
        title = _("Callbacks to the merchant were given up")
        yield TimelineItem(callback.ended_at, "callback", title, callback.url, "bad")


def _try(callback: Callback, one: CallbackTry) -> TimelineItem:
    is_ok = one.status is not None and 200 <= one.status < 300  # noqa: PLR2004  HTTP's own
    title = (
        _("Callback delivered")
        if is_ok
        else _("Callback, try %(number)d: not delivered") % {"number": one.number}
    )
    answer = f"HTTP {one.status}" if one.status else one.error
    return TimelineItem(
        one.at, "callback", title,
        _joined(callback.event.type, answer, f"{one.duration_ms} ms"), "ok" if is_ok else "warn",
    )  # fmt: skip


def _is_told(row: AuditEntry, states: Mapping[str, str]) -> bool:
    if row.action in ENDINGS:
        return states.get(row.facts.get("attempt", "")) == ENDINGS[row.action]
    return row.action in TOLD_BY_ROWS


def _deed(row: AuditEntry) -> TimelineItem:
    known = {
        "refund.released": (_("A second person released the refund"), ""),
        "attempt.closed": (_("The attempt was closed"), ""),
        "attempt.failed": (_("The attempt failed"), "bad"),
        "attempt.abandoned": (_("The attempt was given up"), ""),
        "payment.close_requested": (_("Closing was asked for"), ""),
        "payment.asked": (_("Somebody had the gateway asked"), ""),
        "payment.answered": (_("The gateway's answer"), ""),
        "attempt.contradicted": (_("A gateway's message does not match our order"), "bad"),
        "attempt.unresolved": (_("The gateway gives no final answer"), "warn"),
    }
    title, tone = known.get(row.action, (row.action, ""))
    facts = [f"{name} {value}" for name, value in row.facts.items() if value != ""]
    return TimelineItem(row.at, "deed", title, _joined(row.actor_label, *facts, row.reason), tone)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
