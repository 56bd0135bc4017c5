"""Channels in the admin: what works, every version, drafts, a test, and the switch.

What they sign with is written here and never shown: a fingerprint tells secrets apart.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from compliance.approvals.errors import ApprovalRefused
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from payments.admin import columns
from payments.admin.channel_forms import ChannelForm
from payments.admin.channel_words import refusal_told, trial_told, versions_told
from payments.admin.readonly import ReadOnlyAdmin
from payments.channels.approving import ask_to_activate, ask_to_switch_on
from payments.channels.base import BadCredential
from payments.channels.configuring import (
    ChannelRefused,
    ConfigurationRefused,
    active_number,
    draft_version,
    find_version,
    kill_channel,
    roll_back,
)
from payments.channels.models import Channel
from payments.channels.registry import HostNotAllowed, dialects
from payments.channels.trying import try_version
from payments.errors import IllegalMove

REASON_MAX: Final = 500
ENDS_SOON: Final = timedelta(days=60)
REFUSALS: Final = (
    ApprovalRefused, BadCredential, ChannelRefused, ConfigurationRefused, HostNotAllowed,
    IllegalMove,
)  # fmt: skip


class EndingFilter(admin.SimpleListFilter):
    """Channels whose certificate ends soon."""

    title = gettext_lazy("certificate")
    parameter_name = "certificate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Besides all."""
        return [
            ("soon", gettext_lazy("Ends within 60 days")), ("over", gettext_lazy("Has ended"))
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        now = timezone.now()
        match self.value():
            case "soon":
                return queryset.filter(expires_at__gt=now, expires_at__lte=now + ENDS_SOON)
            case "over":
                return queryset.filter(expires_at__lte=now)
            case _:
                return queryset


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Verbs change channels; the pages of Django's own admin only show them."""

    list_display = ("name", "shown_code", "gateway", "mode", "state", "version", "ends")
    list_filter = ("livemode", "state", EndingFilter)
    list_defer = ("credentials_sealed",)
    search_fields = ("code",)
    search_help_text = gettext_lazy("An exact code")
    fields = (
        "name", "shown_code", "gateway", "mode", "state", "base_url", "front_url", "ends",
        "created",
    )  # fmt: skip

    mode = columns.mode()
    shown_code = columns.number("code", gettext_lazy("code"))
    created = columns.moment("created_at", gettext_lazy("created at"))
    ends = columns.moment("expires_at", gettext_lazy("certificate ends at"))

    def get_urls(self) -> list[URLPattern]:
        """Writing a draft, and deeds about a version or the channel."""
        view = self.admin_site.admin_view
        return [
            path("new/<slug:gateway>/", view(self.begin), name="payments_channel_begin"),
            path("<int:row>/draft/<int:version>/", view(self.edit), name="payments_channel_draft"),
            path("<int:row>/deed/", view(require_POST(self.deed)), name="payments_channel_deed"),
            *super().get_urls(),
        ]  # fmt: skip

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with a way to a new channel of each gateway."""
        new = [(d.name, _(d.label)) for d in dialects().values()] if _may_write(request) else []
        return super().changelist_view(request, {"gateways": new, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The channel with its versions."""
        channel = self.get_object(request, object_id)
        if not isinstance(channel, Channel):
            raise Http404
        context = {
            "versions": versions_told(channel, active=active_number(channel)),
            "active_number": active_number(channel),
            "may_write": _may_write(request),
            "may_kill": channel.state == "active" and _may_kill(request),
            "may_switch_on": channel.state == "killed" and _may_write(request),
            "reason_max": REASON_MAX,
        }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def begin(self, request: HttpRequest, gateway: str) -> HttpResponse:
        """A new channel of a gateway."""
        _require_writer(request)
        if gateway not in dialects():
            raise Http404
        form = ChannelForm(
            request.POST or None, request.FILES or None, dialect=dialects()[gateway], base=None
        )
        return self._write(request, form)

    def edit(self, request: HttpRequest, row: int, version: int) -> HttpResponse:
        """A new draft that begins with what a version had."""
        _require_writer(request)
        channel = self._found(request, row)
        try:
            base = find_version(channel.code, version)
        except ChannelRefused as unknown:
            raise Http404 from unknown
        form = ChannelForm(
            request.POST or None, request.FILES or None,
            dialect=dialects()[channel.gateway], base=base,
        )  # fmt: skip
        return self._write(request, form)

    def _write(self, request: HttpRequest, form: ChannelForm) -> HttpResponse:
        if form.is_valid():
            try:
                version = draft_version(
                    draft=form.draft(), by=_person(request), actor=actor_of(request),
                    at=timezone.now(),
                )  # fmt: skip
            except ConfigurationRefused as refused:
                form.blame(refused.faults)
            except (ChannelRefused, HostNotAllowed) as refused:
                form.add_error(None, refusal_told(refused))
            else:
                messages.success(request, _("The draft is kept. Test it, then ask for approval."))
                return redirect("admin:payments_channel_change", version.channel_id)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form,
            "title": _("Set up a channel: %(gateway)s") % {"gateway": _(form.dialect.label)},
        }  # fmt: skip
        return render(request, "admin/payments/channel/draft.html", context)

    def deed(self, request: HttpRequest, row: int) -> HttpResponse:
        """Do one deed, with the second factor where it has power, and say what came of it."""
        channel = self._found(request, row)
        deed = DEEDS.get(request.POST.get("deed", ""))
        if deed is None or not (_may_write(request) or _may_kill(request)):
            raise Http404 if deed is None else PermissionDenied
        number = request.POST.get("number", "")
        version = int(number) if number.isascii() and number.isdecimal() else 0
        reason = request.POST.get("reason", "")[:REASON_MAX]
        if request.POST["deed"] in POWERFUL and reason.strip():
            wish = Deed(
                f"channel.{request.POST['deed']}", str(POWERFUL[request.POST["deed"]]),
                (
                    Fact("channel", _("Channel"), channel.code),
                    Fact("version", _("Version"), str(version)),
                    Fact("reason", _("Reason"), reason),
                ),
            )  # fmt: skip
            back = reverse("admin:payments_channel_change", args=[row])
            if answer := requires_step_up(request, wish, back=back):
                return answer
        try:
            level, told = deed(request, channel.code, version, reason)
        except REFUSALS as refusal:
            level, told = messages.ERROR, refusal_told(refusal)
        messages.add_message(request, level, told)
        return redirect("admin:payments_channel_change", row)

    def _found(self, request: HttpRequest, row: int) -> Channel:
        channel = self.get_queryset(request).filter(pk=row).first()
        if channel is None or not self.has_view_permission(request, channel):
            raise Http404
        found: Channel = channel
        return found


