"""Addresses of the portal's pages of this storey."""

from django.urls import path

from payments.portal import (
    callback_pages,
    channels,
    deed_pages,
    endpoint_pages,
    refund_pages,
    views,
)

app_name = "payments_portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("payments/", views.payments, name="payments"),
    path("payments/export/", views.export, name="export"),
    path("payments/<str:payment>/", views.payment, name="payment"),
    path("payments/<str:payment>/ask/", deed_pages.ask, name="ask"),
    path("payments/<str:payment>/close/", deed_pages.close, name="close"),
    path("payments/<str:payment>/refund/", refund_pages.ask, name="refund"),
    path("refunds/", refund_pages.refunds, name="refunds"),
    path("refunds/<str:refund>/decide/", refund_pages.decide, name="refund-decide"),
    path("channels/", channels.channels, name="channels"),
    path("callbacks/", callback_pages.callbacks, name="callbacks"),
    path("callbacks/events/<str:event>/", callback_pages.event, name="event"),
    path("callbacks/sent/<int:callback>/again/", callback_pages.resend, name="resend"),
    path("callbacks/endpoints/", endpoint_pages.endpoints, name="endpoints"),
    path("callbacks/endpoints/new/", endpoint_pages.new_endpoint, name="endpoint-new"),
    path("callbacks/secret/", endpoint_pages.rotate_default, name="default-secret"),
    path("callbacks/endpoints/<str:endpoint>/", endpoint_pages.endpoint, name="endpoint"),
    path(
        "callbacks/endpoints/<str:endpoint>/edit/",
        endpoint_pages.edit_endpoint,
        name="endpoint-edit",
    ),
    path(
        "callbacks/endpoints/<str:endpoint>/secret/", endpoint_pages.rotate, name="endpoint-rotate"
    ),
    path(
        "callbacks/endpoints/<str:endpoint>/switch/", endpoint_pages.switch, name="endpoint-switch"
    ),
    path("callbacks/endpoints/<str:endpoint>/test/", endpoint_pages.test, name="endpoint-test"),
    path(
        "callbacks/endpoints/<str:endpoint>/again/",
        callback_pages.resend_range,
        name="endpoint-resend",
    ),
]
