"""Refusals of this storey in words for people."""

from django.utils.translation import gettext as _

from merchants.errors import MerchantRefusal


def refusal_text(refusal: MerchantRefusal) -> str:
    """What happened and what to do; always with the code, for support."""
    texts = {
        "email_taken": _("Somebody has this e-mail address already. Ask support to add them."),
        "illegal_move": _("The merchant is not where you think it is. Look at its status again."),
        "expiry_unfit": _("A key ends later than now, and within five years."),
        "key_over": _("This key has ended or was revoked."),
        "key_replaced": _("This is an old secret. Go to the key that replaced it."),
        "last_owner": _(
            "This is the last owner who can act. Make somebody else an owner first, and let them"
            " accept their invitation."
        ),
        "live_not_allowed": _("This merchant cannot take real money yet."),
        "member_exists": _("This person is in the team already."),
        "member_not_found": _("This person is not in the team any more."),
        "merchant_suspended": _("This merchant is suspended. Existing data can only be read."),
        "network_malformed": _(
            "Write each address or network like 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32."
        ),
        "too_many_networks": _("A key may name at most 20 networks."),
        "not_replaced": _("This key has no newer secret. Revoke it instead."),
        "note_missing": _("Say which reason it is."),
        "overlap_runs": _("The secret before this one still works. End it first."),
        "overlap_too_long": _("The old secret may work on for seven days at most."),
        "scope_unknown": _("Choose at least one thing that the key may do."),
        "too_many_keys": _("There are too many keys. Revoke one that is not used any more."),
        "username_taken": _("Somebody has this user name already. Choose another one."),
    }
    text = texts.get(refusal.code) or _("This cannot be done now.")
    return f"{text} ({refusal.code})"
