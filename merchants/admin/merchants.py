"""Merchants in the admin: their people and keys to read, and what the staff may do about one."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.approvals.errors import ApprovalRefused
from compliance.identity.readonly import ReadOnly
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.story_page import StoryAdmin, reader_of
from merchants.accounts.conduct import ask_to_close, ask_to_resume
from merchants.accounts.models import ApiKey, Member, Merchant
from merchants.accounts.register import suspend_merchant
from merchants.accounts.states import APPROVED, MerchantStatus, Suspension
from merchants.errors import MerchantRefusal
from merchants.terms.models import Term
from merchants.words import refusal_text

REASON_MAX: Final = 1000
DEEDS: Final = frozenset({"suspend", "resume", "close"})


class MemberInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's people."""

    model = Member
    extra = 0


class TermInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Until when its papers are good."""

    model = Term
    extra = 0
    fields = ["kind", "last_day", "begun_at", "replaced_at"]


class ApiKeyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The merchant's keys."""

    model = ApiKey
    extra = 0
    fields = [
        "prefix", "label", "livemode", "scopes", "created_at", "last_used_at", "last_used_from",
        "ends_at", "revoked_at", "revoked_for",
    ]  # fmt: skip


@admin.register(Merchant)
class MerchantAdmin(StoryAdmin):
    """Merchants with their people, papers and keys."""

    list_display = ["name", "public_id", "status", "risk", "may_live", "created_at"]
    list_filter = ["status", "risk", "may_live"]
    search_fields = ["name", "public_id__exact"]
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    fields = [
        "public_id", "name", "short_name", "status", "suspended_at", "suspended_for", "may_live",
        "risk", "created_at", "closed_at",
    ]  # fmt: skip
    inlines = [MemberInline, TermInline, ApiKeyInline]

    class Media:
        """The sheet of pages that tell a story."""

        css = {"all": ["css/admin-payments.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Suspending, and asking for the rest."""
        view = self.admin_site.admin_view(require_POST(self.conduct))
        return [
            path("<int:row>/conduct/", view, name="merchants_merchant_conduct"),
            *super().get_urls(),
        ]

    def story_of(self, request: HttpRequest, row: Merchant) -> dict[str, Any]:
        """The merchant, with what the reader may do about it."""
        return {
            "deeds": _deeds(row) if may(reader_of(request), Ability.MERCHANTS_REQUEST) else (),
            "reason_max": REASON_MAX,
        }

    def conduct(self, request: HttpRequest, row: int) -> HttpResponse:
        """Suspend at once, or ask a second person for the rest."""
        person = reader_of(request)
        if not may(person, Ability.MERCHANTS_REQUEST):
            raise PermissionDenied
        merchant = self.get_queryset(request).filter(pk=row).first()
        deed, reason = request.POST.get("deed", ""), request.POST.get("reason", "")[:REASON_MAX]
        if merchant is None or deed not in DEEDS:
            raise Http404
        page = reverse("admin:merchants_merchant_change", args=[row])
        if not reason.strip():
            messages.error(request, _("Write down why."))
            return redirect(page)
        if answer := requires_step_up(request, _wish(merchant, deed, reason), back=page):
            return answer
        common: dict[str, Any] = {
            "reason": reason, "actor": actor_of(request), "at": timezone.now(),
        }  # fmt: skip
        try:
            if deed == "suspend":
                suspend_merchant(merchant_id=merchant.pk, **common)
                messages.success(request, _("The merchant is suspended."))
            else:
                ask = ask_to_resume if deed == "resume" else ask_to_close
                asked = ask(merchant=merchant, by=person, **common)
                told = _("Request %(number)s waits for a second person.")
                messages.success(request, told % {"number": asked.public_id})
        except ApprovalRefused as refusal:
            messages.error(request, refusal.told)
        except MerchantRefusal as refusal:
            messages.error(request, refusal_text(refusal))
        return redirect(page)


def _deeds(merchant: Merchant) -> list[tuple[str, str]]:
    """What can be done about it as it stands."""
    if merchant.status not in APPROVED or merchant.status == MerchantStatus.CLOSED:
        return []
    is_ours = merchant.suspended_for == Suspension.STAFF
    first = ("resume", _("Ask to let it work again")) if is_ours else ("suspend", _("Suspend"))
    return [first, ("close", _("Ask to end the business"))]


def _wish(merchant: Merchant, deed: str, reason: str) -> Deed:
    titles = dict(_deeds(merchant))
    return Deed(
        purpose=f"merchant.{deed}",
        title=str(titles.get(deed, deed)),
        facts=(
            Fact("merchant", _("Merchant"), merchant.public_id, shown=merchant.name),
            Fact("reason", _("Reason"), reason),
        ),
    )
