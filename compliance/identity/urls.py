"""Addresses of the sign-in pages."""

from django.http import HttpRequest
from django.urls import path

from compliance.identity import account_pages, stepup_pages, views
from compliance.identity.address import client_address
from compliance.identity.limited import limited

NAME_CHARACTERS_MAX = 200


def name_of(request: HttpRequest) -> str:
    """The name that is tried, as the database would find it."""
    return request.POST.get("username", "")[:NAME_CHARACTERS_MAX].casefold()


def address_of(request: HttpRequest, number: str) -> str:
    """Codes are counted by address, whatever they are for."""
    return client_address(request)


app_name = "identity"
urlpatterns = [
    path(
        "signin/",
        limited("signin", client_address)(limited("signin.name", name_of)(views.signin)),
        name="signin",
    ),
    path("signin/code/", limited("code", client_address)(views.code), name="code"),
    path("signin/enrol/", limited("code", client_address)(views.enrol), name="enrol"),
    path(
        "confirm/<str:number>/",
        limited("code", address_of)(stepup_pages.stepup),
        name="stepup",
    ),
    path("account/", account_pages.account, name="account"),
    path("account/session/", account_pages.session, name="session"),
    path("account/sessions/end/", account_pages.end, name="end-session"),
    path("signout/", views.signout, name="signout"),
]
