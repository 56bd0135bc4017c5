"""The portal's pages of API keys: the list, a new one, and what can be done to one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import KEYS_MANAGE
from merchants.accounts.key_changes import allow_key_from, end_key_at
from merchants.accounts.key_rotation import end_overlap, rotate_api_key
from merchants.accounts.keys import KeyNotFound, create_api_key, revoke_api_key
from merchants.accounts.models import ApiKey
from merchants.accounts.queries import list_keys, merchant_name, own_key, secret_before
from merchants.accounts.states import RevocationReason
from merchants.errors import MerchantRefusal
from merchants.portal.key_forms import (
    SCOPE_LABELS,
    KeyEndForm,
    KeyForm,
    NetworksForm,
    RevocationForm,
    RotationForm,
)
from merchants.portal.session import frame_of, portal_page
from merchants.words import refusal_text

OVERLAP_OFFERED: Final = timedelta(days=1)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(KEYS_MANAGE)
def keys(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The keys, and the form for a new one, whose secret is shown on the answer and never again."""
    form = KeyForm(request.POST or None)
    if form.is_valid():
        said = form.cleaned_data
        if answer := requires_step_up(request, _new_key(access, said)):
            return answer
        try:
            key, secret = create_api_key(
                merchant_id=access.merchant_id, livemode=access.livemode, label=said["label"],
                scopes=said["scopes"], allowed_from=said["allowed_from"], ends_at=said["ends_at"],
                actor=access.actor, at=timezone.now(),
            )  # fmt: skip
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            return _secret_page(request, access, key, secret)
    now = timezone.now()
    rows = [(key, key.is_over(now)) for key in list_keys(access)]
    context = {**frame_of(access), "form": form, "keys": rows}
    return render(request, "portal/merchants/keys.html", context)


