"""What people type to sign in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class PasswordForm(forms.Form):
    """The first step."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The second step: what the authenticator shows."""

    code = forms.CharField(
        label=_("Six-digit code"),
        max_length=10,
        widget=forms.TextInput(
            attrs={
                "class": "code",
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> str:
        """People type codes with a space in the middle, as apps show them."""
        return "".join(str(self.cleaned_data["code"]).split())


class SecondStepForm(CodeForm):
    """The second step of a sign-in, where a recovery code does as well."""

    code = forms.CharField(
        label=_("Six-digit code"),
        max_length=40,
        help_text=_("Phone gone? Type one of your recovery codes here."),
        widget=CodeForm.base_fields["code"].widget,
    )


class PasskeyForm(forms.Form):
    """What a passkey is to be called."""

    name = forms.CharField(
        label=_("Name of the device"), max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class PhoneForm(forms.Form):
    """A phone for codes."""

    number = forms.RegexField(
        r"^\s*(\+86)?[\s-]*1[3-9](?:[\s-]*\d){9}\s*$",
        label=_("Mobile number"), max_length=24,
        error_messages={"invalid": _("Type a mobile number of the mainland, eleven digits.")},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )  # fmt: skip

    def clean_number(self) -> str:
        """Eleven digits."""
        digits = "".join(sign for sign in self.cleaned_data["number"] if sign.isdecimal())
        return digits[-11:]


class AddressForm(forms.Form):
    """Where a link is to be sent."""

    email = forms.EmailField(
        label=_("Email address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none"}),
    )


class NewPasswordForm(forms.Form):
    """A password chosen by its owner. Whether it is good enough the verb says."""

    password = forms.CharField(
        label=_("New password"),
        max_length=1024,
        strip=False,
        help_text=_(
            "Twelve characters or more. A sentence that nobody else would think of is best; signs"
            " and digits are not needed."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Typed twice the same."""
        said = super().clean() or {}
        if said.get("password") and said.get("again") and said["password"] != said["again"]:
            self.add_error("again", _("The two are not the same. Type the new password again."))
        return said


class PasswordChangeForm(NewPasswordForm):
    """Who changes a password shows that it is theirs, with both factors."""

    old = forms.CharField(
        label=_("Password until now"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = CodeForm.base_fields["code"]
    field_order = ("old", "password", "again", "code")

    clean_code = CodeForm.clean_code
