"""The periodic jobs in the admin: how they ran, when they run next, and running one now."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.roles import Ability, may
from compliance.identity.showing import EMPTY, badge_tag, time_tag
from compliance.identity.signin import actor_of
from compliance.identity.story_page import StoryAdmin, reader_of
from compliance.jobs.asking import ask_to_run
from compliance.jobs.errors import JobRefused
from compliance.jobs.models import Job
from compliance.jobs.queries import Standing, history_of, standing_of
from compliance.jobs.registry import jobs
from compliance.jobs.states import RunState

TONES: Final = {
    RunState.ASKED: "info", RunState.RUNNING: "info", RunState.DONE: "ok",
    RunState.FAILED: "bad", RunState.BROKE_OFF: "bad", "": "neutral",
}  # fmt: skip
TOLD: Final = {
    "already_asked": _("Somebody has asked for it already. It runs as soon as a worker is free."),
    "ability_missing": _("Your roles do not let you run jobs."),
    "job_unknown": _("There is no such job any more."),
}


@admin.register(Job)
class JobAdmin(StoryAdmin):
    """Every job that the platform declares."""

    list_display = ["title", "shown_outcome", "ran", "took", "next_run", "done", "failures"]
    list_display_links = ["title"]
    sortable_by = ()
    actions = None
    show_full_result_count = False
    list_per_page = 100
    fields = ["name", "title", "shown_outcome", "ran", "took", "every", "next_run", "done",
              "failures", "fault"]  # fmt: skip
    change_form_template = "admin/compliance/job/change_form.html"

    class Media:
        """The sheet of pages that tell a story."""

        css = {"all": ["css/admin-payments.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Those that are declared; a release may have given one up."""
        rows: QuerySet[Job] = super().get_queryset(request)
        return rows.filter(name__in=jobs())

    @admin.display(description=pgettext_lazy("periodic", "job"))
    def title(self, job: Job) -> str:
        """In the reader's language."""
        return str(jobs()[job.name].title)

    @admin.display(description=pgettext_lazy("job", "outcome"))
    def shown_outcome(self, job: Job) -> SafeString:
        """A job that should have run and did not is late, however its last run ended."""
        if _standing(job).is_late:
            return badge_tag(pgettext_lazy("job", "Late"), "bad")
        if not job.outcome:
            return badge_tag(pgettext_lazy("job", "Never ran"), "neutral")
        return badge_tag(job.get_outcome_display(), TONES[RunState(job.outcome)])

    @admin.display(description=_("last run"))
    def ran(self, job: Job) -> SafeString | str:
        """When it began."""
        return time_tag(job.started_at)

    @admin.display(description=_("took"))
    def took(self, job: Job) -> str:
        """Seconds."""
        took = _standing(job).took
        return EMPTY if took is None else f"{took.total_seconds():.1f} s"

    @admin.display(description=_("every"))
    def every(self, job: Job) -> str:
        """Seconds between two runs."""
        every = jobs()[job.name].every
        return EMPTY if every is None else f"{every.total_seconds():.0f} s"

    @admin.display(description=_("next run"))
    def next_run(self, job: Job) -> SafeString | str:
        """When it is due; a worker may take it up a little later."""
        return time_tag(_standing(job).next_at)

    def get_urls(self) -> list[URLPattern]:
        """Running one now."""
        view = self.admin_site.admin_view(require_POST(self.run_now))
        return [path("<int:row>/run/", view, name="compliance_job_run"), *super().get_urls()]

    def story_of(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The remembered runs, and whether the reader may ask for one."""
        return {
            "runs": [(run, TONES[RunState(run.state)]) for run in history_of(row.name)],
            "may_run": may(reader_of(request), Ability.JOBS_RUN),
        }

    def run_now(self, request: HttpRequest, row: int) -> HttpResponse:
        """Ask for a run, and go back to the page."""
        person = reader_of(request)
        if not may(person, Ability.JOBS_RUN):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=row).first()
        if job is None:
            raise Http404
        try:
            ask_to_run(job=job.name, by=person, actor=actor_of(request), at=timezone.now())
        except JobRefused as refusal:
            messages.error(request, TOLD[refusal.code])
        else:
            messages.success(request, _("Asked for. Its outcome stands below when it has ended."))
        return redirect(reverse("admin:compliance_job_change", args=[row]))


def _standing(job: Job) -> Standing:
    return standing_of(job, at=timezone.now())
