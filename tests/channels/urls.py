"""Only the sandbox, so that channel tests need nothing else of the platform."""

from django.urls import include, path

urlpatterns = [path("sandbox/", include("payments.channels.sandbox.urls"))]
