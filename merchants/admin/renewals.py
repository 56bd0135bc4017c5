"""Renewed papers in the admin: what waits, a look at the paper, and yes or no."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of
from compliance.identity.story_page import StoryAdmin, reader_of
from merchants.admin.papers import paper_answer
from merchants.errors import MerchantRefusal
from merchants.onboarding.words import TITLES, refusal_told
from merchants.terms.models import Renewal
from merchants.terms.renewing import accept_renewal, refuse_renewal
from merchants.terms.states import RenewalState

REASON_MAX = 1000


@admin.register(Renewal)
class RenewalAdmin(StoryAdmin):
    """Renewals, those that wait first."""

    list_display = ["public_id", "merchant", "paper", "answer", "last_day", "state", "asked_at"]
    list_filter = ["state"]
    list_select_related = ["term__merchant"]
    search_fields = ["public_id__exact"]
    ordering = ["-state", "asked_at"]
    actions = None
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    fields = [
        "public_id", "term", "last_day", "state", "asked_by", "asked_at",
        "decided_by", "decided_at", "reason",
    ]  # fmt: skip

    class Media:
        """The sheets of pages that tell a story, and of reviews."""

        css = {"all": ["css/admin-payments.css", "css/admin-review.css"]}

    @admin.display(description=gettext_lazy("merchant"))
    def merchant(self, renewal: Renewal) -> str:
        """Whose."""
        return str(renewal.term.merchant)

    @admin.display(description=gettext_lazy("paper"))
    def paper(self, renewal: Renewal) -> str:
        """Which."""
        return renewal.term.get_kind_display()

    @admin.display(description=pgettext_lazy("renewal", "answer"))
    def answer(self, renewal: Renewal) -> str:
        """What was said of how many sections, where data are confirmed; never the words."""
        if renewal.statement_sealed is None:
            return "–"
        if not renewal.changed:
            return _("all unchanged")
        return ngettext(
            "%(count)d section has changed", "%(count)d sections have changed",
            len(renewal.changed),
        ) % {"count": len(renewal.changed)}  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """Deciding, and the paper."""
        view = self.admin_site.admin_view
        return [
            path("<int:row>/decide/", view(require_POST(self.decide)),
                 name="merchants_renewal_decide"),
            path("<int:row>/paper/", view(self.look), name="merchants_renewal_paper"),
            *super().get_urls(),
        ]  # fmt: skip

    def story_of(self, request: HttpRequest, row: Renewal) -> dict[str, Any]:
        """The renewal with its paper."""
        can_review = may(reader_of(request), Ability.MERCHANTS_REQUEST)
        return {
            "may_decide": can_review and row.state == RenewalState.WAITING,
            "may_look": can_review,
            "told": [(TITLES.get(name, name), text) for name, text in row.statement.items()]
            if can_review
            else [],
            "application": row.term.merchant.applications.order_by("-pk").first(),
            "reason_max": REASON_MAX,
        }

    def decide(self, request: HttpRequest, row: int) -> HttpResponse:
        """Accept or refuse."""
        renewal = self._found(request, row)
        common: dict[str, Any] = {
            "renewal": renewal.public_id, "by": reader_of(request), "actor": actor_of(request),
            "at": timezone.now(),
        }  # fmt: skip
        try:
            if request.POST.get("deed") == "accept":
                accept_renewal(**common)
                messages.success(request, _("The new paper counts from now on."))
            else:
                reason = request.POST.get("reason", "")[:REASON_MAX]
                refuse_renewal(reason=reason, **common)
                messages.success(request, _("The new paper is refused."))
        except MerchantRefusal as refusal:
            messages.error(request, refusal_told(refusal))
        return redirect(reverse("admin:merchants_renewal_change", args=[row]))

    def look(self, request: HttpRequest, row: int) -> HttpResponse:
        """The paper itself; the look is recorded."""
        if not may(reader_of(request), Ability.MERCHANTS_REQUEST):
            raise PermissionDenied
        renewal = self._found(request, row)
        if renewal.file is None:
            raise Http404
        return paper_answer(request, renewal.file, reason=f"renewal {renewal.public_id}")

    def _found(self, request: HttpRequest, row: int) -> Renewal:
        renewal = self.get_queryset(request).filter(pk=row).first()
        if renewal is None or not self.has_view_permission(request, renewal):
            raise Http404
        found: Renewal = renewal
        return found
