"""Addresses of help."""

from django.http import HttpRequest
from django.urls import path

from compliance.identity.address import client_address
from compliance.identity.limited import limited
from merchants.help import views

ALL_METHODS = frozenset({"GET", "HEAD", "POST"})


def address_of_link(request: HttpRequest, secret: str) -> str:
    """Whoever tries secrets is counted by address, whichever way they ask."""
    return client_address(request)


app_name = "help"
urlpatterns = [
    path("", views.index, name="index"),
    path(
        "ask/",
        limited("ticket.ask", client_address)(views.ask),
        name="ask",
    ),
    path(
        "tickets/<str:secret>/",
        limited("ticket.link", address_of_link, methods=ALL_METHODS)(views.ticket),
        name="ticket",
    ),
    path("<slug:slug>/", views.page, name="page"),
]
