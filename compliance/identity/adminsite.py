"""Django's admin behind our sign-in and second factor."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from compliance.identity.signin import is_verified, let_out, safe_next, signin_address

LENT_TO_DJANGO = (
    gettext_noop(":"),
    gettext_noop("Add link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
    gettext_noop("Change or view list link"),
    gettext_noop("Error:"),
    gettext_noop("Log out"),
    gettext_noop("Model name"),
    gettext_noop("Select %s to view"),
    gettext_noop("View %s"),
)
"""Django's own words on these pages that its Chinese lacks, or has otherwise than we do."""


class PlatformAdminSite(AdminSite):
    """The staff's admin. Only who is staff, active and verified by a second factor gets in."""

    site_header = _("Paysite administration")
    site_title = _("Paysite")
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may see any page of the admin."""
        return super().has_permission(request) and is_verified(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send to our own sign-in: the admin has no password form of its own."""
        page = safe_next(request.GET.get("next", "")) or reverse("admin:index")
        if self.has_permission(request):
            return redirect(page)
        if is_verified(request):
            raise PermissionDenied
        return redirect(signin_address(page))

    def password_change(  # type: ignore[override]  # a redirect, as everywhere else
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """One's own password is changed where everybody's is."""
        return redirect("identity:password")

    def logout(  # type: ignore[override]  # a redirect, as everywhere else
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """End the session like everywhere else."""
        let_out(request)
        return redirect("identity:signin")
