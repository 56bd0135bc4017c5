"""The inbox under /admin/: what waits for whom, each request in full, and what one may do."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.approvals.decide import approve, break_glass, cancel, reject, review_glass
from compliance.approvals.email_changes import request_email
from compliance.approvals.errors import TOLD, ApprovalRefused
from compliance.approvals.factor_changes import request_removal
from compliance.approvals.forms import EmailForm, FactorForm, RoleForm
from compliance.approvals.frozen import is_as_asked
from compliance.approvals.models import Approval
from compliance.approvals.queries import (
    OPEN,
    UNREVIEWED,
    Reader,
    deeds_of,
    staff_reader,
    visible_to,
    waiting_for,
)
from compliance.approvals.request import REASON_MAX
from compliance.approvals.role_changes import request_role
from compliance.approvals.showing import executing, label_of, lines_of, page_about, tone_of
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of
from compliance.identity.states import StaffRole
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.story_page import StoryAdmin, reader_of


def _approve(request: HttpRequest, person: User, number: str, reason: str) -> Approval:
    return approve(number=number, checker=person, actor=actor_of(request), at=timezone.now())


def _reject(request: HttpRequest, person: User, number: str, reason: str) -> Approval:
    return reject(
        number=number, checker=person, reason=reason, actor=actor_of(request), at=timezone.now()
    )


def _cancel(request: HttpRequest, person: User, number: str, reason: str) -> Approval:
    return cancel(
        number=number, maker=person, reason=reason, actor=actor_of(request), at=timezone.now()
    )


def _break_glass(request: HttpRequest, person: User, number: str, reason: str) -> Approval:
    return break_glass(
        number=number, person=person, reason=reason, actor=actor_of(request), at=timezone.now()
    )


def _review(request: HttpRequest, person: User, number: str, reason: str) -> Approval:
    return review_glass(
        number=number, reviewer=person, note=reason, actor=actor_of(request), at=timezone.now()
    )


Deed = Callable[[HttpRequest, User, str, str], Approval]
DEEDS: Final[Mapping[str, tuple[Deed, Any]]] = {
    "approve": (_approve, gettext_lazy("You agreed.")),
    "reject": (_reject, gettext_lazy("You rejected the request.")),
    "cancel": (_cancel, gettext_lazy("You took the request back.")),
    "break_glass": (
        _break_glass, gettext_lazy("It was executed in an emergency. Somebody will review it."),
    ),
    "review": (_review, gettext_lazy("Your review is kept.")),
}  # fmt: skip


class ShowFilter(admin.SimpleListFilter):
    """Whose move it is; what waits for the reader comes first."""

    title = pgettext_lazy("request", "show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Besides all."""
        return [
            ("mine", gettext_lazy("Waiting for me")),
            ("open", gettext_lazy("Waiting for anybody")),
            ("made", gettext_lazy("Made by me")),
            ("unreviewed", gettext_lazy("Emergencies to review")),
            ("done", gettext_lazy("Over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        person = reader_of(request)
        match self.value():
            case "mine":
                return queryset.filter(pk__in=waiting_for(_reader(request)).values("pk"))
            case "open":
                return queryset.filter(OPEN)
            case "made":
                return queryset.filter(maker_person=person.person_ref)
            case "unreviewed":
                return queryset.filter(UNREVIEWED)
            case "done":
                return queryset.exclude(OPEN)
            case _:
                return queryset


@admin.register(Approval)
class ApprovalAdmin(StoryAdmin):
    """Requests to see and decide one by one: there is deliberately no action on many."""

    list_display = ["public_id", "what", "about", "maker", "status", "created_at", "expires_at"]
    list_filter = [ShowFilter, "state"]
    list_select_related = ["maker"]
    search_fields = ["public_id__exact", "subject_id__exact"]
    search_help_text = gettext_lazy("An exact number: request or subject")
    ordering = ["-pk"]
    actions = None
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    fields = ["public_id"]

    class Media:
        """The sheet of pages that tell a story."""

        css = {"all": ["css/admin-payments.css"]}

    @admin.display(description=gettext_lazy("kind"))
    def what(self, approval: Approval) -> str:
        """The kind in words."""
        return label_of(approval)

    @admin.display(description=pgettext_lazy("record", "subject"))
    def about(self, approval: Approval) -> str:
        """What it is about."""
        return f"{approval.subject_kind} {approval.subject_id}"

    @admin.display(description=gettext_lazy("state"))
    def status(self, approval: Approval) -> SafeString:
        """The state, coloured; an emergency says so."""
        tone = tone_of(approval)
        if approval.glass_at is not None and approval.reviewed_at is None:
            return format_html('<span class="badge bad">{}</span>', _("Emergency, not reviewed"))
        return format_html('<span class="badge {}">{}</span>', tone, approval.get_state_display())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the reader may see."""
        ordering = self.get_ordering(request)
        return visible_to(_reader(request)).select_related("maker").order_by(*ordering)

    def get_urls(self) -> list[URLPattern]:
        """Deciding, and asking for a role."""
        view = self.admin_site.admin_view
        return [
            path("<int:row>/decide/", view(require_POST(self.decide)),
                 name="compliance_approval_decide"),
            path("roles/<int:person>/", view(self.ask_for_role), name="compliance_approval_roles"),
            path("second-factor/<int:person>/", view(self.ask_for_removal),
                 name="compliance_approval_factor"),
            path("email/<int:person>/", view(self.ask_for_email),
                 name="compliance_approval_email"),
            *super().get_urls(),
        ]  # fmt: skip

    def story_of(self, request: HttpRequest, row: Approval) -> dict[str, Any]:
        """The request in full, with what the reader may do about it."""
        return {
            "label": label_of(row),
            "lines": lines_of(row),
            "votes": row.votes.select_related("checker").order_by("pk"),
            "deeds": deeds_of(_reader(request), row),
            "tone": tone_of(row),
            "page": page_about(row),
            # The key behind an old request's seal may be gone; only a waiting one must open.
            "is_as_asked": row.state != ApprovalState.PENDING or is_as_asked(row),
            "ending": TOLD.get(row.ending, row.ending),
            "reason_max": REASON_MAX,
        }

    def decide(self, request: HttpRequest, row: int) -> HttpResponse:
        """Do one deed about one request, and say what came of it."""
        approval = get_object_or_404(self.get_queryset(request), pk=row)
        verb, told = DEEDS.get(request.POST.get("deed", ""), (None, ""))
        if verb is None:
            raise Http404
        reason = request.POST.get("reason", "")[:REASON_MAX]
        if answer := self._asks_again(request, approval, reason):
            return answer
        try:
            verb(request, reader_of(request), approval.public_id, reason)
        except ApprovalRefused as refusal:
            messages.error(request, refusal.told)
        else:
            messages.success(request, told)
        return redirect("admin:compliance_approval_change", approval.pk)

    def _asks_again(
        self, request: HttpRequest, approval: Approval, reason: str
    ) -> HttpResponse | None:
        """The step-up of whoever may execute the request; the verb refuses everybody else."""
        may, deed = deeds_of(_reader(request), approval), request.POST["deed"]
        is_executing = (deed == "approve" and may.may_decide) or (
            deed == "break_glass" and may.may_break_glass and reason.strip()
        )
        if not is_executing:
            return None
        title = _("Agree") if deed == "approve" else _("Execute in an emergency")
        back = reverse("admin:compliance_approval_change", args=[approval.pk])
        wish = executing(approval, purpose=f"approval.{deed}", title=title, reason=reason)
        return requires_step_up(request, wish, back=back)

    def ask_for_role(self, request: HttpRequest, person: int) -> HttpResponse:
        """Ask that a person gets a role, or loses one."""
        user = get_object_or_404(User, pk=person)

        def ask(said: Mapping[str, Any]) -> Approval:
            kind, _colon, role = said["change"].partition(":")
            return request_role(
                kind=kind, user=user, role=StaffRole(role), reason=said["reason"],
                maker=reader_of(request), actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip

        form = RoleForm(request.POST or None, user=user)
        title = _("Ask for a change of roles")
        return self._ask(request, Ability.ROLES_REQUEST, user, form, ask, title=title)

    def ask_for_removal(self, request: HttpRequest, person: int) -> HttpResponse:
        """Ask that a person who lost the authenticator may enrol another."""
        user = get_object_or_404(User, pk=person)

        def ask(said: Mapping[str, Any]) -> Approval:
            return request_removal(
                user=user, reason=said["reason"], maker=reader_of(request),
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip

        form = FactorForm(request.POST or None)
        title = _("Ask to take the authenticator away")
        return self._ask(request, Ability.SECOND_FACTOR_REQUEST, user, form, ask, title=title)

    def ask_for_email(self, request: HttpRequest, person: int) -> HttpResponse:
        """Ask that letters to a person go to another address."""
        user = get_object_or_404(User, pk=person)

        def ask(said: Mapping[str, Any]) -> Approval:
            return request_email(
                user=user, email=said["email"], reason=said["reason"], maker=reader_of(request),
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip

        form = EmailForm(request.POST or None)
        title = _("Ask for another e-mail address")
        return self._ask(request, Ability.SECOND_FACTOR_REQUEST, user, form, ask, title=title)

    def _ask(
        self,
        request: HttpRequest,
        ability: Ability,
        user: User,
        form: forms.Form,
        ask: Callable[[Mapping[str, Any]], Approval],
        *,
        title: str,
    ) -> HttpResponse:
        """A page that makes a request about a person; refused, it keeps what was typed."""
        maker = reader_of(request)
        if not (may(maker, ability) or maker.is_superuser):
            raise PermissionDenied
        if form.is_valid():
            try:
                approval = ask(form.cleaned_data)
            except ApprovalRefused as refusal:
                form.add_error(None, refusal.told)
            else:
                messages.success(request, _("You asked for it. Somebody else must agree."))
                return redirect(reverse("admin:compliance_approval_change", args=[approval.pk]))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form,
            "original": user, "title": title,
        }  # fmt: skip
        return render(request, "admin/compliance/approval/ask.html", context)


def _reader(request: HttpRequest) -> Reader:
    return staff_reader(reader_of(request))
