"""Addresses of the compliance desk."""

from django.urls import path

from compliance.desk import export, files, reports, retention, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("audit/", views.entries, name="entries"),
    path("files/", files.files, name="files"),
    path("files/<str:file>/view/", files.view, name="file"),
    path("retention/", retention.retention, name="retention"),
    path("retention/<str:erasure>/", retention.certificate, name="certificate"),
    path("reports/", reports.reports, name="reports"),
    path("reports/<str:number>/", reports.report, name="report"),
    path("reports/<str:number>/file/", reports.download, name="report-file"),
    path("reports/<str:number>/<str:deed>/", reports.act, name="report-act"),
    path("audit/export/", export.export, name="export"),
    path("audit/proof/", export.proof, name="proof"),
]
