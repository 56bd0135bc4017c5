"""Enrolments, how they went, what a gateway wants corrected, and the numbers it gave in the end."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from compliance.protection.vault.models import StoredFile
from merchants.accounts.models import Merchant
from payments.channels.models import Channel
from payments.enrolment.states import ASKED, ENDED, EnrolmentState, require_enrolment_move


class Enrolment(models.Model):
    """One merchant's application to one channel. What it says is read from the merchant's file."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="enrolments", verbose_name=_("merchant")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="enrolments", verbose_name=_("channel")
    )
    is_on_paper = models.BooleanField(_("on paper"))
    """The gateway has no interface for it: an operator enters what its letters say."""
    state = models.CharField(
        pgettext_lazy("enrolment", "state"), max_length=16, choices=EnrolmentState,
        default=EnrolmentState.DRAFT,
    )  # fmt: skip
    round = models.PositiveSmallIntegerField(_("round"), default=0)
    """How often it was handed in."""
    gateway_number = models.CharField(_("the gateway's number"), max_length=64, blank=True)
    answers_sealed = SealedTextField(purpose="enrolment")
    """What only the gateway asks, as the operator typed it; gone when the enrolment ends."""
    sign_url_sealed = SealedTextField(purpose="enrolment")
    """Whoever opens it may sign; "" when there is none."""
    created_at = models.DateTimeField(_("created at"))
    since = models.DateTimeField(_("in this state since"))
    sent_at = models.DateTimeField(_("last handed in at"), null=True)
    """Of this round; None until the gateway may have heard of it."""
    lapses_on = models.DateField(_("lapses on"), null=True)
    """Until when the gateway waits for the merchant, where it says so."""
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ask_at = models.DateTimeField(_("asked next at"), null=True)
    leased_until = models.DateTimeField(null=True)
    """A worker has it to itself until then."""
    asked = models.PositiveIntegerField(_("asked in this state"), default=0)
    trouble = models.CharField(_("trouble"), max_length=64, blank=True)
    """Why the last call brought no answer that counts: a code."""

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["ask_at"], name="enrolment_due", condition=Q(ask_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=EnrolmentState.values), name="enrolment_state_known"
            ),
            models.UniqueConstraint(
                fields=["merchant", "channel"], condition=~Q(state="cancelled"),
                name="enrolment_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(ENDED), ended_at__isnull=False)
                | (~Q(state__in=sorted(ENDED)) & Q(ended_at__isnull=True)),
                name="enrolment_end_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(ask_at__isnull=True)
                | Q(state__in=sorted(ASKED), is_on_paper=False),
                name="enrolment_asked_while_open",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id

    @property
    def number(self) -> str:
        """Our number at the gateway, the same over all rounds and retries: capitals and digits."""
        return self.public_id.replace("_", "").upper()

    @property
    def answers(self) -> Mapping[str, str]:
        """What the operator typed, by "extra.<name>". Raises KeyUnknown or Tampered."""
        typed: dict[str, str] = json.loads(self.answers_sealed.open() or "{}")
        return typed

    def move(self, to: EnrolmentState, *, at: datetime, **facts: Any) -> None:
        """Change the state, and facts with it. The caller holds this row's lock.

        Raises IllegalMove.
        """
        require_enrolment_move(EnrolmentState(self.state), to)
        is_asked = to in ASKED and not self.is_on_paper
        self.state, self.since, self.asked, self.trouble = to, at, 0, ""
        self.ask_at, self.lapses_on, self.sign_url_sealed = (at if is_asked else None), None, ""
        self.ended_at = at if to in ENDED else None
        if to in ENDED:
            # Nobody needs it again, and some of it is personal.
            self.answers_sealed = ""
        for name, value in facts.items():
            setattr(self, name, value)
        self.save(
            update_fields=[
                "state", "since", "asked", "trouble", "ask_at", "lapses_on", "sign_url_sealed",
                "ended_at", "answers_sealed", *facts,
            ]
        )  # fmt: skip


class EnrolmentStep(models.Model):
    """One move of an enrolment. Rows are only ever added."""

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="steps")
    state = models.CharField(
        pgettext_lazy("enrolment", "state"), max_length=16, choices=EnrolmentState
    )
    round = models.PositiveSmallIntegerField(_("round"))
    letter = models.CharField(_("number of the letter"), max_length=64, blank=True)
    by = models.CharField(_("by"), max_length=128)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("step of an enrolment")
        verbose_name_plural = _("steps of enrolments")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.state} {self.at}"


class EnrolmentReason(models.Model):
    """What a gateway wants corrected in one round, at our field."""

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="reasons")
    round = models.PositiveSmallIntegerField()
    field = models.CharField(max_length=64, blank=True)
    """Ours: "licence.name", "documents.licence"; empty for the whole."""
    theirs = models.CharField(max_length=128, blank=True)
    told = models.TextField()
    """The gateway's own words, without numbers of persons, cards and telephones."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.field}: {self.told}"


class EnrolmentPicture(models.Model):
    """A paper that the gateway already has, by its mark there: it goes out once."""

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="pictures")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    mark = models.CharField(max_length=512)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "file"], name="enrolment_picture_once"),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment_id} {self.file_id}"


class SubMerchant(models.Model):
    """A merchant's own number at a channel, given when its enrolment was finished."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="sub_merchants", verbose_name=_("merchant")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="sub_merchants", verbose_name=_("channel")
    )
    number = models.CharField(_("number at the channel"), max_length=64)
    enrolment = models.OneToOneField(
        Enrolment, models.PROTECT, related_name="sub_merchant", verbose_name=_("enrolment")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("number at a channel")
        verbose_name_plural = _("numbers at channels")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["merchant", "channel"], name="sub_merchant_once"),
            models.UniqueConstraint(fields=["channel", "number"], name="sub_merchant_number_once"),
            models.CheckConstraint(condition=~Q(number=""), name="sub_merchant_has_number"),
        ]

    def __str__(self) -> str:
        return self.number
