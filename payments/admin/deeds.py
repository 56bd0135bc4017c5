"""Pages to read with one deed on them, for operators, for a reason."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.approvals.request import REASON_MAX
from compliance.audit.actor import Actor
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from payments.admin.columns import Text
from payments.admin.readonly import ReadOnlyAdmin
from payments.errors import Refusal


class DeedAdmin(ReadOnlyAdmin):
    """A row to read, and one thing that an operator may do about it."""

    change_form_template = "admin/payments/deed_form.html"
    deed: ClassVar[str]
    """Of the address: `admin:payments_<model>_<deed>`."""
    deed_label: ClassVar[Text]
    deed_done: ClassVar[Text]

    def is_open(self, row: Any) -> bool:
        """Whether the deed makes sense for this row."""
        raise NotImplementedError

    def do(self, row: Any, *, reason: str, actor: Actor) -> None:
        """Do it. May raise a Refusal."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        """The deed beside the pages."""
        view = self.admin_site.admin_view(require_POST(self.act))
        name = f"{self.opts.app_label}_{self.opts.model_name}_{self.deed}"
        return [path(f"<int:row>/{self.deed}/", view, name=name), *super().get_urls()]

    def act(self, request: HttpRequest, row: int) -> HttpResponse:
        """Do the deed, and go back to the page."""
        person = person_of(request)
        if person is None or not may(person, Ability.MERCHANTS_REQUEST):
            raise PermissionDenied
        found = self.get_queryset(request).filter(pk=row).first()
        if found is None:
            raise Http404
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row])
        reason = request.POST.get("reason", "").strip()[:REASON_MAX]
        if not reason:
            messages.error(request, _("Write down why."))
            return redirect(page)
        try:
            self.do(found, reason=reason, actor=actor_of(request))
        except Refusal as refusal:
            told = _("This cannot be done now.")
            messages.error(request, f"{told} ({refusal.code})")
        else:
            messages.success(request, self.deed_done)
        return redirect(page)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """Offer the deed to who may."""
        person = person_of(request)
        if obj is not None and person is not None and may(person, Ability.MERCHANTS_REQUEST):
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{self.deed}"
            context |= {
                "deed_address": reverse(name, args=[obj.pk]) if self.is_open(obj) else "",
                "deed_label": self.deed_label,
                "reason_max": REASON_MAX,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)
