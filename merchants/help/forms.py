"""What people type to ask support, here and in the portal."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from merchants.support.asking import fit_payment, fit_text
from merchants.support.models import SUBJECT_MAX, TEXT_MAX
from merchants.support.refusals import PaymentMalformed, TextUnfit
from merchants.support.words import refusal_told

PAYMENT_MAX = 32


def fitting(text: str) -> None:
    """A validator: the text is one that a ticket takes."""
    try:
        fit_text(text, most=TEXT_MAX, field="text")
    except TextUnfit as refusal:
        raise ValidationError(refusal_told(refusal)) from None


def of_payment(text: str) -> None:
    """A validator: the number may be a payment's."""
    try:
        fit_payment(text)
    except PaymentMalformed as refusal:
        raise ValidationError(refusal_told(refusal)) from None


class MessageForm(forms.Form):
    """One more message."""

    text = forms.CharField(
        label=gettext_lazy("Your message"), max_length=TEXT_MAX, validators=[fitting],
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip


class TicketForm(MessageForm):
    """A new ticket."""

    subject = forms.CharField(
        label=gettext_lazy("What is it about?"), max_length=SUBJECT_MAX, validators=[fitting],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    payment = forms.CharField(
        label=gettext_lazy("Payment number, if there is one"), max_length=PAYMENT_MAX,
        required=False, validators=[of_payment],
        help_text=gettext_lazy("It begins with pay_."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    field_order: tuple[str, ...] = ("subject", "payment", "text")


class AskForm(TicketForm):
    """A new ticket of somebody without a sign-in."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"), max_length=254,
        help_text=gettext_lazy("The answer goes there. We use it for nothing else."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip
    field_order = ("email", "subject", "payment", "text")


def first_typed(asked: Any) -> dict[str, str]:
    """What a link to a form fills in: the payment that it stood beside."""
    return {"payment": str(asked.get("payment", ""))[:PAYMENT_MAX].replace("\0", "")}
