"""The faces that these stories use, at the addresses that they have on the platform."""

from django.urls import include, path

from payments.api.docs import api_docs

urlpatterns = [
    path("api/v1/", include("payments.api.urls")),
    path("api/docs/", api_docs),
    path("i18n/", include("django.conf.urls.i18n")),
    path("notify/", include("payments.inbound.urls")),
    path("pay/", include("payments.checkout.urls")),
    path("sandbox/", include("payments.channels.sandbox.urls")),
]
