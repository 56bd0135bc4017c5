"""Addresses of the hosted checkout, under /pay/."""

from django.http import HttpRequest
from django.urls import path

from compliance.identity.limited import limited
from payments.checkout import views


def page_of(request: HttpRequest, token: str) -> str:
    """Limits count for one checkout page: many customers may share an address."""
    return token


choices = limited("checkout.choice", page_of)
questions = limited("checkout.status", page_of, methods=frozenset({"GET"}))

app_name = "checkout"
urlpatterns = [
    path("<str:token>/", choices(views.pay), name="pay"),
    path("<str:token>/status", questions(views.status), name="status"),
    path("<str:token>/return", choices(views.come_back), name="return"),
]
