"""Enrolments in the admin: begin one, hand it in, see what the gateway says, enter its letters."""

from datetime import date
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from merchants.onboarding.sections import SECTIONS
from payments.admin import columns
from payments.admin.readonly import ReadOnlyAdmin
from payments.channels.models import Channel
from payments.channels.states import ChannelState
from payments.enrolment.handing import GatewayLetter, ask_soon, enter_letter, hand_in, leave
from payments.enrolment.models import Enrolment, SubMerchant
from payments.enrolment.opening import answer_extras, asked_extras, open_enrolment
from payments.enrolment.queries import corrections_of, extras_of, left_of
from payments.enrolment.refusals import EnrolmentRefused
from payments.enrolment.states import ASKED, MOVES, OURS, EnrolmentState
from payments.enrolment.words import TONES, field_label, refusal_told, trouble_told
from payments.errors import IllegalMove

REASON_MAX: Final = 1000
TOLD_MAX: Final = 500


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    """Merchants' applications to channels."""

    list_display = ("shown_number", "status", "merchant", "channel", "since_then", "created")
    list_filter = ("state", "channel")
    list_select_related = ("merchant", "channel")
    list_defer = ("answers_sealed", "sign_url_sealed")
    search_fields = ("public_id", "gateway_number", "merchant__public_id")
    search_help_text = gettext_lazy("An exact number: enrolment, gateway's, or merchant (mch_…)")
    public_field = "public_id"
    change_list_template = "admin/payments/enrolment/change_list.html"

    shown_number = columns.number("public_id", gettext_lazy("number"))
    status = columns.badge("state", gettext_lazy("state"), TONES)
    since_then = columns.moment("since", gettext_lazy("in this state since"))
    created = columns.moment("created_at", gettext_lazy("created at"))

    class Media:
        """The sheets of pages that tell a story, and of reviews."""

        css = {"all": ["css/admin-payments.css", "css/admin-review.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        """Pages show the merchant and the channel."""
        rows: QuerySet[Enrolment] = super().get_queryset(request)
        return rows.select_related("merchant", "channel")

    def get_urls(self) -> list[URLPattern]:
        """Beginning one, and everything that is done about it."""
        view = self.admin_site.admin_view
        return [
            path("begin/", view(self.begin), name="payments_enrolment_begin"),
            path("<int:row>/act/", view(require_POST(self.act)), name="payments_enrolment_act"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the way to begin."""
        person = person_of(request)
        may_begin = person is not None and may(person, Ability.MERCHANTS_REQUEST)
        return super().changelist_view(request, {**(extra_context or {}), "may_begin": may_begin})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """What happened, what the gateway wants, and what can be done."""
        if isinstance(obj, Enrolment):
            context |= _page(obj, may_act=may(_person(request), Ability.MERCHANTS_REQUEST))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def begin(self, request: HttpRequest) -> HttpResponse:
        """Choose a merchant and a channel."""
        person = _desk(request)
        merchant = (request.POST.get("merchant") or request.GET.get("merchant", "")).strip()[:32]
        channel = request.POST.get("channel", "")[:32]
        error = ""
        if request.method == "POST":
            try:
                row = open_enrolment(
                    merchant=merchant, channel=channel, by=person, actor=actor_of(request),
                    at=timezone.now(),
                )  # fmt: skip
                return redirect(reverse("admin:payments_enrolment_change", args=[row.pk]))
            except EnrolmentRefused as refusal:
                error = refusal_told(refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Begin an enrolment"),
            "channels": Channel.objects.filter(state=ChannelState.ACTIVE).order_by("pk"),
            "merchant": merchant,
            "channel": channel,
            "error": error,
        }
        return render(request, "admin/payments/enrolment/begin.html", context)

    def act(self, request: HttpRequest, row: int) -> HttpResponse:
        """Do one thing about it."""
        person = _desk(request)
        enrolment = self.get_queryset(request).filter(pk=row).first()
        deed = _DEEDS.get(request.POST.get("deed", ""))
        if enrolment is None or deed is None:
            raise Http404
        common: dict[str, Any] = {
            "enrolment": enrolment.public_id, "by": person, "actor": actor_of(request),
            "at": timezone.now(),
        }  # fmt: skip
        try:
            messages.success(request, deed(request, common))
        except (EnrolmentRefused, IllegalMove) as refusal:
            messages.error(request, refusal_told(refusal, extras_of(enrolment)))
        return redirect(reverse("admin:payments_enrolment_change", args=[row]))


@admin.register(SubMerchant)
class SubMerchantAdmin(ReadOnlyAdmin):
    """Merchants' own numbers at channels."""

    list_display = ("number", "merchant", "channel", "created")
    list_filter = ("channel",)
    list_select_related = ("merchant", "channel")
    search_fields = ("number", "merchant__public_id")
    search_help_text = gettext_lazy("An exact number: at the channel, or merchant (mch_…)")
    fields = ("number", "merchant", "channel", "enrolment", "created")

    created = columns.moment("created_at", gettext_lazy("created at"))


def _page(row: Enrolment, *, may_act: bool) -> dict[str, Any]:
    extras, at = extras_of(row), timezone.now()
    given = SubMerchant.objects.filter(enrolment=row).first()
    context: dict[str, Any] = {
        "tone": TONES.get(row.state, "neutral"),
        "steps": [(step, TONES.get(step.state, "")) for step in row.steps.order_by("-pk")],
        "corrections": corrections_of(row, extras),
        "days_left": left_of(row, at=at),
        "trouble": trouble_told(row.trouble) if row.trouble else "",
        "sub_merchant": given.number if given else "",
        "may_act": may_act,
        "may_hand_in": may_act and row.state in OURS,
        "may_ask": may_act and row.state in ASKED and not row.is_on_paper,
        "reason_max": REASON_MAX,
        "told_max": TOLD_MAX,
    }
    if may_act and row.state in OURS and not row.is_on_paper:
        context["questions"] = _questions(row)
    if may_act and row.is_on_paper and row.state != EnrolmentState.DRAFT:
        ways = MOVES[EnrolmentState(row.state)] - {EnrolmentState.DRAFT, EnrolmentState.SUBMITTED}
        context["ways"] = [(one.value, one.label) for one in EnrolmentState if one in ways]
        context["our_fields"] = [(name, field_label(name)) for name in _our_fields()]
    return context


def _questions(row: Enrolment) -> list[tuple[Any, str, str, str]]:
    try:
        asked = asked_extras(row, on=timezone.now())
    except EnrolmentRefused:
        return []
    held = row.answers
    return [
        (
            extra, _(extra.label), _(extra.hint) if extra.hint else "",
            "" if extra.is_secret else held.get(extra.key, ""),
        )
        for extra in asked
    ]  # fmt: skip


def _our_fields() -> list[str]:
    return [
        f"{section.name}.{field.name}"
        for section in SECTIONS.values() if not section.is_list
        for field in section.fields
    ]  # fmt: skip


def _hand_in(request: HttpRequest, common: dict[str, Any]) -> str:
    row = hand_in(**common)
    if row.is_on_paper:
        return _("Noted as handed in on paper.")
    return _("It goes to the gateway within seconds.")


def _leave(request: HttpRequest, common: dict[str, Any]) -> str:
    leave(reason=request.POST.get("reason", "")[:REASON_MAX], **common)
    return _("The enrolment is left.")


def _ask(request: HttpRequest, common: dict[str, Any]) -> str:
    ask_soon(**common)
    return _("The gateway is asked within seconds.")


def _answer(request: HttpRequest, common: dict[str, Any]) -> str:
    typed = {
        name.removeprefix("extra-"): str(value)[:256]
        for name, value in request.POST.items() if name.startswith("extra-")
    }  # fmt: skip
    answer_extras(answers=typed, **common)
    return _("The answers are kept.")


def _letter(request: HttpRequest, common: dict[str, Any]) -> str:
    told = {
        name: request.POST.get(name, "").strip()
        for name in ("to", "letter", "number", "field", "told", "lapses_on")
    }
    if told["to"] not in EnrolmentState.values or told["field"] not in {"", *_our_fields()}:
        raise Http404
    try:
        lapses_on = date.fromisoformat(told["lapses_on"]) if told["lapses_on"] else None
    except ValueError:
        raise Http404 from None
    letter = GatewayLetter(
        to=EnrolmentState(told["to"]), number=told["letter"], sub_merchant=told["number"][:64],
        field=told["field"], told=told["told"][:TOLD_MAX], lapses_on=lapses_on,
    )  # fmt: skip
    enter_letter(letter=letter, **common)
    return _("The letter is entered.")


_DEEDS: Final = {
    "hand_in": _hand_in, "leave": _leave, "ask": _ask, "answer": _answer, "letter": _letter,
}  # fmt: skip


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person


def _desk(request: HttpRequest) -> User:
    person = _person(request)
    if not may(person, Ability.MERCHANTS_REQUEST):
        raise PermissionDenied
    return person
