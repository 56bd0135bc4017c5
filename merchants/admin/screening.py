"""Screening in the admin: lists with their versions to read, and hits that a person decides."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.models import User
from compliance.identity.readonly import ReadOnly
from compliance.identity.signin import actor_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.story_page import StoryAdmin, reader_of
from compliance.protection.errors import KeyUnknown, Tampered
from compliance.protection.masking import Kind, masked
from merchants.screening.decide import confirm_hit, dismiss_hit, may_decide
from merchants.screening.errors import DecisionRefused
from merchants.screening.matching import Strength
from merchants.screening.models import REASON_MAX, ListVersion, ScreeningHit, ScreeningList
from merchants.screening.queries import hits_of
from merchants.screening.states import DECIDED, HIT_MOVES, HitState
from merchants.screening.words import decision_refusal, reason_text, strength_text

STATE_TONES: Final = {
    HitState.OPEN: "warn", HitState.CONFIRMED: "bad", HitState.DISMISSED: "ok",
}  # fmt: skip
STRENGTH_TONES: Final = {Strength.BLOCK: "bad", Strength.HOLD: "warn"}
OTHERS_MAX: Final = 20

Verb = Callable[..., ScreeningHit]
DEEDS: Final[Mapping[str, tuple[HitState, Verb, Any]]] = {
    "confirm": (
        HitState.CONFIRMED, confirm_hit, gettext_lazy("Confirmed: the subject is blocked."),
    ),
    "dismiss": (HitState.DISMISSED, dismiss_hit, gettext_lazy("Dismissed: it is somebody else.")),
}  # fmt: skip


class _Pages(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A list to read."""

    actions = None
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER


@admin.register(ScreeningList)
class ScreeningListAdmin(_Pages):
    """The lists that names are compared with."""

    list_display = ["code", "name", "kind", "created_at"]
    ordering = ["code"]
    fields = ["code", "name", "kind", "created_at"]


@admin.register(ListVersion)
class ListVersionAdmin(_Pages):
    """The files that lists were loaded from."""

    list_display = ["list", "number", "is_active", "count", "loaded_by", "loaded_at"]
    list_display_links = ["number"]
    list_filter = ["is_active", "list"]
    list_select_related = ["list"]
    ordering = ["-pk"]
    fields = [
        "list", "number", "is_active", "count", "file_sha256", "loaded_by", "loaded_at",
    ]  # fmt: skip


