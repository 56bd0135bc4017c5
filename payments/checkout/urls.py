"""Addresses of the hosted checkout, under /pay/."""

from django.urls import path

from payments.checkout import views

app_name = "checkout"
urlpatterns = [
    path("<str:token>/", views.pay, name="pay"),
    path("<str:token>/status", views.status, name="status"),
    path("<str:token>/return", views.come_back, name="return"),
]
