"""Addresses of the compliance desk."""

from django.urls import path

from compliance.desk import export, files, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("audit/", views.entries, name="entries"),
    path("files/", files.files, name="files"),
    path("files/<str:file>/view/", files.view, name="file"),
    path("audit/export/", export.export, name="export"),
    path("audit/proof/", export.proof, name="proof"),
]
