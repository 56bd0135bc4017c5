"""Addresses of the portal's pages of this storey."""

from django.urls import path

from merchants.portal import views

app_name = "merchants"
urlpatterns = [
    path("choose/", views.choose, name="choose"),
    path("keys/", views.keys, name="keys"),
    path("keys/<str:key>/revoke/", views.revoke, name="revoke"),
    path("team/", views.team, name="team"),
]
