"""The queue of differences: whose they are, how old, and what becomes of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.showing import EMPTY, badge_tag
from compliance.identity.signin import actor_of, person_of
from payments.admin import columns, tones
from payments.admin.books import journal_tables
from payments.admin.readonly import ReadOnlyAdmin
from payments.ledger.models import Journal
from payments.money import Money
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Difference
from payments.reconciliation.queries import colleague, colleagues
from payments.reconciliation.resolving import (
    CLAIM_MAX,
    NEEDS_CLAIM,
    RESOLVE,
    assign,
    request_resolution,
    suited,
    take,
)
from payments.reconciliation.states import DifferenceState, Ending
from payments.reconciliation.words import refusal_told

REASON_MAX: Final = 1000
AGES: Final[Mapping[str, int]] = {"1": 1, "3": 3, "7": 7, "30": 30}


class ShowFilter(admin.SimpleListFilter):
    """What waits for a person, unless asked otherwise."""

    title = pgettext_lazy("request", "show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The first one is shown to whoever says nothing."""
        return [
            ("open", pgettext_lazy("differences", "Open")),
            ("mine", gettext_lazy("Open and mine")),
            ("nobody", gettext_lazy("Open and nobody's")),
            ("over", pgettext_lazy("differences", "Over")),
            ("all", pgettext_lazy("differences", "All")),
        ]

    def choices(self, changelist: Any) -> Any:
        """Without Django's own choice of everything."""
        chosen = self.value() or "open"
        for name, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: name})
            yield {"selected": chosen == name, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        waiting = queryset.filter(state=DifferenceState.OPEN)
        match self.value():
            case "mine":
                return waiting.filter(owner=_person(request))
            case "nobody":
                return waiting.filter(owner=None)
            case "over":
                return queryset.exclude(state=DifferenceState.OPEN)
            case "all":
                return queryset
            case _:
                return waiting


class AgeFilter(admin.SimpleListFilter):
    """How long ago it was found."""

    title = gettext_lazy("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """More than so many days."""
        return [
            (name, ngettext("Older than %(days)d day", "Older than %(days)d days", days)
             % {"days": days})
            for name, days in AGES.items()
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Compare with now."""
        days = AGES.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(found_at__lt=timezone.now() - timedelta(days=days))


class OwnerFilter(admin.SimpleListFilter):
    """Whose it is."""

    title = gettext_lazy("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """People who may own differences."""
        return [(str(one.pk), one.display_name or one.username) for one in colleagues()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Nothing for a value that nobody offered."""
        key = self.value() or ""
        if not key:
            return queryset
        return queryset.filter(owner=colleague(key) or 0)


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """Taken, handed on and resolved on the difference's own page."""

    list_display = (
        "what", "about", "where", "ours", "theirs", "status", "whose", "age",
    )  # fmt: skip
    list_filter = (ShowFilter, "found", "subject", "run__channel", AgeFilter, OwnerFilter)
    list_select_related = ("run__channel", "owner")
    search_fields = ("number",)
    search_help_text = gettext_lazy("An exact number: ours, as the gateway knows it")
    time_field = "found_at"

    status = columns.badge("state", pgettext_lazy("difference", "state"), tones.DIFFERENCE)

    @admin.display(description=gettext_lazy("class"))
    def what(self, row: Difference) -> SafeString:
        """The class."""
        tone = tones.FOUND.get(row.found, "bad")
        return badge_tag(row.get_found_display(), tone)

    @admin.display(description=gettext_lazy("about"))
    def about(self, row: Difference) -> SafeString:
        """What it is, and its number."""
        return format_html(
            '{}<br><span class="mono order">{}</span>',
            row.get_subject_display(),
            row.number or row.gateway_number or row.key,
        )

    @admin.display(description=gettext_lazy("channel and day"))
    def where(self, row: Difference) -> SafeString:
        """Which run found it."""
        return format_html(
            '{}<br><span class="nowrap">{}</span>', row.run.channel.code, row.run.day.isoformat()
        )

    @admin.display(description=gettext_lazy("ours"))
    def ours(self, row: Difference) -> SafeString | str:
        """The amount, and the fee where that is what differs."""
        return _shown(row.ours_minor, row.ours_fee_minor, row)

    @admin.display(description=gettext_lazy("theirs"))
    def theirs(self, row: Difference) -> SafeString | str:
        """The same of the other side."""
        return _shown(row.theirs_minor, row.theirs_fee_minor, row)

    @admin.display(description=gettext_lazy("owner"))
    def whose(self, row: Difference) -> str:
        """Who works on it."""
        return (row.owner.display_name or row.owner.username) if row.owner else EMPTY

    @admin.display(description=gettext_lazy("age"))
    def age(self, row: Difference) -> str:
        """Days until it was over, or until now."""
        days = ((row.ended_at or timezone.now()) - row.found_at).days
        return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pages show the channel and the owner."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("run__channel", "owner")

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """A day's page links to its own differences."""
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        """What one does about a difference."""
        view = self.admin_site.admin_view
        return [
            path("<int:row>/take/", view(require_POST(self.take)), name="payments_difference_take"),
            path("<int:row>/assign/", view(require_POST(self.assign)),
                 name="payments_difference_assign"),
            path("<int:row>/resolve/", view(require_POST(self.resolve)),
                 name="payments_difference_resolve"),
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
        """Both sides, and what the reader may do."""
        if isinstance(obj, Difference):
            may_work = may(_person(request), Ability.BOOKS_REQUEST)
            is_open = obj.state == DifferenceState.OPEN
            context |= {
                "what": obj.get_found_display(),
                "tone": tones.DIFFERENCE.get(obj.state, "neutral"),
                "ours": _money(obj.ours_minor, obj), "theirs": _money(obj.theirs_minor, obj),
                "ours_fee": _money(obj.ours_fee_minor, obj),
                "theirs_fee": _money(obj.theirs_fee_minor, obj),
                "endings": [(one.value, one.label) for one in suited(obj)]
                if is_open and may_work else [],
                "may_work": may_work and is_open,
                "needs_claim": [one.label for one in Ending if one in NEEDS_CLAIM],
                "colleagues": colleagues(),
                "waiting": _waiting(obj), "journals": journal_tables(_journals(obj)),
                "reason_max": REASON_MAX, "claim_max": CLAIM_MAX,
            }  # fmt: skip
        return super().render_change_form(request, context, add, change, form_url, obj)

    def take(self, request: HttpRequest, row: int) -> HttpResponse:
        """Make it the reader's own."""
        person = self._worker(request, row)
        try:
            take(difference=row, person=person, actor=actor_of(request), at=timezone.now())
        except ReconciliationRefused as refusal:
            messages.error(request, refusal_told(refusal))
        else:
            messages.success(request, _("It is yours now."))
        return redirect("admin:payments_difference_change", row)

    def assign(self, request: HttpRequest, row: int) -> HttpResponse:
        """Give it to a colleague."""
        self._worker(request, row)
        to = colleague(request.POST.get("to", ""))
        if to is None:
            raise Http404
        try:
            assign(difference=row, to=to, actor=actor_of(request), at=timezone.now())
        except ReconciliationRefused as refusal:
            messages.error(request, refusal_told(refusal))
        else:
            name = to.display_name or to.username
            messages.success(request, _("It is %(name)s's now.") % {"name": name})
        return redirect("admin:payments_difference_change", row)

    def resolve(self, request: HttpRequest, row: int) -> HttpResponse:
        """Ask that it is ended; somebody else must agree."""
        person = self._worker(request, row)
        try:
            ending = Ending(request.POST.get("ending", ""))
        except ValueError:
            raise Http404 from None
        try:
            request_resolution(
                difference=row, ending=ending, reason=request.POST.get("reason", "")[:REASON_MAX],
                claim=request.POST.get("claim", ""), maker=person, actor=actor_of(request),
                at=timezone.now(),
            )  # fmt: skip
        except ReconciliationRefused as refusal:
            messages.error(request, refusal_told(refusal))
        except ApprovalRefused as refusal:
            messages.error(request, refusal.told)
        else:
            messages.success(request, _("You asked for it. Somebody else must agree."))
        return redirect("admin:payments_difference_change", row)

    def _worker(self, request: HttpRequest, row: int) -> User:
        person = _person(request)
        if not may(person, Ability.BOOKS_REQUEST):
            raise PermissionDenied
        get_object_or_404(self.get_queryset(request), pk=row)
        return person


def _shown(minor: int | None, fee: int | None, row: Difference) -> SafeString | str:
    if minor is None:
        return EMPTY
    amount = columns.money_tag(Money(minor, row.currency))
    if row.found != "fee" or fee is None:
        return amount
    label = _("fee")
    return format_html("{}<br>{} {}", amount, label, columns.money_tag(Money(fee, row.currency)))


def _money(minor: int | None, row: Difference) -> Money | None:
    return None if minor is None else Money(minor, row.currency)


def _waiting(row: Difference) -> Approval | None:
    return Approval.objects.filter(
        kind=RESOLVE, subject_kind="difference", subject_id=str(row.pk),
        state=ApprovalState.PENDING,
    ).first()  # fmt: skip


def _journals(row: Difference) -> list[Journal]:
    subjects = [f"dif_{row.pk}:{count}" for count in range(1, row.journals + 1)]
    found = Journal.objects.filter(subject__in=subjects).order_by("pk")
    return list(found.prefetch_related("postings__account"))


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
