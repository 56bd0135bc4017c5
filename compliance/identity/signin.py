"""Who a request comes from, and the way to the sign-in pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def is_verified(request: HttpRequest) -> bool:
    """Whether the person has shown a second factor in this session."""
    verified = getattr(request.user, "is_verified", None)
    return request.user.is_active and verified is not None and bool(verified())


def to_signin(request: HttpRequest) -> HttpResponse:
    """Send the person to the sign-in and afterwards back here."""
    return redirect("/signin/")
