"""A business registers by itself."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance.identity.address import client_address
from compliance.identity.signin import actor_of
from merchants.onboarding.applying import register_applicant
from merchants.portal.forms import NAME_CHARACTERS_MAX


class RegisterForm(forms.Form):
    """Whom the letter goes to."""

    business = forms.CharField(
        label=_("Name of your business"), max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )  # fmt: skip
    display_name = forms.CharField(
        label=_("Your name"), max_length=NAME_CHARACTERS_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    email = forms.EmailField(
        label=_("Email address"), max_length=150,
        help_text=_("You sign in with it. A letter with a link goes there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Take a business down. Whether somebody has the address, the answer does not tell."""
    form = RegisterForm(request.POST or None)
    if form.is_valid():
        said = form.cleaned_data
        register_applicant(
            business=said["business"], display_name=said["display_name"], email=said["email"],
            language=get_language() or "", actor=actor_of(request), at=timezone.now(),
        )  # fmt: skip
        return render(request, "portal/application/registered.html", {"email": said["email"]})
    return render(request, "portal/application/register.html", {"form": form})


def email_of(request: HttpRequest, *args: Any, **kwargs: Any) -> str:
    """Whose mailbox is written to, for counting; who names none is counted alone."""
    return request.POST.get("email", "").strip().casefold()[:254] or client_address(request)