@never_cache
@require_safe
@portal_page(KEYS_MANAGE)
def key(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """One key, and what can be done to it."""
    return _key_page(request, access, _own(access, key))


@never_cache
@require_POST
@portal_page(KEYS_MANAGE)
def networks(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """From where the key may be used."""
    row, form = _own(access, key), NetworksForm(request.POST)
    if form.is_valid():
        wanted = form.cleaned_data["allowed_from"]
        deed = _deed(access, row, "api_key.networks", _("Change who may use an API key"), (
            Fact("allowed_from", _("Addresses that may use it"), " ".join(wanted),
                 shown=", ".join(wanted) or _("Anywhere")),
        ))  # fmt: skip

        def do(at: datetime) -> object:
            return allow_key_from(access=access, key=key, networks=wanted, at=at)

        if answer := _done(request, form, deed, row, do, told=_("The addresses are changed.")):
            return answer
    return _key_page(request, access, row, networks_form=form)


@never_cache
@require_POST
@portal_page(KEYS_MANAGE)
def end(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """When the key ends by itself."""
    row, form = _own(access, key), KeyEndForm(request.POST)
    if form.is_valid():
        ends_at = form.cleaned_data["ends_at"]
        deed = _deed(access, row, "api_key.end", _("Change when an API key ends"), (
            _moment("ends_at", _("Ends by itself at"), ends_at),
        ))  # fmt: skip

        def do(at: datetime) -> object:
            return end_key_at(access=access, key=key, ends_at=ends_at, at=at)

        if answer := _done(request, form, deed, row, do, told=_("The end is changed.")):
            return answer
    return _key_page(request, access, row, end_form=form)


@never_cache
@require_POST
@portal_page(KEYS_MANAGE)
def rotate(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """A new secret, shown on the answer and never again."""
    row, form = _own(access, key), RotationForm(request.POST)
    if form.is_valid():
        until, ends_at = form.cleaned_data["until"], form.cleaned_data["ends_at"]
        deed = _deed(access, row, "api_key.rotate", _("Give an API key a new secret"), (
            _moment("until", _("The old secret works until"), until, empty=_("it ends at once")),
            _moment("ends_at", _("The new secret ends by itself at"), ends_at),
        ))  # fmt: skip
        if answer := requires_step_up(request, deed, back=_page_of(row)):
            return answer
        try:
            made, secret = rotate_api_key(
                access=access, key=key, until=until, ends_at=ends_at, at=timezone.now()
            )
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            old = own_key(access, key)
            return _secret_page(request, access, made, secret, old=old)
    return _key_page(request, access, row, rotation_form=form)


@require_POST
@portal_page(KEYS_MANAGE)
def end_old(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """The old secret is not needed any more."""
    row = _own(access, key)
    try:
        end_overlap(access=access, key=key, at=timezone.now())
    except MerchantRefusal as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        text = _("The old secret %(key)s has ended. Requests with it are refused from now on.")
        messages.success(request, text % {"key": row})
    return redirect("merchants:keys")


@never_cache
@require_POST
@portal_page(KEYS_MANAGE)
def revoke(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """Make a key useless. No second factor: whoever sees a key leak must be quick."""
    row, form = _own(access, key), RevocationForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            revoke_api_key(
                merchant_id=access.merchant_id, key=key, why=RevocationReason(said["why"]),
                note=said["note"], actor=access.actor, at=timezone.now(),
            )  # fmt: skip
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            text = _("The key %(key)s is revoked. Requests with it are refused from now on.")
            messages.success(request, text % {"key": row})
            return redirect("merchants:keys")
    return _key_page(request, access, row, revocation_form=form)


def _done(
    request: HttpRequest, form: Form, deed: Deed, row: ApiKey, do: Callable[[datetime], object],
    *, told: str,
) -> HttpResponse | None:  # fmt: skip
    """Step up, do it, and go back to the key; None: the form says why not."""
    if answer := requires_step_up(request, deed, back=_page_of(row)):
        return answer
    try:
        do(timezone.now())
    except MerchantRefusal as refusal:
        form.add_error(None, refusal_text(refusal))
        return None
    messages.success(request, told)
    return redirect(_page_of(row))


def _own(access: MerchantAccess, key: str) -> ApiKey:
    try:
        return own_key(access, key)
    except KeyNotFound:
        raise Http404 from None


def _page_of(row: ApiKey) -> str:
    return reverse("merchants:key", args=[row.public_id])


def _key_page(
    request: HttpRequest, access: MerchantAccess, row: ApiKey, **forms: Form
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        **frame_of(access),
        "key": row,
        "is_over": row.is_over(now),
        "old": secret_before(access, row, at=now),
        "networks_form": NetworksForm(initial={"allowed_from": "\n".join(row.allowed_from)}),
        "end_form": KeyEndForm(initial={"ends_at": row.ends_at}, auto_id="id_end_%s"),
        "rotation_form": RotationForm(initial={"until": now + OVERLAP_OFFERED}),
        "revocation_form": RevocationForm(),
        **forms,
    }
    return render(request, "portal/merchants/key.html", context)


def _secret_page(
    request: HttpRequest, access: MerchantAccess, key: ApiKey, secret: str,
    old: ApiKey | None = None,
) -> HttpResponse:  # fmt: skip
    context = {**frame_of(access), "key": key, "secret": secret, "old": old, "now": timezone.now()}
    return render(request, "portal/merchants/new_key.html", context, status=201)


def _moment(name: str, label: str, at: datetime | None, *, empty: str = "") -> Fact:
    """A moment as somebody confirms it: bound as it is, shown in their time zone."""
    local = f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}" if at else empty or _("never")
    return Fact(name, label, at.isoformat() if at else "", shown=local)


def _deed(
    access: MerchantAccess, row: ApiKey, purpose: str, title: str, facts: tuple[Fact, ...]
) -> Deed:
    """What somebody confirms who changes a key."""
    return Deed(
        purpose=purpose,
        title=title,
        facts=(
            Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
            Fact("key", _("API key"), row.public_id, shown=f"{row} {row.label}".rstrip()),
            *facts,
        ),
    )


def _new_key(access: MerchantAccess, said: dict[str, Any]) -> Deed:
    """What somebody confirms who makes a key."""
    scopes, allowed = said["scopes"], said["allowed_from"]
    told = ", ".join(str(SCOPE_LABELS[scope]) for scope in scopes)
    mode = _("Live: real money") if access.livemode else _("Test: no real money")
    return Deed(
        purpose="api_key.create",
        title=_("Create an API key"),
        facts=(
            Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
            Fact("livemode", _("Mode"), str(access.livemode), shown=mode),
            Fact("label", _("What the key is for"), said["label"]),
            Fact("scopes", _("What it may do"), " ".join(sorted(scopes)), shown=told),
            Fact(
                "allowed_from",
                _("Addresses that may use it"),
                " ".join(allowed),
                shown=", ".join(allowed) or _("Anywhere"),
            ),
            _moment("ends_at", _("Ends by itself at"), said["ends_at"]),
        ),
    )
