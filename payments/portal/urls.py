"""Addresses of the portal's pages of this storey."""

from django.urls import path

from payments.portal import channels, views

app_name = "payments_portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("payments/", views.payments, name="payments"),
    path("payments/<str:payment>/", views.payment, name="payment"),
    path("channels/", channels.channels, name="channels"),
    path("callbacks/", views.callbacks, name="callbacks"),
]
