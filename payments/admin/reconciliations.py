"""A page for each channel and day: what we say, what the gateway says, and what is between."""

from datetime import date
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.downloads import pieces_answer
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.showing import badge_tag
from compliance.identity.signin import actor_of, person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.protection.vault.files import FileClosed
from compliance.protection.vault.received import hand_out
from payments.admin import columns, tones
from payments.admin.readonly import ReadOnlyAdmin
from payments.money import Money
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Bill, ReconciliationRun
from payments.reconciliation.queries import classes_of, sides_of, with_waiting
from payments.reconciliation.run import ask_again
from payments.reconciliation.words import refusal_told

REASON_MAX: Final = 500
READERS: Final = (Ability.BOOKS_REQUEST, Ability.BOOKS_APPROVE, Ability.EVIDENCE_VIEW)
"""Who may have the bill itself, which names payers by halves."""


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin):
    """The days, the newest first; found by number or by day."""

    list_display = ("the_day", "channel", "status", "ours", "theirs", "matched", "open_now")
    list_filter = ("state", "channel")
    search_fields = ("public_id",)
    search_help_text = gettext_lazy("An exact number, or a day: 2026-11-20")
    public_field = "public_id"

    status = columns.badge("state", pgettext_lazy("run", "state"), tones.RUN)

    @admin.display(description=gettext_lazy("day"))
    def the_day(self, run: ReconciliationRun) -> SafeString:
        """The gateway's day, as machines write it: such days do not all begin at midnight."""
        return format_html('<span class="nowrap">{}</span>', run.day.isoformat())

    @admin.display(description=gettext_lazy("ours"))
    def ours(self, run: ReconciliationRun) -> SafeString:
        """Payments less refunds."""
        return columns.money_tag(
            Money(run.ours_payments_minor - run.ours_refunds_minor, run.currency)
        )

    @admin.display(description=gettext_lazy("theirs"))
    def theirs(self, run: ReconciliationRun) -> SafeString:
        """Payments less refunds."""
        return columns.money_tag(
            Money(run.theirs_payments_minor - run.theirs_refunds_minor, run.currency)
        )

    @admin.display(description=gettext_lazy("open differences"))
    def open_now(self, run: Any) -> SafeString:
        """How many still wait."""
        return badge_tag(str(run.waiting), "warn" if run.waiting else "ok")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists show the channel and what waits."""
        rows: QuerySet[ReconciliationRun] = super().get_queryset(request)
        return with_waiting(rows.select_related("channel"))

    def search_lookups(self, number: str) -> list[dict[str, Any]]:
        """A day, or a number."""
        try:
            return [{"day": date.fromisoformat(number)}]
        except ValueError:
            return [{"public_id": number}]

    def get_urls(self) -> list[URLPattern]:
        """The bill itself, and asking for it once more."""
        view = self.admin_site.admin_view
        return [
            path("bills/<str:bill>/", view(require_POST(self.download)),
                 name="payments_bill_download"),
            path("<int:row>/again/", view(require_POST(self.again)), name="payments_bill_again"),
            *super().get_urls(),
        ]  # fmt: skip

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """The totals, the classes, and the bills."""
        if isinstance(obj, ReconciliationRun):
            queue = reverse("admin:payments_difference_changelist")
            context |= {
                "sides": sides_of(obj),
                "classes": classes_of(obj),
                "fees": Money(obj.theirs_fees_minor, obj.currency),
                "fees_booked": Money(obj.fees_booked_minor, obj.currency),
                "bills": obj.bills.select_related("file").order_by("-pk"),
                "tone": tones.RUN.get(obj.state, "neutral"),
                "queue": f"{queue}?run__id__exact={obj.pk}&show=all",
                "may_read": _may_read(_person(request)),
                "may_ask": may(_person(request), Ability.BOOKS_REQUEST),
                "reason_max": REASON_MAX,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def again(self, request: HttpRequest, row: int) -> HttpResponse:
        """Have the bill fetched once more."""
        if not may(_person(request), Ability.BOOKS_REQUEST):
            raise PermissionDenied
        run = get_object_or_404(ReconciliationRun, pk=row)
        try:
            ask_again(run=run.pk, actor=actor_of(request), at=timezone.now())
        except ReconciliationRefused as refusal:
            messages.error(request, refusal_told(refusal))
        else:
            messages.success(request, _("The bill will be fetched within a minute."))
        return redirect("admin:payments_reconciliationrun_change", run.pk)

    def download(self, request: HttpRequest, bill: str) -> HttpResponse | StreamingHttpResponse:
        """The bill as it came, for a reason, after the second factor."""
        person = _person(request)
        if not _may_read(person):
            raise PermissionDenied
        row = get_object_or_404(Bill.objects.select_related("file", "run"), public_id=bill)
        page = reverse("admin:payments_reconciliationrun_change", args=[row.run_id])
        reason = request.POST.get("reason", "").strip()[:REASON_MAX]
        if not reason:
            messages.error(request, _("Write down why you need the file."))
            return redirect(page)
        wish = Deed(
            purpose="bill.download", title=_("Download a gateway's bill"),
            facts=(
                Fact("bill", _("Bill"), row.public_id, f"{row.run} · {row.file.name}"),
                Fact("reason", _("Reason"), reason),
            ),
        )  # fmt: skip
        if answer := requires_step_up(request, wish, back=page):
            return answer
        try:
            pieces = hand_out(row.file, reason=reason, actor=actor_of(request), at=timezone.now())
        except FileClosed:
            raise Http404 from None
        return pieces_answer(pieces, name=row.file.name, media_type=row.file.media_type)


def _may_read(person: User) -> bool:
    return any(may(person, ability) for ability in READERS)


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
