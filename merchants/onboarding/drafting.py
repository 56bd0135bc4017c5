"""Writing an application: sections that save themselves, and papers."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.db import transaction

from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import new_number
from compliance.protection.vault.files import Upload, erase_file, take_in
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import HELD
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.days import day_of
from merchants.onboarding.documents import FILES_MAX
from merchants.onboarding.models import Application, Document, Draft
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.refusals import (
    ApplicationNotFound,
    NotWritable,
    Overtaken,
    TooManyFiles,
)
from merchants.onboarding.sections import SECTIONS, Typed
from merchants.onboarding.states import WRITABLE

VALUE_MAX: Final = 2000
"""Characters of one typed value that are kept; whoever sends more is not typing."""
PURPOSE: Final = "onboarding"


@transaction.atomic
def save_section(
    *, access: MerchantAccess, by: User, section: str, typed: Sequence[Mapping[str, str]],
    version: int, at: datetime,
) -> int:  # fmt: skip
    """Keep what was typed, right or wrong; the new version.

    `version` is the one that the caller looked at, 0 for none. Raises AccessRefused,
    ApplicationNotFound, NotWritable, or Overtaken: nothing is ever written over that the caller has
    not seen. What is the same already is not saved again.
    """
    application = lock_application(access)
    standing = standing_of(application, on=day_of(at))
    if not standing.is_open(section):
        raise NotWritable(section=section)
    draft = application.drafts.filter(section=section).first()
    rows = _cleaned(section, typed)
    before = draft.typed if draft is not None else []
    if list(before) == rows:
        return draft.version if draft is not None else 0
    if (draft.version if draft is not None else 0) != version:
        raise Overtaken(
            version=draft.version if draft else 0, typed=before,
            by=str(draft.saved_by) if draft else "",
        )  # fmt: skip
    changed = _changed(before, rows)
    _require_open(standing, section, changed)
    if draft is None:
        draft = Draft(public_id=new_number("sec_", at=at), application=application, section=section)
    draft.version = version + 1
    draft.typed_sealed = json.dumps(rows, ensure_ascii=False)
    draft.saved_by, draft.saved_at = by, at
    draft.save()
    record(
        access.actor, "application.section_saved",
        subject=("application", application.public_id),
        facts={"section": section, "fields": sorted(changed), "version": draft.version}, at=at,
    )  # fmt: skip
    return draft.version


def add_document(
    *, access: MerchantAccess, by: User, kind: str, upload: Upload, valid_to: date | None,
    at: datetime,
) -> Document:  # fmt: skip
    """Take a paper in. Called outside transactions: it asks a scanner and a storage.

    Raises AccessRefused, ApplicationNotFound, NotWritable, TooManyFiles, or FileRefused.
    """
    application = find_application(access)
    _require_room(application, kind, at)
    file = take_in(
        upload, purpose=PURPOSE, owner=("merchant", access.merchant), actor=access.actor, at=at
    )
    try:
        with transaction.atomic():
            locked = lock_application(access)
            _require_room(locked, kind, at)
            document = Document.objects.create(
                application=locked, kind=kind, file=file, valid_to=valid_to, added_by=by,
                added_at=at,
            )  # fmt: skip
            record(
                access.actor, "application.document_added",
                subject=("application", locked.public_id),
                facts={"kind": kind, "file": file.public_id}, at=at,
            )  # fmt: skip
    except (NotWritable, TooManyFiles):
        # Somebody submitted, or filled the last place, while the file was being looked at.
        erase_file(file, actor=access.actor, at=at, reason="not wanted any more")
        raise
    return document


def remove_document(*, access: MerchantAccess, file: str, at: datetime) -> None:
    """Take a paper back. What no reviewer has seen is destroyed; the rest stays as evidence.

    Called outside transactions. Raises AccessRefused, ApplicationNotFound (also for a paper that is
    not there), or NotWritable.
    """
    with transaction.atomic():
        application = lock_application(access)
        document = (
            application.documents.filter(file__public_id=file, removed_at__isnull=True)
            .select_related("file")
            .first()
        )
        if document is None:
            raise ApplicationNotFound
        if not standing_of(application, on=day_of(at)).takes(document.kind):
            raise NotWritable(kind=document.kind)
        document.removed_at = at
        document.save(update_fields=["removed_at"])
        record(
            access.actor, "application.document_removed",
            subject=("application", application.public_id),
            facts={"kind": document.kind, "file": file}, at=at,
        )  # fmt: skip
    stored = StoredFile.objects.get(pk=document.file_id)
    if application.round == 0 and stored.state in HELD:
        erase_file(stored, actor=access.actor, at=at, reason="taken back by the applicant")


def find_application(access: MerchantAccess) -> Application:
    """The merchant's open application. Raises AccessRefused or ApplicationNotFound."""
    require(access, APPLICATION_WRITE)
    found = Application.objects.filter(
        merchant_id=access.merchant_id, ended_at__isnull=True
    ).first()
    if found is None:
        raise ApplicationNotFound
    return found


def lock_application(access: MerchantAccess) -> Application:
    """The same with its row locked: everybody holds it who writes drafts, papers or verdicts."""
    found = find_application(access)
    return Application.objects.select_for_update().get(pk=found.pk)


def _require_room(application: Application, kind: str, at: datetime) -> None:
    standing = standing_of(application, on=day_of(at))
    if application.state not in WRITABLE or not standing.takes(kind):
        raise NotWritable(kind=kind)
    if kind not in {need.kind for need in standing.needs}:
        raise NotWritable(kind=kind)
    if sum(one.kind == kind for one in standing.documents) >= FILES_MAX:
        raise TooManyFiles(kind=kind)


def _cleaned(section: str, typed: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The fields of the section only, and no rows that nobody wrote into, but the first."""
    asked = SECTIONS[section]
    names = [field.name for field in asked.fields]
    rows = [{name: row.get(name, "")[:VALUE_MAX] for name in names} for row in typed]
    written = [row for row in rows if any(value.strip() for value in row.values())]
    return (
        written[: asked.rows_max + 1] if asked.is_list else (rows or [dict.fromkeys(names, "")])[:1]
    )


def _changed(before: Sequence[Typed], rows: Sequence[Typed]) -> set[str]:
    """The names of the fields that differ in any row."""
    changed = set()
    for number in range(max(len(before), len(rows))):
        old = before[number] if number < len(before) else {}
        new = rows[number] if number < len(rows) else {}
        changed |= {name for name in {*old, *new} if old.get(name, "") != new.get(name, "")}
    return changed


def _require_open(standing: Standing, section: str, changed: set[str]) -> None:
    shut = sorted(name for name in changed if not standing.is_open(section, name))
    if shut:
        raise NotWritable(section=section, fields=", ".join(shut))
