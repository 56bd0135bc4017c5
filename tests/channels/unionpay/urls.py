"""The sandbox where the product mounts it, and nothing else."""

from django.urls import include, path

urlpatterns = [path("sandbox/", include("payments.channels.sandbox.urls"))]
