"""What channels are agreed to keep, and asking for another agreement."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.identity.roles import Ability, may
from compliance.identity.signin import actor_of, person_of
from payments.admin.readonly import ReadOnlyAdmin
from payments.channels.models import Channel
from payments.reconciliation.fees import request_fee_rate
from payments.reconciliation.matching import MILLION, Terms
from payments.reconciliation.models import FeeRate

REASON_MAX = 1000


class FeeForm(forms.Form):
    """Another fee, from a day on."""

    channel = forms.ModelChoiceField(
        Channel.objects.order_by("code"), label=gettext_lazy("Channel")
    )
    first_day = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    rate_ppm = forms.IntegerField(
        label=gettext_lazy("Rate in millionths (6000 is six per thousand)"),
        validators=[MinValueValidator(0), MaxValueValidator(MILLION)],
    )
    returns_on_refund = forms.BooleanField(
        label=gettext_lazy("Given back with a refund"), required=False
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


@admin.register(FeeRate)
class FeeRateAdmin(ReadOnlyAdmin):
    """The agreements, the newest first."""

    list_display = ("channel", "first_day", "rate_ppm", "returns_on_refund")
    list_filter = ("channel",)
    list_select_related = ("channel",)
    fields = ("channel", "first_day", "rate_ppm", "returns_on_refund")

    def get_urls(self) -> list[URLPattern]:
        """Asking."""
        view = self.admin_site.admin_view(self.ask)
        return [path("ask/", view, name="payments_feerate_ask"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say whether the reader may ask."""
        person = person_of(request)
        can_ask = person is not None and may(person, Ability.CHANNELS_REQUEST)
        return super().changelist_view(request, {**(extra_context or {}), "can_ask": can_ask})

    def ask(self, request: HttpRequest) -> HttpResponse:
        """A form; refused, it keeps what was typed."""
        person = person_of(request)
        if person is None or not may(person, Ability.CHANNELS_REQUEST):
            raise PermissionDenied
        form = FeeForm(request.POST or None)
        if form.is_valid():
            said = form.cleaned_data
            try:
                approval = request_fee_rate(
                    channel=said["channel"], first_day=said["first_day"],
                    terms=Terms(
                        rate_ppm=said["rate_ppm"], returns_on_refund=said["returns_on_refund"]
                    ),
                    reason=said["reason"], maker=person, actor=actor_of(request),
                    at=timezone.now(),
                )  # fmt: skip
            except ApprovalRefused as refusal:
                form.add_error(None, refusal.told)
            else:
                messages.success(request, _("You asked for it. Somebody else must agree."))
                return redirect("admin:compliance_approval_change", approval.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form,
            "title": _("Ask for another fee"),
        }  # fmt: skip
        return render(request, "admin/payments/feerate/ask.html", context)
