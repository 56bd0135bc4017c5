"""Django's admin behind our sign-in and second factor."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from compliance.identity.signin import is_verified, to_signin


class PlatformAdminSite(AdminSite):
    """The staff's admin. Only who is staff, active and verified by a second factor gets in."""

    site_header = _("Paysite administration")
    site_title = _("Paysite")
    index_title = _("Administration")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may see any page of the admin."""
        return super().has_permission(request) and request.user.is_staff and is_verified(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send to our own sign-in: the admin has no password form of its own."""
        return to_signin(request)
