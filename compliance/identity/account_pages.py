"""What everybody sees of their own account: where they are signed in, and how to end that."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.identity.errors import SessionNotFound
from compliance.identity.models import User
from compliance.identity.sessions import (
    end_other_sessions,
    end_session,
    is_session,
    list_sessions,
)
from compliance.identity.signin import actor_of, home_of, verified_required
from compliance.identity.states import Ending


@never_cache
@verified_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own account."""
    user = cast("User", request.user)
    key = request.session.session_key or ""
    sessions = [(row, is_session(row, key)) for row in list_sessions(user, at=timezone.now())]
    context = {"person": user, "sessions": sessions, "home": home_of(user)}
    return render(request, "identity/account.html", context)


@verified_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one of one's other sessions, or all of them."""
    user, now = cast("User", request.user), timezone.now()
    wanted = request.POST.get("session", "")
    if wanted == "others":
        key = request.session.session_key or ""
        ended = end_other_sessions(
            user=user, key=key, why=Ending.BY_OWNER, actor=actor_of(request), at=now
        )
        text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
        messages.success(request, text % {"count": ended})
        return redirect("identity:account")
    try:
        end_session(user=user, session=wanted, why=Ending.BY_OWNER, actor=actor_of(request), at=now)
    except SessionNotFound:
        raise Http404 from None
    messages.success(request, _("The session was ended."))
    return redirect("identity:account")


@never_cache
@require_http_methods(["GET", "POST"])
def session(request: HttpRequest) -> HttpResponse:
    """For the page's clock: how many seconds are left. GET only asks, POST stays signed in."""
    return JsonResponse({"seconds_left": getattr(request, "seconds_left", 0)})
