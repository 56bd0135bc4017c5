"""What a gateway said, and why a deed on a payment was refused, in words."""

from typing import Final, Literal

from django.utils.translation import gettext as _

from payments.acquiring.enquiring import Heard
from payments.errors import Refusal

Tone = Literal["ok", "warn", "info"]

TONES: Final[dict[str, Tone]] = {
    "paid": "ok", "waiting": "info", "closed": "info", "refused": "warn", "unknown": "warn",
    "contradicts": "warn",
}  # fmt: skip


def heard_told(heard: Heard) -> str:
    """One sentence or two. What is not known is said to be not known."""
    texts = {
        "paid": _("%(channel)s says: paid, %(amount)s."),
        "waiting": _("%(channel)s says: not paid yet."),
        "closed": _("%(channel)s says: closed. It will not be paid."),
        "refused": _("%(channel)s refused the question (%(reason)s). Nothing has changed."),
        "unknown": _(
            "%(channel)s gave no clear answer (%(reason)s). Whether it was paid is not known, and"
            " nothing is assumed. Ask again in a while."
        ),
        "contradicts": _(
            "%(channel)s says: paid, %(amount)s. That does not match our order, and nothing was"
            " booked. See what happened below."
        ),
    }
    return texts[heard.said] % {
        "channel": heard.channel, "amount": heard.amount or "", "reason": heard.reason,
    }  # fmt: skip


def deed_told(refusal: Refusal) -> str:
    """Why asking or closing did not happen; always with the code, for support."""
    texts = {
        "nothing_to_ask": _("No customer has picked a method yet: there is no gateway to ask."),
        "asked_just_now": _("The gateway was asked just now. Wait %(seconds)d seconds.")
        % {"seconds": refusal.facts.get("wait_seconds", 0)},
        "payment_already_paid": _(
            "The payment turned out to be paid, so it stays. It can only be refunded."
        ),
        "ability_missing": _("Your role does not allow this. Ask somebody whose role does."),
    }
    return f"{texts.get(refusal.code) or _('This cannot be done now.')} ({refusal.code})"


def closing_told(status: str) -> tuple[Tone, str]:
    """What became of a wish to close, and its tone."""
    if status == "closed":
        return "ok", _("The payment is closed. Nobody can pay it any more.")
    return "warn", _(
        "The gateway has not confirmed yet, so it may still be paid. No new attempt is taken, and"
        " the payment is closed, or paid, as soon as the gateway's word is known."
    )
