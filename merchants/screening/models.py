"""Lists and their versions, whom they name, what was compared with them, and what was found."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.protection.columns import SealedTextField
from merchants.screening.states import EntityKind, HitState, ListKind, require_hit_move

NAME_MAX: Final = 200
REFERENCE_MAX: Final = 128
SUBJECT_KIND_MAX: Final = 32
SUBJECT_REF_MAX: Final = 64
REASON_MAX: Final = 500
STRENGTHS: Final = ("block", "hold", "log")


class ScreeningList(models.Model):
    """A list that names are compared with."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=ListKind)
    name = models.CharField(_("name"), max_length=128)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("screening list")
        verbose_name_plural = _("screening lists")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ListKind.values), name="screening_list_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(name=""), name="screening_list_named"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ListVersion(models.Model):
    """One file that a list was loaded from. What it held stays, as evidence."""

    list = models.ForeignKey(
        ScreeningList, models.PROTECT, related_name="versions", verbose_name=_("list")
    )
    number = models.PositiveIntegerField(_("version"))
    file_sha256 = models.CharField(_("digest of the file"), max_length=64)
    count = models.PositiveIntegerField(_("entries"))
    loaded_by = models.CharField(_("loaded by"), max_length=150)
    loaded_at = models.DateTimeField(_("loaded at"))
    is_active = models.BooleanField(pgettext_lazy("list", "in use"), default=True)

    class Meta:
        verbose_name = _("version of a screening list")
        verbose_name_plural = _("versions of screening lists")
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="list_version_number_once"),
            models.UniqueConstraint(
                fields=["list"], condition=Q(is_active=True), name="list_version_active_once"
            ),
            models.CheckConstraint(condition=Q(count__gt=0), name="list_version_names_somebody"),
            models.CheckConstraint(
                condition=Q(file_sha256__regex="^[0-9a-f]{64}$"), name="list_version_has_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list} {self.number}"


class ListedName(models.Model):
    """Whom a version names. The identity number is there as a keyed digest only."""

    # Without an index of its own, by which the planner would read a whole version.
    version = models.ForeignKey(ListVersion, models.PROTECT, related_name="names", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=EntityKind)
    name = models.CharField(_("name"), max_length=NAME_MAX)
    aliases = ArrayField(models.CharField(max_length=NAME_MAX), verbose_name=_("also called"))
    normal = models.CharField(_("compared as"), max_length=NAME_MAX)
    pinyin = models.CharField(_("sounds like"), max_length=1400, blank=True)
    """Without tones; a character has up to six letters."""
    keys = ArrayField(models.BigIntegerField())
    """What it is looked up by: `normal.keys_of` the name and the aliases, and the number's."""
    identity_digest = models.BinaryField(max_length=32, null=True)
    born = models.CharField(_("born"), max_length=10, blank=True)
    """A date, or a year, or nothing."""
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX, blank=True)
    """The number that the list's publisher gave."""
    digest = models.BinaryField(max_length=32)
    """Equal as long as the list says the same of the same person."""

    class Meta:
        verbose_name = _("listed name")
        verbose_name_plural = _("listed names")
        indexes = [
            # New keys go to the index at once: a pending list would be read by every look-up.
            GinIndex(fields=["keys"], name="listed_name_keys", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=EntityKind.values), name="listed_name_kind_known"
            ),
            models.CheckConstraint(condition=~Q(normal=""), name="listed_name_can_be_compared"),
            models.CheckConstraint(
                condition=Q(born="") | Q(born__regex=r"^\d{4}(-\d{2}-\d{2})?$"),
                name="listed_name_born_on_a_date_or_in_a_year",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ScreeningCheck(models.Model):
    """That a subject was compared with a version. What of the subject is a keyed digest only."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    subject_kind = models.CharField(_("kind"), max_length=SUBJECT_KIND_MAX)
    subject_ref = models.CharField(_("reference"), max_length=SUBJECT_REF_MAX)
    """Which one, in the words of the room that asks."""
    facts_digest = models.BinaryField(max_length=32)
    """Of the names, the identity number and the date of birth that were compared."""
    list = models.ForeignKey(ScreeningList, models.PROTECT, related_name="+")
    version = models.ForeignKey(
        ListVersion, models.PROTECT, related_name="checks", verbose_name=_("version")
    )
    algorithm = models.CharField(_("algorithm"), max_length=32)
    block_from = models.PositiveSmallIntegerField()
    hold_from = models.PositiveSmallIntegerField()
    log_from = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    """The one that counts for this subject and list."""
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("screening")
        verbose_name_plural = _("screenings")
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_ref", "version", "facts_digest", "algorithm"],
                name="screening_once_for_the_same",
            ),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_ref", "list"], condition=Q(is_current=True),
                name="screening_current_once",
            ),
            models.CheckConstraint(
                condition=~Q(subject_kind="") & ~Q(subject_ref=""),
                name="screening_names_its_subject",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id


class ScreeningHit(models.Model):
    """A listed name that a subject's is like."""

    public_id = models.CharField(_("number"), max_length=32, unique=True)
    # "check" itself is a method of every model.
    screening = models.ForeignKey(
        ScreeningCheck, models.PROTECT, related_name="hits", verbose_name=_("screening")
    )
    listed = models.ForeignKey(
        ListedName, models.PROTECT, related_name="hits", verbose_name=_("listed name")
    )
    name_sealed = SealedTextField(purpose="screening")
    """The subject's name as it was compared, for whoever decides."""
    score = models.PositiveSmallIntegerField(_("score"))
    strength = models.CharField(_("strength"), max_length=8)
    reasons = ArrayField(models.CharField(max_length=16), verbose_name=_("reasons"))
    state = models.CharField(
        pgettext_lazy("hit", "state"), max_length=12, choices=HitState, default=HitState.OPEN
    )
    asked_at = models.DateTimeField(_("since"))
    """When somebody was first asked; a newer version of the list does not change it."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided at"), null=True)
    reason = models.CharField(_("reason"), max_length=REASON_MAX, blank=True, default="")
    carried_from = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", verbose_name=_("taken over from")
    )
    """The hit of an earlier check on the same facts and the same entry."""

    class Meta:
        verbose_name = _("screening hit")
        verbose_name_plural = _("screening hits")
        indexes = [
            models.Index(
                fields=["asked_at", "id"], condition=Q(state="open"), name="screening_hit_open"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["screening", "listed"], name="screening_hit_once"),
            models.CheckConstraint(
                condition=Q(score__gt=0, score__lte=100), name="screening_hit_score_in_range"
            ),
            models.CheckConstraint(
                condition=Q(strength__in=STRENGTHS), name="screening_hit_strength_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        state__in=["open", "noted"], decided_by__isnull=True,
                        decided_at__isnull=True, reason="",
                    )
                    | (
                        Q(
                            state__in=["confirmed", "dismissed"], decided_by__isnull=False,
                            decided_at__isnull=False,
                        )
                        & ~Q(reason="")
                    )
                ),
                name="screening_hit_decided_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="noted") | Q(strength="log"),
                name="screening_hit_strong_ones_are_asked_about",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id

    def move(self, to: HitState, *, by: int, reason: str, at: datetime) -> None:
        """Decide it, by the account with this key. The caller holds this row's lock."""
        require_hit_move(HitState(self.state), to)
        self.state, self.decided_by_id, self.reason, self.decided_at = to, by, reason, at
        self.save(update_fields=["state", "decided_by", "reason", "decided_at"])


class Rescreening(models.Model):
    """One walk through all subjects of a source, step by step."""

    source = models.CharField(_("source"), max_length=SUBJECT_KIND_MAX)
    covering = models.CharField(max_length=64)
    """A digest of the versions and the algorithm; when it changes, the walk begins anew."""
    cursor = models.CharField(max_length=SUBJECT_REF_MAX, blank=True, default="")
    """The reference of the last subject that was screened."""
    screened = models.PositiveIntegerField(_("screened"), default=0)
    begun_at = models.DateTimeField(_("begun at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("screening of all subjects")
        verbose_name_plural = _("screenings of all subjects")
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(finished_at__isnull=True),
                name="rescreening_one_at_a_time",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.source} {self.begun_at:%Y-%m-%d %H:%M}"
