"""WeChat Pay's addresses at the root, where a client expects them that knows no base path."""

from django.urls import include, path

from payments.channels.sandbox.wechatpay import SPEAKER

urlpatterns = [
    path("", include(list(SPEAKER.urlpatterns))),
    path("sandbox/", include("payments.channels.sandbox.urls")),
]
