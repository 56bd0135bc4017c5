"""Addresses of the sign-in pages."""

from django.http import HttpRequest
from django.urls import path

from compliance.identity import (
    account_pages,
    factor_pages,
    link_pages,
    phone_pages,
    profile_pages,
    stepup_pages,
    views,
)
from compliance.identity.address import client_address
from compliance.identity.evenly import evenly
from compliance.identity.limited import is_accepted, leads_on, limited

NAME_CHARACTERS_MAX = 200


def name_of(request: HttpRequest) -> str:
    """The name that is tried, as the database would find it."""
    return request.POST.get("username", "")[:NAME_CHARACTERS_MAX].casefold()


def email_of(request: HttpRequest) -> str:
    """The address to which a link is to be sent; who names none is counted alone."""
    email = request.POST.get("email", "")[:NAME_CHARACTERS_MAX].strip().casefold()
    return email or client_address(request)


def person_of_page(request: HttpRequest) -> str:
    """Who types a password on a page of their own."""
    return str(request.user.pk or client_address(request))


def address_of(request: HttpRequest, number: str) -> str:
    """Codes are counted by address, whatever they are for."""
    return client_address(request)


def address_of_link(request: HttpRequest, kind: str, secret: str) -> str:
    """Whoever opens links makes sessions, so they are counted by address."""
    return client_address(request)


guessed = limited("code", client_address, forgiven=leads_on)
"""Pages where somebody may guess a code. What was wrong is counted by address, all together, with
passkeys and links.
"""
guessed_for = limited("code", address_of, forgiven=leads_on)
asked = limited("passkey.ask", client_address)
asked_for = limited("passkey.ask", address_of)
answered = limited("code", client_address, forgiven=is_accepted)
answered_for = limited("code", address_of, forgiven=is_accepted)

app_name = "identity"
urlpatterns = [
    path(
        "signin/",
        limited("signin", client_address, forgiven=leads_on)(
            limited("signin.name", name_of, forgiven=leads_on)(views.signin)
        ),
        name="signin",
    ),
    path("signin/code/", guessed(views.code), name="code"),
    path("signin/enrol/", guessed(views.enrol), name="enrol"),
    path(
        "confirm/<str:number>/",
        guessed_for(stepup_pages.stepup),
        name="stepup",
    ),
    path("account/", account_pages.account, name="account"),
    path(
        "account/password/",
        limited("password", person_of_page)(account_pages.password),
        name="password",
    ),
    path(
        "signin/forgotten/",
        limited("link", client_address)(limited("link.name", email_of)(evenly(link_pages.ask))),
        name="ask-link",
    ),
    path("link/", limited("code", client_address)(link_pages.opened), name="opened-link"),
    path(
        "link/<str:kind>/<str:secret>/",
        limited("link.open", address_of_link, methods=frozenset({"GET"}))(link_pages.link),
        name="link",
    ),
    path(
        "signin/passkey/ask/",
        asked(factor_pages.ask_signin),
        name="passkey-ask",
    ),
    path(
        "signin/passkey/",
        answered(factor_pages.signin),
        name="passkey",
    ),
    path(
        "confirm/<str:number>/passkey/ask/",
        asked_for(factor_pages.ask_stepup),
        name="stepup-passkey-ask",
    ),
    path(
        "confirm/<str:number>/passkey/",
        answered_for(factor_pages.stepup),
        name="stepup-passkey",
    ),
    path("signin/send/", limited("code", client_address)(views.send), name="send-code"),
    path("signin/sent/", guessed(views.sent_code), name="sent-code"),
    path("account/profile/", profile_pages.profile, name="profile"),
    path("account/letters/", profile_pages.letters, name="letters"),
    path("account/email/", limited("own_email", person_of_page)(profile_pages.email), name="email"),
    path("account/phone/remove/", profile_pages.phone_away, name="remove-phone"),
    path("account/phone/", phone_pages.phone, name="phone"),
    path(
        "account/phone/confirm/",
        guessed(phone_pages.confirm),
        name="confirm-phone",
    ),
    path("account/passkeys/new/", factor_pages.new_passkey, name="new-passkey"),
    path("account/passkeys/ask/", factor_pages.ask_enrol, name="passkey-enrol-ask"),
    path("account/passkeys/", factor_pages.enrol, name="passkey-enrol"),
    path("account/passkeys/<int:passkey>/remove/", factor_pages.remove, name="remove-passkey"),
    path("account/recovery/", factor_pages.codes, name="recovery-codes"),
    path("account/authenticator/", factor_pages.replace, name="replace-authenticator"),
    path(
        "account/authenticator/new/",
        guessed(factor_pages.new_authenticator),
        name="new-authenticator",
    ),
    path("account/session/", account_pages.session, name="session"),
    path("account/sessions/end/", account_pages.end, name="end-session"),
    path("signout/", views.signout, name="signout"),
]
