"""Addresses of the sign-in pages."""

from django.urls import path

from compliance.identity import views

app_name = "identity"
urlpatterns = [
    path("signin/", views.signin, name="signin"),
    path("signin/code/", views.code, name="code"),
    path("signin/enrol/", views.enrol, name="enrol"),
    path("signout/", views.signout, name="signout"),
]
