"""The portal's first page of this storey: the choice of the merchant."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from compliance.identity.signin import actor_of, person_of, safe_next, verified_required
from merchants.accounts.queries import memberships_of
from merchants.errors import AccessRefused
from merchants.portal.session import choose_merchant, tell_turned_away


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
