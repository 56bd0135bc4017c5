"""What people type on the portal's pages of this storey."""

from typing import Final

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.approvals.request import REASON_MAX
from merchants.accounts.abilities import SCOPES
from merchants.accounts.keys import LABEL_CHARACTERS_MAX
from merchants.accounts.networks import networks_of
from merchants.accounts.states import Role
from merchants.errors import MerchantRefusal
from merchants.words import refusal_text

NAME_CHARACTERS_MAX: Final = 100

SCOPE_LABELS = {
    "payments.read": _("Read payments"),
    "payments.write": _("Create and close payments"),
    "refunds.write": _("Refund payments"),
    "balance.read": _("Read the balance"),
    "events.read": _("Read events"),
}


def reason_field() -> forms.CharField:
    """Why somebody asks for something: colleagues read it, and the audit trail keeps it."""
    return forms.CharField(
        label=_("Reason"), max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Your colleagues and the audit trail keep it."),
    )  # fmt: skip


class KeyForm(forms.Form):
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


class InvitationForm(forms.Form):
    """Somebody new in the team."""

    display_name = forms.CharField(
        label=_("Name"), max_length=NAME_CHARACTERS_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    username = forms.CharField(
        label=_("User name"), max_length=150, validators=[UnicodeUsernameValidator()],
        help_text=_("They sign in with it. Letters, digits and @ . + - _"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    email = forms.EmailField(
        label=_("Email address"), max_length=254,
        help_text=_("The invitation goes there. It is good for three days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    role = forms.ChoiceField(label=pgettext_lazy("staff", "Role"), choices=Role.choices)
    reason = reason_field()


class RoleForm(forms.Form):
    """Another role for a colleague."""

    role = forms.ChoiceField(label=pgettext_lazy("staff", "Role"), choices=Role.choices)
    reason = reason_field()


class ReasonForm(forms.Form):
    """Why."""

    reason = reason_field()
