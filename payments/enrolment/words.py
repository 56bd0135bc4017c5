"""What enrolments, their fields, troubles and refusals are called, for pages."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from merchants.onboarding.words import DOCUMENTS, LABELS, TITLES
from payments.channels.enrolling import Extra
from payments.enrolment.states import EnrolmentState

TONES: Final[Mapping[str, str]] = {
    EnrolmentState.SUBMITTED: "info",
    EnrolmentState.AUDIT: "info",
    EnrolmentState.ACCOUNT_CHECK: "warn",
    EnrolmentState.NEEDS_CHANGES: "bad",
    EnrolmentState.TO_BE_SIGNED: "warn",
    EnrolmentState.OPENING: "info",
    EnrolmentState.FINISHED: "ok",
    EnrolmentState.FROZEN: "bad",
}

NEXT: Final[Mapping[str, str | Promise]] = {
    EnrolmentState.DRAFT: _("Our staff prepare the application. There is nothing for you to do."),
    EnrolmentState.SUBMITTED: _("The application is on its way to the gateway."),
    EnrolmentState.AUDIT: _("The gateway looks at it. That takes one to seven working days."),
    EnrolmentState.ACCOUNT_CHECK: _(
        "The gateway wants proof that the settlement account is yours. Your legal representative"
        " follows its link."
    ),
    EnrolmentState.NEEDS_CHANGES: _(
        "The gateway sent the application back. Correct what is listed; it goes again with the"
        " same number."
    ),
    EnrolmentState.TO_BE_SIGNED: _(
        "The gateway agrees. Your legal representative now signs its contract."
    ),
    EnrolmentState.OPENING: _("Signed. The gateway opens what was signed for."),
    EnrolmentState.FINISHED: _("You have your own number at this channel."),
    EnrolmentState.FROZEN: _("The gateway has frozen it. Write to us."),
    EnrolmentState.CANCELLED: _("This application ended without a result."),
}
"""What the merchant is told to expect or to do."""

_OTHERS: Final[Mapping[str, str | Promise]] = {
    "owners.legal_person": _("The legal representative is not among the beneficial owners"),
    "channel.app": _("Application number of the channel"),
}

TROUBLES: Final[Mapping[str, str | Promise]] = {
    "timeout": _("The gateway did not answer in time. It is asked again by itself."),
    "unreadable": _("The gateway answered something that cannot be read. It is asked again."),
    "unsigned": _("The answer was not signed and counts for nothing. The gateway is asked again."),
    "bad_signature": _("The answer's signature is wrong. The gateway is asked again."),
    "file_incomplete": _("The merchant's file changed and lacks something now. Hand it in again."),
    "number_taken": _("The gateway gave a number that another merchant has. Ask the gateway."),
    "no_interface": _("The channel takes no applications over its interface any more."),
    "incomplete": _("The gateway holds a part of the application only."),
}

REFUSALS: Final[Mapping[str, str | Promise]] = {
    "ability_missing": _("Your role does not look after merchants."),
    "already_enrolled": _("There is an enrolment of this merchant with this channel already."),
    "answer_unfit": _("This does not have the shape that the gateway wants:"),
    "at_gateway": _("It lies with the gateway, and only the gateway can end or change it now."),
    "by_paper_only": _("The channel takes no applications over its interface."),
    "channel_unknown": _("There is no active channel with this code."),
    "enrolment_unknown": _("There is no such enrolment."),
    "file_incomplete": _("The gateway will miss something:"),
    "illegal_move": _("It cannot go there from where it stands. Look at its state again."),
    "letter_missing": _("Write down the number of the gateway's letter."),
    "merchant_not_approved": _("Only a merchant that was taken on, and works, can be enrolled."),
    "not_by_paper": _("The gateway itself says where this enrolment stands."),
    "nothing_to_ask": _("There is nothing to ask the gateway about."),
    "number_missing": _("Write down the merchant's number at the channel."),
    "number_taken": _("Another merchant has this number, or this merchant has another one."),
    "paper_unfit": _("The gateway takes pictures only, and no large ones. This paper will not do:"),
    "told_missing": _("Write down what is to be corrected."),
}


def field_label(field: str, extras: Iterable[Extra] = ()) -> str:
    """One of our fields for people: section and field, a paper, or a question of the gateway's."""
    section, _dot, name = field.partition(".")
    asked = {extra.key: extra.label for extra in extras}
    if not field:
        return gettext("The application as a whole")
    if field in asked:
        return gettext(asked[field])
    if section == "documents":
        return str(DOCUMENTS.get(name, name))
    if field in _OTHERS:
        return str(_OTHERS[field])
    if field in LABELS:
        return f"{TITLES[section]} · {LABELS[field]}"
    return field


def trouble_told(code: str) -> str:
    """Why there is no news, with the code for support."""
    return f"{TROUBLES[code]} ({code})" if code in TROUBLES else code


def refusal_told(refusal: Exception, extras: Iterable[Extra] = ()) -> str:
    """A refusal of this room in words, with the fields it is about."""
    code = str(getattr(refusal, "code", ""))
    facts = getattr(refusal, "facts", {})
    fields = facts.get("fields") or ([facts["field"]] if "field" in facts else [])
    said = str(REFUSALS.get(code, code or refusal))
    return " ".join([said, "; ".join(field_label(field, extras) for field in fields)]).strip()
