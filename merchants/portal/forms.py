"""What people type on the portal's pages of this storey."""

from django import forms
from django.utils.translation import gettext_lazy as _

from merchants.accounts.abilities import SCOPES
from merchants.accounts.keys import LABEL_CHARACTERS_MAX

SCOPE_LABELS = {
    "payments.read": _("Read payments"),
    "payments.write": _("Create and close payments"),
    "refunds.write": _("Refund payments"),
    "balance.read": _("Read the balance"),
    "events.read": _("Read events"),
}


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
