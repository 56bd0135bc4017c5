"""Addresses of the sign-in pages."""

from django.urls import path

from compliance.identity import views
from compliance.identity.address import client_address
from compliance.identity.limited import limited

app_name = "identity"
urlpatterns = [
    path("signin/", limited("signin", client_address)(views.signin), name="signin"),
    path("signin/code/", limited("code", client_address)(views.code), name="code"),
    path("signin/enrol/", limited("code", client_address)(views.enrol), name="enrol"),
    path("signout/", views.signout, name="signout"),
]
