"""Addresses of the portal's pages of this storey."""

from django.urls import path

from payments.portal import channels, refund_pages, views

app_name = "payments_portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("payments/", views.payments, name="payments"),
    path("payments/<str:payment>/", views.payment, name="payment"),
    path("payments/<str:payment>/refund/", refund_pages.ask, name="refund"),
    path("refunds/", refund_pages.refunds, name="refunds"),
    path("refunds/<str:refund>/decide/", refund_pages.decide, name="refund-decide"),
    path("channels/", channels.channels, name="channels"),
    path("callbacks/", views.callbacks, name="callbacks"),
]
