"""What people type about API keys."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from merchants.accounts.abilities import SCOPES
from merchants.accounts.keys import LABEL_CHARACTERS_MAX
from merchants.accounts.networks import networks_of
from merchants.accounts.states import RevocationReason
from merchants.errors import MerchantRefusal
from merchants.words import refusal_text

MOMENT: Final = "%Y-%m-%dT%H:%M"
NOTE_MAX: Final = 500

SCOPE_LABELS = {
    "payments.read": _("Read payments"),
    "payments.write": _("Create and close payments"),
    "refunds.write": _("Refund payments"),
    "balance.read": _("Read the balance"),
    "events.read": _("Read events"),
}


def moment_field(label: Any, help_text: Any) -> forms.DateTimeField:
    """A moment in the reader's time zone, or none."""
    return forms.DateTimeField(
        label=label, required=False, input_formats=[MOMENT], help_text=help_text,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )  # fmt: skip


def end_field() -> forms.DateTimeField:
    """When a key ends by itself."""
    return moment_field(
        _("Ends by itself at"),
        _("Empty: it goes on until somebody revokes it. Letters come 14 and 3 days before."),
    )


class NetworksForm(forms.Form):
    """From where a key may be used."""

    allowed_from = forms.CharField(
        label=_("Addresses that may use it"),
        required=False,
        max_length=1024,
        help_text=_(
            "One address or network a line, such as 203.0.113.0/24. At most 20; empty means"
            " anywhere."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_allowed_from(self) -> list[str]:
        """The networks, in their shortest form."""
        try:
            return networks_of(self.cleaned_data["allowed_from"].split())
        except MerchantRefusal as refusal:
            raise forms.ValidationError(refusal_text(refusal)) from None


class KeyForm(NetworksForm):
    """A key to be."""

    label = forms.CharField(
        label=_("What is the key for?"),
        max_length=LABEL_CHARACTERS_MAX,
        help_text=_("For example the name of the program that will use it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What may it do?"),
        choices=[(scope, SCOPE_LABELS[scope]) for scope in sorted(SCOPES)],
        initial=sorted(SCOPES),
        widget=forms.CheckboxSelectMultiple,
    )
    ends_at = end_field()

    field_order = ("label", "scopes", "allowed_from", "ends_at")


class KeyEndForm(forms.Form):
    """When a key ends."""

    ends_at = end_field()


class RotationForm(forms.Form):
    """A new secret, and how long the old one works on."""

    until = moment_field(
        _("The old secret works until"),
        _("At most seven days from now. Empty: it ends at once."),
    )
    ends_at = moment_field(
        _("The new secret ends by itself at"), _("Empty: it goes on until somebody revokes it.")
    )


class RevocationForm(forms.Form):
    """Why a key is revoked."""

    why = forms.ChoiceField(label=_("Why?"), choices=RevocationReason.choices)
    note = forms.CharField(
        label=_("More about it"), required=False, max_length=NOTE_MAX,
        help_text=_("The audit trail keeps it."), widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
