"""The queue of tickets in the admin: what waits for the staff first, and each talk."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Q, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of
from compliance.identity.story_page import StoryAdmin, reader_of
from merchants.errors import MerchantRefusal
from merchants.help.forms import MessageForm
from merchants.support.answering import answer, note_internally, prioritise
from merchants.support.ending import close, reopen, resolve
from merchants.support.models import TEXT_MAX, Ticket
from merchants.support.queries import due_at, masked_contact, overdue, talk_of
from merchants.support.sides import Side, side_of_staff, staff_reader
from merchants.support.states import (
    ONGOING,
    STAFF_TURN,
    Priority,
    TicketState,
)
from merchants.support.words import refusal_told

TONES: Final = {
    TicketState.OPEN: "warn", TicketState.WAITING_FOR_STAFF: "warn",
    TicketState.WAITING_FOR_ASKER: "info", TicketState.RESOLVED: "ok",
    TicketState.CLOSED: "neutral",
}  # fmt: skip
WRITING: Final[Mapping[str, Callable[..., Any]]] = {"answer": answer, "note": note_internally}
MOVING: Final[Mapping[str, Callable[..., Any]]] = {
    "resolve": resolve, "reopen": reopen, "close": close,
}  # fmt: skip
_WAITED_FOR: Final = Case(
    When(~Q(state__in=STAFF_TURN), then=None),
    When(first_answered_at__isnull=True, then="first_answer_due_at"),
    default="resolution_due_at",
)
QUEUE: Final = (_WAITED_FOR.asc(nulls_last=True), "-pk")
"""What waits for the staff first, the earliest due on top; then the newest."""


class ShowFilter(admin.SimpleListFilter):
    """Whose move it is."""

    title = pgettext_lazy("ticket", "show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Besides all."""
        return [
            ("ours", gettext_lazy("Waiting for us")),
            ("late", gettext_lazy("Overdue")),
            ("theirs", gettext_lazy("Waiting for the asker")),
            ("over", gettext_lazy("Over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        match self.value():
            case "ours":
                return queryset.filter(state__in=STAFF_TURN)
            case "late":
                return queryset.filter(overdue(timezone.now()))
            case "theirs":
                return queryset.filter(state=TicketState.WAITING_FOR_ASKER)
            case "over":
                return queryset.exclude(state__in=ONGOING)
            case _:
                return queryset


@admin.register(Ticket)
class TicketAdmin(StoryAdmin):
    """Tickets: those that wait for the staff first, and among them what is due first."""

    list_display = ["about", "asker", "status", "age", "due"]
    list_filter = [ShowFilter, "kind"]
    list_select_related = ["merchant"]
    search_fields = ["public_id__exact", "payment__exact", "merchant__public_id__exact"]
    search_help_text = gettext_lazy("An exact number: ticket, payment or merchant")
    ordering = QUEUE
    actions = None
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    fields = [
        "public_id", "subject", "asker", "contact", "payment", "status", "created_at",
        "first_answer_due_at", "first_answered_at", "resolution_due_at", "resolved_at",
        "closed_at",
    ]  # fmt: skip
    readonly_fields = ["asker", "contact", "status"]

    class Media:
        """The sheet of pages that tell a story."""

        css = {"all": ["css/admin-payments.css", "css/tickets.css"]}

    @admin.display(description=pgettext_lazy("ticket", "subject"))
    def about(self, ticket: Ticket) -> SafeString:
        """The subject with the number below it."""
        return format_html(
            '<span class="ticket-subject">{}</span><br><small class="mono">{}</small>',
            ticket.subject, ticket.public_id,
        )  # fmt: skip

    @admin.display(description=pgettext_lazy("ticket", "asked by"))
    def asker(self, ticket: Ticket) -> str:
        """The merchant, or that it is a customer."""
        return str(ticket.merchant) if ticket.merchant else str(ticket.get_kind_display())

    @admin.display(description=gettext_lazy("e-mail address"))
    def contact(self, ticket: Ticket) -> str:
        """A customer's, masked: letters go there without anybody's seeing it."""
        return masked_contact(ticket) or "–"

    @admin.display(description=gettext_lazy("state"))
    def status(self, ticket: Ticket) -> SafeString:
        """The state, coloured, and a high priority beside it."""
        tone, told = TONES[TicketState(ticket.state)], ticket.get_state_display()
        if ticket.priority == Priority.NORMAL:
            return format_html('<span class="badge {}">{}</span>', tone, told)
        return format_html(
            '<span class="badge {}">{}</span> <span class="badge bad">{}</span>',
            tone, told, _("Priority: %(priority)s") % {"priority": ticket.get_priority_display()},
        )  # fmt: skip

    @admin.display(description=gettext_lazy("age"))
    def age(self, ticket: Ticket) -> str:
        """How long ago it was opened."""
        return timesince(ticket.created_at, depth=1)

    @admin.display(description=gettext_lazy("due"))
    def due(self, ticket: Ticket) -> SafeString | str:
        """When the staff must have done something; overdue stands out."""
        at = due_at(ticket)
        if at is None:
            return "–"
        told = timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
        if at < timezone.now():
            return format_html('<span class="badge bad">{}</span> {}', _("Overdue"), told)
        return told

    def get_urls(self) -> list[URLPattern]:
        """Deeds about one ticket."""
        view = self.admin_site.admin_view
        return [
            path("<int:row>/act/", view(require_POST(self.act)), name="merchants_ticket_act"),
            *super().get_urls(),
        ]

    def story_of(self, request: HttpRequest, row: Ticket) -> dict[str, Any]:
        """The ticket with its talk, notes of the staff among it."""
        if not self.has_view_permission(request, row):
            raise Http404
        return {
            "talk": talk_of(staff_reader(), row.public_id),
            "may_answer": may(reader_of(request), Ability.TICKETS_ANSWER),
            "priorities": [one for one in Priority if one != row.priority],
            "text_max": TEXT_MAX,
        }

    def act(self, request: HttpRequest, row: int) -> HttpResponse:
        """Do one deed about one ticket, and say what came of it."""
        try:
            side = side_of_staff(reader_of(request))
        except MerchantRefusal:
            raise PermissionDenied from None
        ticket = self.get_queryset(request).filter(pk=row).first()
        if ticket is None:
            raise Http404
        try:
            if error := _do(request, side, ticket.public_id, at=timezone.now()):
                messages.error(request, error)
        except MerchantRefusal as refusal:
            messages.error(request, refusal_told(refusal))
        return redirect(reverse("admin:merchants_ticket_change", args=[row]))


def _do(request: HttpRequest, side: Side, ticket: str, *, at: datetime) -> str:
    """Why not, or ""."""
    deed = request.POST.get("deed", "")
    who: dict[str, Any] = {"side": side, "ticket": ticket, "actor": actor_of(request), "at": at}
    if deed in MOVING:
        MOVING[deed](**who)
    elif deed == "prioritise" and request.POST.get("priority") in Priority.values:
        prioritise(priority=Priority(request.POST["priority"]), **who)
    elif deed in WRITING:
        form = MessageForm(request.POST)
        if not form.is_valid():
            return str(next(iter(form.errors.values()))[0])
        WRITING[deed](text=form.cleaned_data["text"], **who)
    else:
        raise Http404
    return ""
