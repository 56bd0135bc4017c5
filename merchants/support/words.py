"""Refusals of support in words for people."""

from django.utils.translation import gettext as _

from merchants.errors import MerchantRefusal


def refusal_told(refusal: MerchantRefusal) -> str:
    """What happened and what to do; always with the code."""
    texts = {
        "ability_missing": _("Your role does not allow this."),
        "illegal_move": _("Somebody was quicker: the ticket is in another state now."),
        "payment_malformed": _(
            "This is not a payment number of ours. It begins with pay_ and stands at the foot of"
            " the payment page; leave the field empty if you do not have it."
        ),
        "text_unfit": _("Write something, and leave out signs that cannot be seen."),
        "ticket_full": _("This ticket is full. Please open a new one."),
        "ticket_over": _("This ticket is over. Open it again before you write."),
    }
    text = texts.get(refusal.code) or _("This cannot be done now.")
    return f"{text} ({refusal.code})"
