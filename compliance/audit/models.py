"""What was done, by whom, and the chain of hashes that proves it was not changed since."""

import json

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.audit.chain import FIRST_FORM, SECOND_FORM
from compliance.audit.words import sentence


class AuditEntry(models.Model):
    """One deed. Rows are only ever added: triggers refuse UPDATE, DELETE and TRUNCATE.

    Every column but `actor_kind`, `action`, `subject_kind` and `subject_id` has a default in the
    database, so that a statement written by hand may leave it out.
    """

    at = models.DateTimeField(_("at"), db_default=Now())
    actor_kind = models.CharField(_("kind of actor"), max_length=16)
    actor_id = models.CharField(_("actor's number"), max_length=64, blank=True, db_default="")
    actor_label = models.CharField(_("actor"), max_length=128, blank=True, db_default="")
    address = models.CharField(_("address"), max_length=45, blank=True, db_default="")
    action = models.CharField(_("action"), max_length=64)
    subject_kind = models.CharField(_("kind of subject"), max_length=32)
    subject_id = models.CharField(pgettext_lazy("record", "subject"), max_length=64)
    facts = models.JSONField(_("facts"), db_default={})
    reason = models.TextField(_("reason"), blank=True, db_default="")
    version = models.PositiveSmallIntegerField(_("form"), db_default=2)
    """In which form the entry is hashed: `chain` knows them all."""
    # A number and no foreign key: the entry outlives whoever it is about.
    person = models.BigIntegerField(pgettext_lazy("account", "person"), null=True, blank=True)
    role = models.CharField(_("role"), max_length=128, blank=True, db_default="")
    agent = models.CharField(_("program"), max_length=200, blank=True, db_default="")
    before = models.JSONField(_("before"), db_default={})
    after = models.JSONField(_("after"), db_default={})

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "at", "id"], name="audit_subject"),
            models.Index(fields=["actor_kind", "actor_id", "at", "id"], name="audit_actor"),
            models.Index(fields=["action", "at", "id"], name="audit_action"),
            models.Index(fields=["at", "id"], name="audit_at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(version__in=[FIRST_FORM, SECOND_FORM]),
                name="audit_entry_form_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"

    def sentence(self) -> str:
        """What was done, for people."""
        return sentence(self.action)

    def told(self) -> list[tuple[str, str]]:
        """The facts as people read them: name and text."""
        return [(name, _text(value)) for name, value in self.facts.items()]

    def changes(self) -> list[tuple[str, str, str]]:
        """What changed: name, before and after; "" where there was or is nothing."""
        names = sorted({*self.before, *self.after})
        return [
            (name, _text(self.before.get(name, "")), _text(self.after.get(name, "")))
            for name in names
        ]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class AuditSeal(models.Model):
    """One link of the chain: an entry's hash with everything sealed before it. Append-only."""

    position = models.BigIntegerField(_("position"), primary_key=True)
    # No foreign key in the database: its check would write to each entry's page a second time.
    # A seal whose entry is gone is what `verify` looks for.
    entry = models.OneToOneField(
        AuditEntry, models.PROTECT, related_name="seal", db_constraint=False
    )
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(_("sealed at"), db_default=Now())

    class Meta:
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(position__gte=1), name="audit_seal_position_from_one"
            ),
        ]

    def __str__(self) -> str:
        return str(self.position)


class AuditBlock(models.Model):
    """Some seals in a row under one Merkle root, and the block before it. Append-only."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    first = models.BigIntegerField(unique=True)
    last = models.BigIntegerField(unique=True)
    previous = models.BinaryField(max_length=32)
    root = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32, unique=True)
    sealed_at = models.DateTimeField(_("sealed at"), db_default=Now())

    class Meta:
        verbose_name = _("audit block")
        verbose_name_plural = _("audit blocks")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__gte=1, first__gte=models.F("number")),
                name="audit_block_number_from_one",
            ),
            models.CheckConstraint(
                condition=models.Q(last__gte=models.F("first")), name="audit_block_holds_a_seal"
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class AuditStamp(models.Model):
    """An outsider's signed statement that a block stood there at a time. Append-only."""

    # No foreign key, as for seals: a stamp whose block is gone is what `verify_audit` looks for.
    block = models.BigIntegerField(_("block"), primary_key=True)
    token = models.BinaryField(max_length=65536)
    stamped_at = models.DateTimeField(_("stamped at"), db_default=Now())

    class Meta:
        verbose_name = _("time stamp")
        verbose_name_plural = _("time stamps")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(block__gte=1), name="audit_stamp_block_from_one"
            ),
        ]

    def __str__(self) -> str:
        return str(self.block)


class AuditProgress(models.Model):
    """How far the sealer has got: the one row that keeps it from looking at the whole table.

    It is a note, not evidence: no verdict on the chain rests on it, so that changing it hides no
    change of the chain.
    """

    settled = models.BigIntegerField(db_default=0)
    """Every entry up to this id is sealed, or will never exist."""
    watched = models.BigIntegerField(db_default=0)
    """Becomes `settled` once every transaction that could hold a lower id has ended."""
    watched_until = models.BigIntegerField(null=True)
    """All those transactions have numbers below this one. Not yet known while null."""
    noted_block = models.BigIntegerField(db_default=0)
    """Every block up to this one stands in the file of noted heads."""
    noted_bytes = models.BigIntegerField(db_default=0)
    """How long that file was then: a shorter one, or none, was tampered with."""
    are_notes_lost = models.BooleanField(db_default=False)
    """The sealer has seen that, and goes on in what is there."""

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="audit_progress_is_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.settled)
