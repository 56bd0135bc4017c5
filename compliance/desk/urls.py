"""Addresses of the compliance desk."""

from django.urls import path

from compliance.desk import export, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("audit/", views.entries, name="entries"),
    path("audit/export/", export.export, name="export"),
]