Told = tuple[int, str]


def _test(request: HttpRequest, code: str, number: int, reason: str) -> Told:
    if not _may_write(request):
        raise PermissionDenied
    trial = try_version(code=code, number=number, actor=actor_of(request), at=timezone.now())
    is_good = trial.result == "works"
    return (messages.SUCCESS if is_good else messages.ERROR, trial_told(trial))


def _submit(request: HttpRequest, code: str, number: int, reason: str) -> Told:
    ask_to_activate(
        code=code, number=number, reason=reason, by=_person(request), actor=actor_of(request),
        at=timezone.now(),
    )  # fmt: skip
    return messages.SUCCESS, _("You asked for it. Somebody else must agree.")


def _roll_back(request: HttpRequest, code: str, number: int, reason: str) -> Told:
    version = roll_back(
        code=code, to=number, reason=reason, by=_person(request), actor=actor_of(request),
        at=timezone.now(),
    )  # fmt: skip
    told = _("Version %(new)s has what version %(old)s had. Ask for its approval.")
    return messages.SUCCESS, told % {"new": version.number, "old": number}


def _kill(request: HttpRequest, code: str, number: int, reason: str) -> Told:
    kill_channel(
        code=code, reason=reason, by=_person(request), actor=actor_of(request), at=timezone.now()
    )
    return messages.SUCCESS, _("The channel is stopped. What was begun on it will be finished.")


def _switch_on(request: HttpRequest, code: str, number: int, reason: str) -> Told:
    ask_to_switch_on(
        code=code, reason=reason, by=_person(request), actor=actor_of(request), at=timezone.now()
    )
    return messages.SUCCESS, _("You asked for it. Somebody else must agree.")


DEEDS: Final[Mapping[str, Callable[[HttpRequest, str, int, str], Told]]] = {
    "test": _test, "submit": _submit, "roll_back": _roll_back, "kill": _kill,
    "switch_on": _switch_on,
}  # fmt: skip
POWERFUL: Final = {
    "submit": gettext_lazy("Ask for approval"),
    "kill": gettext_lazy("Stop the channel"),
    "switch_on": gettext_lazy("Ask to let the channel work again"),
}


def _require_writer(request: HttpRequest) -> None:
    if not _may_write(request):
        raise PermissionDenied


def _may_write(request: HttpRequest) -> bool:
    person = _person(request)
    return may(person, Ability.CHANNELS_REQUEST) or person.is_superuser


def _may_kill(request: HttpRequest) -> bool:
    return _may_write(request) or may(_person(request), Ability.CHANNELS_APPROVE)


def _person(request: HttpRequest) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionDenied
    return person
