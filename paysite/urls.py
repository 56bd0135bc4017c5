"""Every address of the platform, by face."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from compliance.desk.verify import verify
from payments.api.docs import api_docs
from paysite.health import healthz, readyz

urlpatterns = [
    # Addresses are tried in this order: first those that programs call thousands of times.
    path("api/v1/", include("payments.api.urls")),
    path("notify/", include("payments.inbound.urls")),
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("", include("compliance.identity.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("pay/", include("payments.checkout.urls")),
    path("portal/", include("merchants.portal.urls")),
    path("portal/", include("payments.portal.urls")),
    path("compliance/", include("compliance.desk.urls")),
    path("verify/<str:number>/", verify, name="verify"),
    path("admin/", admin.site.urls),
    path("api/docs/", api_docs, name="api-docs"),
    path("help/", include("merchants.help.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
]
if settings.DEMO:
    urlpatterns.append(path("sandbox/", include("payments.channels.sandbox.urls")))

handler403 = "compliance.identity.failures.refused"
handler500 = "paysite.requests.broken"
