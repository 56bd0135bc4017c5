"""Addresses that gateways notify, under /notify/."""

from django.urls import path

from payments.inbound.views import notify

app_name = "inbound"
urlpatterns = [path("<slug:channel_code>/", notify, name="notify")]
