"""The portal's first pages of this storey: choice of the merchant, API keys."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from compliance.identity.signin import actor_of, person_of, safe_next, verified_required
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import KEYS_MANAGE
from merchants.accounts.keys import KeyNotFound, create_api_key, revoke_api_key
from merchants.accounts.queries import list_keys, memberships_of, merchant_name
from merchants.errors import AccessRefused, MerchantRefusal
from merchants.portal.forms import SCOPE_LABELS, KeyForm
from merchants.portal.session import choose_merchant, frame_of, portal_page, tell_turned_away
from merchants.words import refusal_text


@never_cache
@verified_required
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Choose which merchant to work for."""
    user = person_of(request)
    if user is None:
        raise Http404
    page = safe_next(request.POST.get("next", "") or request.GET.get("next", ""))
    if request.method == "POST":
        try:
            choose_merchant(request, user, request.POST.get("merchant", ""))
        except AccessRefused as refusal:
            tell_turned_away(request, actor_of(request), refusal)
            raise Http404 from None
        return redirect(page or "/portal/")
    context = {"memberships": memberships_of(user), "next": page}
    return render(request, "portal/merchants/choose.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(KEYS_MANAGE)
def keys(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The keys, and the form for a new one, whose secret is shown on the answer and never again."""
    form = KeyForm(request.POST or None)
    if form.is_valid():
        if answer := requires_step_up(request, _new_key(access, form)):
            return answer
        try:
            key, secret = create_api_key(
                merchant_id=access.merchant_id,
                livemode=access.livemode,
                label=form.cleaned_data["label"],
                scopes=form.cleaned_data["scopes"],
                allowed_from=form.cleaned_data["allowed_from"],
                actor=access.actor,
                at=timezone.now(),
            )
        except MerchantRefusal as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            context = {**frame_of(access), "key": key, "secret": secret}
            return render(request, "portal/merchants/new_key.html", context, status=201)
    context = {**frame_of(access), "form": form, "keys": list_keys(access)}
    return render(request, "portal/merchants/keys.html", context)


def _new_key(access: MerchantAccess, form: KeyForm) -> Deed:
    """What somebody confirms who makes a key."""
    scopes = form.cleaned_data["scopes"]
    networks = form.cleaned_data["allowed_from"]
    told = ", ".join(str(SCOPE_LABELS[scope]) for scope in scopes)
    mode = _("Live: real money") if access.livemode else _("Test: no real money")
    return Deed(
        purpose="api_key.create",
        title=_("Create an API key"),
        facts=(
            Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
            Fact("livemode", _("Mode"), str(access.livemode), shown=mode),
            Fact("label", _("What the key is for"), form.cleaned_data["label"]),
            Fact("scopes", _("What it may do"), " ".join(sorted(scopes)), shown=told),
            Fact(
                "allowed_from",
                _("Addresses that may use it"),
                " ".join(networks),
                shown=", ".join(networks) or _("Anywhere"),
            ),
        ),
    )


@require_POST
@portal_page(KEYS_MANAGE)
def revoke(request: HttpRequest, access: MerchantAccess, key: str) -> HttpResponse:
    """Make a key useless."""
    try:
        row = revoke_api_key(
            merchant_id=access.merchant_id, key=key, actor=access.actor, at=timezone.now()
        )
    except KeyNotFound:
        raise Http404 from None
    text = _("The key %(key)s is revoked. Requests with it are refused from now on.")
    messages.success(request, text % {"key": row})
    return redirect("merchants:keys")
