"""Addresses of the REST face, under /api/v1/."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from payments.api import views
from payments.api.openapi import schema


class NumberConverter(StringConverter):
    """A public id as anybody may type it; NUL never reaches the database."""

    regex = r"[^/\x00]{1,128}"


register_converter(NumberConverter, "number")

app_name = "api"
urlpatterns = [
    path("payments", views.Payments.as_view(), name="payments"),
    path("payments/<number:payment>", views.Payment.as_view(), name="payment"),
    path("payments/<number:payment>/close", views.PaymentClosing.as_view(), name="payment-close"),
    path(
        "payments/<number:payment>/refunds", views.PaymentRefunds.as_view(), name="payment-refunds"
    ),
    path("refunds", views.Refunds.as_view(), name="refunds"),
    path("refunds/<number:refund>", views.Refund.as_view(), name="refund"),
    path("balance", views.Balance.as_view(), name="balance"),
    path("events", views.Events.as_view(), name="events"),
    path("events/<number:event>", views.Event.as_view(), name="event"),
    path("events/<number:event>/replay", views.EventReplay.as_view(), name="event-replay"),
    path("schema/", schema, name="schema"),
    re_path("", views.no_such_call, name="no-such-call"),
]