class WaitingFilter(admin.SimpleListFilter):
    """What waits for a person, unless asked otherwise."""

    title = pgettext_lazy("request", "show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The first one is shown to whoever says nothing."""
        return [
            ("waiting", gettext_lazy("Waiting for a decision")),
            ("decided", pgettext_lazy("hits", "Decided")),
            ("noted", pgettext_lazy("hits", "Noted only")),
            ("all", pgettext_lazy("hits", "All, of older screenings too")),
        ]

    def choices(self, changelist: Any) -> Any:
        """Without Django's own choice of everything."""
        chosen = self.value() or "waiting"
        for name, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: name})
            yield {"selected": chosen == name, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        current = queryset.filter(screening__is_current=True)
        match self.value():
            case "decided":
                return current.filter(state__in=DECIDED)
            case "noted":
                return current.filter(state=HitState.NOTED)
            case "all":
                return queryset
            case _:
                return current.filter(state=HitState.OPEN)


@admin.register(ScreeningHit)
class ScreeningHitAdmin(StoryAdmin, _Pages):
    """Names that are alike, the longest wait first; decided one by one."""

    list_display = ["about", "listed", "on_list", "how_strong", "status", "asked_at"]
    list_filter = [WaitingFilter]
    search_fields = ["public_id__exact", "screening__subject_ref__exact"]
    search_help_text = gettext_lazy("An exact number: hit or subject")
    ordering = ["asked_at", "pk"]
    fields = ["public_id"]

    class Media:
        """The sheet of pages that tell a story."""

        css = {"all": ["css/admin-payments.css"]}

    @admin.display(description=pgettext_lazy("record", "subject"))
    def about(self, hit: ScreeningHit) -> str:
        """Who was compared; the name is on the hit's own page."""
        return subject_of(hit)

    @admin.display(description=gettext_lazy("list"))
    def on_list(self, hit: ScreeningHit) -> str:
        """The list and its version."""
        return str(hit.screening.version)

    @admin.display(description=gettext_lazy("strength"))
    def how_strong(self, hit: ScreeningHit) -> SafeString:
        """The strength with its points."""
        tone = STRENGTH_TONES.get(Strength(hit.strength), "neutral")
        text = f"{strength_text(hit.strength)} · {hit.score}"
        return format_html('<span class="badge {}">{}</span>', tone, text)

    @admin.display(description=pgettext_lazy("hit", "state"))
    def status(self, hit: ScreeningHit) -> SafeString:
        """The state, coloured."""
        tone = STATE_TONES.get(HitState(hit.state), "neutral")
        return format_html('<span class="badge {}">{}</span>', tone, hit.get_state_display())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists and pages show the listed name and the version."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("screening__version__list", "listed", "decided_by")

    def get_urls(self) -> list[URLPattern]:
        """Deciding."""
        view = self.admin_site.admin_view(require_POST(self.decide))
        return [
            path("<int:row>/decide/", view, name="merchants_screeninghit_decide"),
            *super().get_urls(),
        ]

    def story_of(self, request: HttpRequest, row: ScreeningHit) -> dict[str, Any]:
        """Both names beside each other, why they are alike, and what the reader may do."""
        check = row.screening
        others = hits_of(kind=check.subject_kind, reference=check.subject_ref)
        return {
            "subject": subject_of(row),
            "subject_name": _subject_name(row, reader_of(request)),
            "strength": strength_text(row.strength),
            "strength_tone": STRENGTH_TONES.get(Strength(row.strength), "neutral"),
            "state_tone": STATE_TONES.get(HitState(row.state), "neutral"),
            "reasons": [reason_text(reason) for reason in row.reasons],
            "deeds": _deeds(reader_of(request), row),
            "others": others.exclude(pk=row.pk)[:OTHERS_MAX],
            "reason_max": REASON_MAX,
        }

    def decide(self, request: HttpRequest, row: int) -> HttpResponse:
        """Confirm or dismiss one hit, and say what came of it."""
        if not may_decide(reader_of(request)):
            raise PermissionDenied
        hit = get_object_or_404(self.get_queryset(request), pk=row)
        deed = request.POST.get("deed", "")
        if deed not in DEEDS:
            raise Http404
        _to, verb, told = DEEDS[deed]
        reason = request.POST.get("reason", "").strip()[:REASON_MAX]
        if answer := _asks_again(request, hit, deed, reason):
            return answer
        try:
            verb(
                number=hit.public_id, person=reader_of(request), reason=reason,
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
        except DecisionRefused as refusal:
            messages.error(request, decision_refusal(refusal))
        else:
            messages.success(request, told)
        return redirect("admin:merchants_screeninghit_change", hit.pk)


def subject_of(hit: ScreeningHit) -> str:
    """Who was compared, as the room that asked calls them."""
    return f"{hit.screening.subject_kind} {hit.screening.subject_ref}"


def _subject_name(hit: ScreeningHit, person: User) -> str:
    """Whoever decides must read the name that was compared; everybody else sees its beginning."""
    try:
        name = hit.name_sealed.open()
    except (KeyUnknown, Tampered):
        return "–"
    return str(name) if may_decide(person) else masked(name, kind=Kind.NAME)


def _deeds(person: User, hit: ScreeningHit) -> list[str]:
    """What the person may do about a hit that still counts."""
    if not (hit.screening.is_current and may_decide(person)):
        return []
    return [deed for deed, (to, *_verb) in DEEDS.items() if to in HIT_MOVES[HitState(hit.state)]]


def _asks_again(
    request: HttpRequest, hit: ScreeningHit, deed: str, reason: str
) -> HttpResponse | None:
    """The second factor, before what a number blocks, or a person confirmed, is let through."""
    is_letting_through = deed == "dismiss" and (
        hit.strength == Strength.BLOCK or hit.state == HitState.CONFIRMED
    )
    if not (is_letting_through and reason and deed in _deeds(reader_of(request), hit)):
        return None
    wish = Deed(
        purpose="screening.dismiss", title=_("Dismiss a hit that blocks"),
        facts=(
            Fact("hit", _("Hit"), hit.public_id),
            Fact("subject", _("Subject"), subject_of(hit)),
            Fact("list", _("List"), str(hit.screening.version)),
            Fact("reason", _("Reason"), reason),
        ),
    )  # fmt: skip
    back = reverse("admin:merchants_screeninghit_change", args=[hit.pk])
    return requires_step_up(request, wish, back=back)
