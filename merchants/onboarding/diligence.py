"""What is done for a merchant of high risk beside all else, and the papers that prove it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import new_number
from compliance.protection.vault.files import Upload, erase_file, take_in
from merchants.errors import MerchantRefusal
from merchants.onboarding.grading import Grade, diligence_for
from merchants.onboarding.models import Application, Diligence
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import lock_for_review

NOTE_MAX: Final = 2000
PURPOSE: Final = "diligence"


def note_diligence(
    *, application: str, measure: str, note: str, by: User, actor: Actor, at: datetime,
    upload: Upload | None = None,
) -> Diligence:  # fmt: skip
    """Say that a measure was taken, and what came of it; with a paper where there is one.

    Called outside transactions when there is a paper: it asks a scanner and a storage. Raises
    FileRefused, ApplicationNotFound, or VerdictRefused: note_missing, measure_not_wanted.
    """
    with transaction.atomic():
        row = _wanted(application, measure, note, by)
    if upload is None:
        file = None
    else:
        owner = ("application", row.public_id)
        file = take_in(upload, purpose=PURPOSE, owner=owner, actor=actor, at=at)
    try:
        with transaction.atomic():
            row = _wanted(application, measure, note, by)
            kept = Diligence.objects.create(
                public_id=new_number("dil_", at=at), application=row, measure=measure, file=file,
                note_sealed=note.strip()[:NOTE_MAX], by=by, at=at,
            )  # fmt: skip
            record(
                actor, "application.diligence_noted", subject=("application", row.public_id),
                facts={
                    "measure": measure, "note": kept.public_id,
                    **({"file": file.public_id} if file else {}),
                },
                at=at,
            )  # fmt: skip
    except MerchantRefusal:
        # Somebody sent it back or decided while the file was being looked at.
        if file is not None:
            erase_file(file, actor=actor, at=at, reason="not wanted any more")
        raise
    return kept


def measures_of(application: Application) -> tuple[str, ...]:
    """What is wanted for its grade."""
    return diligence_for(Grade(application.risk)) if application.risk else ()


def missing_diligence(application: Application) -> Sequence[str]:
    """What is wanted, and nobody has said is done."""
    done = set(application.diligence.values_list("measure", flat=True))
    return [measure for measure in measures_of(application) if measure not in done]


def _wanted(application: str, measure: str, note: str, by: User) -> Application:
    row = lock_for_review(application, by)
    if not note.strip():
        raise VerdictRefused("note_missing")
    if measure not in measures_of(row):
        raise VerdictRefused("measure_not_wanted")
    return row
