"""The reviewers' desk: applications by age, each beside its papers, and a word on every part."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from compliance.approvals.errors import ApprovalRefused
from compliance.identity.reveal import RevealRefused
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.identity.story_page import StoryAdmin, reader_of
from compliance.protection.vault.files import Upload
from compliance.protection.vault.kinds import BYTES_MAX, FileRefused
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.words import FILE_REFUSALS
from merchants.admin.papers import paper_answer
from merchants.admin.queue import QueueFilter, ServiceFilter, order_of, service_shown
from merchants.admin.risk import TONES as TONES_OF_RISK
from merchants.admin.risk import risk_of
from merchants.admin.stated import hits_among, paper_of, part_of
from merchants.days import day_of
from merchants.errors import MerchantRefusal
from merchants.onboarding.approving import recommend
from merchants.onboarding.diligence import note_diligence
from merchants.onboarding.grading import Grade
from merchants.onboarding.models import Application
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.revealing import reveal_field
from merchants.onboarding.reviewing import (
    Word,
    ask_for_changes,
    give_verdicts,
    reject_application,
    targets_of,
)
from merchants.onboarding.risk import raise_grade
from merchants.onboarding.states import ApplicationState
from merchants.onboarding.words import (
    FAULTS,
    LABELS,
    REASONS,
    TITLES,
    refusal_told,
)

TONES: Final = {
    ApplicationState.IN_REVIEW: "warn",
    ApplicationState.APPROVED: "ok",
    ApplicationState.REJECTED: "bad",
    ApplicationState.NEEDS_CHANGES: "info",
}
TEXT_MAX: Final = 1000
REVEAL_REFUSALS: Final = {
    "never_shown": gettext_lazy("This is shown to nobody."),
    "ability_missing": gettext_lazy("Your role does not allow this. Ask somebody whose role does."),
    "reason_missing": gettext_lazy("Write down why you must see it."),
}


@admin.register(Application)
class ApplicationAdmin(StoryAdmin):
    """Applications, one by one: there is deliberately no action on many."""

    list_display = ["public_id", "what", "entity", "status", "danger", "round", "waits", "service"]
    list_filter = [QueueFilter, ServiceFilter, "risk", "state", "entity"]
    list_select_related = ["merchant"]
    search_fields = ["public_id__exact", "credit_code__exact", "name__startswith"]
    search_help_text = gettext_lazy("A number, a credit code, or how the name begins")
    actions = None
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    fields = ["public_id"]

    class Media:
        """The sheets of pages that tell a story, and of reviews."""

        css = {"all": ["css/admin-payments.css", "css/admin-review.css"]}

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """The queue by age or by risk, the rest newest first."""
        return order_of(request)

    @admin.display(description=gettext_lazy("name"))
    def what(self, application: Application) -> str:
        """The name on the licence; until it is submitted, the one of the registration."""
        return application.name or application.merchant.name

    @admin.display(description=gettext_lazy("state"))
    def status(self, application: Application) -> SafeString:
        """The state, coloured."""
        tone = TONES.get(ApplicationState(application.state), "neutral")
        return format_html(
            '<span class="badge {}">{}</span>', tone, application.get_state_display()
        )

    @admin.display(description=gettext_lazy("waits for"))
    def waits(self, application: Application) -> str:
        """How long it has been waiting for the reviewers."""
        if application.state != ApplicationState.IN_REVIEW or application.submitted_at is None:
            return "–"
        return timesince(application.submitted_at)

    @admin.display(description=gettext_lazy("risk"))
    def danger(self, application: Application) -> SafeString | str:
        """The grade, coloured."""
        if application.risk is None:
            return "–"
        tone = TONES_OF_RISK[Grade(application.risk)]
        return format_html('<span class="badge {}">{}</span>', tone, application.get_risk_display())

    @admin.display(description=gettext_lazy("service"))
    def service(self, application: Application) -> SafeString | str:
        """Whether we keep to the time that is promised."""
        return service_shown(application)

    def get_urls(self) -> list[URLPattern]:
        """A word, back, no, on; and the papers."""
        view = self.admin_site.admin_view
        return [
            path("<int:row>/verdicts/", view(require_POST(self.say)),
                 name="merchants_application_verdicts"),
            path("<int:row>/decide/", view(require_POST(self.decide)),
                 name="merchants_application_decide"),
            path("<int:row>/risk/", view(require_POST(self.assess)),
                 name="merchants_application_risk"),
            path("<int:row>/reveal/", view(require_POST(self.reveal)),
                 name="merchants_application_reveal"),
            path("<int:row>/papers/<str:file>/", view(self.paper),
                 name="merchants_application_paper"),
            *super().get_urls(),
        ]  # fmt: skip

    def story_of(self, request: HttpRequest, row: Application) -> dict[str, Any]:
        """Everything that was stated, masked, beside the papers."""
        standing = standing_of(row, on=day_of(timezone.now()))
        can_review = may(reader_of(request), Ability.MERCHANTS_REQUEST)
        return {
            "tone": TONES.get(ApplicationState(row.state), "neutral"),
            "parts": [part_of(standing, part) for part in standing.parts.values()],
            "papers": [paper_of(standing, one) for one in standing.documents],
            "faults": [(TITLES[one.section], FAULTS[one.code]) for one in standing.faults],
            "reasons": list(REASONS.items()),
            "may_review": can_review and row.state == ApplicationState.IN_REVIEW,
            "may_look": _may_look(request),
            "may_reveal": may(reader_of(request), Ability.REVEAL),
            "hits": hits_among(row, standing),
            "risk": risk_of(row),
            "rejected": len(standing.rejected),
            "left": len(set(targets_of(standing)) - set(standing.verdicts)),
            "consents": row.consents.select_related("by").order_by("pk"),
            "text_max": TEXT_MAX,
        }

    def say(self, request: HttpRequest, row: int) -> HttpResponse:
        """Keep the words of the form: those that were said, and those of whole sections."""
        application = self._found(request, row)
        standing = standing_of(application, on=day_of(timezone.now()))
        words = _words(request, standing)
        if not words:
            messages.warning(request, _("You have not said anything yet."))
            return self._back(row)

        def deed() -> str:
            count = give_verdicts(
                application=application.public_id, words=words, by=reader_of(request),
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
            return _("%(count)s verdicts are kept.") % {"count": count}

        return self._do(request, row, deed)

    def decide(self, request: HttpRequest, row: int) -> HttpResponse:
        """Send back, reject, or recommend to a second person."""
        application = self._found(request, row)
        told = request.POST.get("told", "")[:TEXT_MAX]
        person, kind = reader_of(request), request.POST.get("deed", "")
        if kind not in {"changes", "reject", "recommend"}:
            raise Http404
        if kind != "changes" and told.strip():
            wish = _wish(application, kind, told)
            if answer := requires_step_up(request, wish, back=_page(row)):
                return answer

        def deed() -> str:
            common: dict[str, Any] = {
                "application": application.public_id, "by": person, "actor": actor_of(request),
                "at": timezone.now(),
            }  # fmt: skip
            if kind == "changes":
                ask_for_changes(told=told, **common)
                return _("The application went back to the applicant.")
            if kind == "reject":
                reject_application(told=told, **common)
                return _("The application is rejected.")
            request_made = recommend(reason=told, **common)
            return _("Request %(number)s waits for a second person.") % {
                "number": request_made.public_id
            }

        return self._do(request, row, deed)

    def assess(self, request: HttpRequest, row: int) -> HttpResponse:
        """Raise the grade, or note a measure that was taken for a high one."""
        application = self._found(request, row)
        said = request.POST
        common: dict[str, Any] = {
            "application": application.public_id, "by": reader_of(request),
            "actor": actor_of(request), "at": timezone.now(),
        }  # fmt: skip
        note, to = said.get("note", "")[:TEXT_MAX], said.get("to", "")

        def deed() -> str:
            if to in {str(grade.value) for grade in Grade}:
                raise_grade(to=Grade(int(to)), reason=note, **common)
                return _("The grade is raised.")
            note_diligence(
                measure=said.get("measure", ""), note=note, upload=_upload(request), **common
            )
            return _("The measure is noted.")

        return self._do(request, row, deed)

    def reveal(self, request: HttpRequest, row: int) -> HttpResponse:
        """Show one masked value, for a reason and after the second factor; once, on this answer."""
        application, person = self._found(request, row), reader_of(request)
        target, reason = request.POST.get("target", "")[:64], request.POST.get("reason", "")
        place = request.POST.get("place", "")
        if may(person, Ability.REVEAL) and reason.strip():
            wish = Deed(
                purpose="data.reveal",
                title=_("Show a masked value"),
                facts=(
                    Fact("application", _("Application"), application.public_id),
                    Fact("what", _("What"), f"{target}.{place}", shown=str(LABELS.get(target, ""))),
                    Fact("reason", _("Reason"), reason),
                ),
            )
            if answer := requires_step_up(request, wish, back=_page(row)):
                return answer
        try:
            value = reveal_field(
                application=application.public_id, target=target, reason=reason,
                place=int(place) if place.isdecimal() else -1, person=person,
                actor=actor_of(request), at=timezone.now(),
            )  # fmt: skip
        except RevealRefused as refusal:
            messages.error(request, REVEAL_REFUSALS[refusal.code])
            return self._back(row)
        except MerchantRefusal:
            raise Http404 from None
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": application,
            "title": LABELS[target], "value": value, "back": _page(row),
        }  # fmt: skip
        return render(request, "admin/merchants/application/revealed.html", context)

    def paper(self, request: HttpRequest, row: int, file: str) -> HttpResponse:
        """One paper: pictures with a watermark, PDFs as a download. Each look is recorded."""
        if not _may_look(request):
            raise PermissionDenied
        application = self._found(request, row)
        stored = _file_of(application, file)
        if stored is None:
            raise Http404
        return paper_answer(request, stored, reason=f"review of {application.public_id}")

    def _found(self, request: HttpRequest, row: int) -> Application:
        application = self.get_queryset(request).filter(pk=row).first()
        if application is None or not self.has_view_permission(request, application):
            raise Http404
        found: Application = application
        return found

    def _do(self, request: HttpRequest, row: int, deed: Callable[[], str]) -> HttpResponse:
        try:
            messages.success(request, deed())
        except ApprovalRefused as refusal:
            messages.error(request, refusal.told)
        except FileRefused as refusal:
            messages.error(request, FILE_REFUSALS[refusal.code])
        except MerchantRefusal as refusal:
            messages.error(request, refusal_told(refusal))
        return self._back(row)

    def _back(self, row: int) -> HttpResponse:
        return redirect(_page(row))


def _file_of(application: Application, number: str) -> StoredFile | None:
    """A paper of the applicant, or one of a reviewer that proves a measure."""
    of_applicant = application.documents.filter(file__public_id=number).values("file")
    of_reviewer = application.diligence.filter(file__public_id=number).values("file")
    return StoredFile.objects.filter(Q(pk__in=of_applicant) | Q(pk__in=of_reviewer)).first()


def _upload(request: HttpRequest) -> Upload | None:
    sent = request.FILES.get("file")
    if sent is None:
        return None
    return Upload(str(sent.name), sent.content_type or "", sent.read(BYTES_MAX + 1))


def _page(row: int) -> str:
    return reverse("admin:merchants_application_change", args=[row])


def _wish(application: Application, kind: str, told: str) -> Deed:
    title = _("Reject the application") if kind == "reject" else _("Recommend the application")
    return Deed(
        purpose=f"application.{kind}",
        title=title,
        facts=(
            Fact("application", _("Application"), application.public_id),
            Fact("name", _("Name on the licence"), application.name),
            Fact("round", _("Round"), str(application.round)),
            Fact("told", _("Reason"), told),
        ),
    )


def _words(request: HttpRequest, standing: Standing) -> list[Word]:
    words = []
    for target, section in targets_of(standing).items():
        said = request.POST.get(f"v-{target}", "")
        if not said and request.POST.get(f"all-{section}"):
            said = "right"
        if said in {"right", "wrong"}:
            words.append(
                Word(
                    target, said == "right", request.POST.get(f"r-{target}", ""),
                    request.POST.get(f"t-{target}", ""), request.POST.get(f"n-{target}", ""),
                )
            )  # fmt: skip
    return words


def _may_look(request: HttpRequest) -> bool:
    person = reader_of(request)
    return may(person, Ability.MERCHANTS_REQUEST) or may(person, Ability.MERCHANTS_APPROVE)
