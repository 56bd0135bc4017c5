"""What people type on the portal's pages of this storey."""

from typing import Final

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.approvals.request import REASON_MAX
from merchants.accounts.states import Role

NAME_CHARACTERS_MAX: Final = 100


def reason_field() -> forms.CharField:
    """Why somebody asks for something: colleagues read it, and the audit trail keeps it."""
    return forms.CharField(
        label=_("Reason"), max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Your colleagues and the audit trail keep it."),
    )  # fmt: skip


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
