"""Addresses of the sandbox, mounted at /sandbox/ in demo mode only."""

from django.urls import include, path

from payments.channels.sandbox.contract import sign
from payments.channels.sandbox.control import control
from payments.channels.sandbox.speakers import SPEAKERS
from payments.channels.sandbox.wallet import index, wallet

app_name = "sandbox"
urlpatterns = [
    path("", index, name="index"),
    path("control/", control, name="control"),
    path("enrolment/<str:token>/", sign, name="enrolment"),
    path("wallet/<str:token>/", wallet, name="wallet"),
    *(path(f"{name}/", include(list(s.urlpatterns))) for name, s in SPEAKERS.items()),
]
