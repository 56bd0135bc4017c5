"""What people type for a refund, and why it was refused, in words."""

from typing import Final

from django.utils.translation import gettext as _

from payments.acquiring.asking import REFUND_REASON_MAX, AskInvalid, RefundWish, read_refund_wish
from payments.errors import MoneyMalformed, Refusal
from payments.money import Money

TYPED_MAX: Final = 20


def typed_wish(*, number: str, amount: str, reason: str, currency: str) -> RefundWish:
    """Read what somebody typed: "28", "28.00" or "1,280.50", and why.

    Raises AskInvalid, with codes of `refund_told`.
    """
    try:
        money = Money.parse(amount.strip()[:TYPED_MAX].replace(",", ""), currency)
    except MoneyMalformed:
        money = Money(0, currency)
    return read_refund_wish(
        {
            "merchant_refund_no": number,
            "amount": money.minor,
            "reason": reason.strip(),
        }
    )


def refund_told(refusal: Refusal, *, currency: str) -> str:
    """What happened, and what to do; always with the code, for support."""
    facts = refusal.facts
    texts = {
        "payment_not_paid": _("Only a paid payment can be refunded."),
        "refund_exceeds_payment": _("At most %(left)s of this payment can still be refunded.")
        % {"left": Money(facts.get("left", 0), currency)},
        "balance_insufficient": _(
            "The merchant's balance is %(available)s: less than is to go back. It grows with the"
            " next payments."
        )
        % {"available": Money(facts.get("available", 0), currency)},
        "refund_no_reused": _("This form was sent before. Look at the refunds, then start again."),
        "refund_not_waiting": _("The refund does not wait for anybody any more."),
        "refund_waits_in_inbox": _("A person asked for this refund: decide it in your requests."),
        "ability_missing": _("Your role does not allow this. Ask somebody whose role does."),
    }
    text = texts.get(refusal.code)
    if isinstance(refusal, AskInvalid):
        text = (
            _("Type an amount such as 28.00, greater than zero.")
            if any(error.field == "amount" for error in refusal.errors)
            else _("The reason may have at most %(max)d characters, on one line.")
            % {"max": REFUND_REASON_MAX}
        )
    return f"{text or _('This cannot be done now.')} ({refusal.code})"
