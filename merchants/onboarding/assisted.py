"""Reads a paper that the applicant added, and fills in what is still empty. It never overwrites."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.protection.vault.files import FileClosed, open_file
from merchants.access import MerchantAccess
from merchants.days import day_of
from merchants.onboarding.documents import IDENTITY_BACK, IDENTITY_FRONT, LICENCE
from merchants.onboarding.drafting import find_application, save_section
from merchants.onboarding.reading import standing_of
from merchants.onboarding.recognising.choosing import recogniser
from merchants.onboarding.recognising.crosscheck import suggest
from merchants.onboarding.recognising.reading import Kind, RecognitionRefused
from merchants.onboarding.refusals import ApplicationNotFound

READ: Final[Mapping[str, tuple[str, Kind]]] = MappingProxyType({
    LICENCE: ("licence", Kind.LICENCE),
    IDENTITY_FRONT: ("legal_person", Kind.IDENTITY_FRONT),
    IDENTITY_BACK: ("legal_person", Kind.IDENTITY_BACK),
})  # fmt: skip
"""Which papers are read, and for which section."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What came of it. Fields as "section.field"; their values stand in the draft only."""

    section: str
    filled: tuple[str, ...]
    differing: tuple[str, ...]
    """The paper says something else than the person typed, who compares both."""


def read_document(*, access: MerchantAccess, by: User, file: str, at: datetime) -> Proposal:
    """Read a paper of the application. Called outside transactions: a program looks at it for
    seconds.

    Raises AccessRefused, RecognitionRefused (not_scanned among them), ApplicationNotFound (also for
    a paper that is not read), or what `save_section` raises.
    """
    application = find_application(access)
    document = (
        application.documents.filter(
            file__public_id=file, removed_at__isnull=True, kind__in=list(READ)
        )
        .select_related("file")
        .first()
    )
    if document is None:
        raise ApplicationNotFound
    section, kind = READ[document.kind]
    engine = recogniser()
    try:
        opened = open_file(
            document.file, reason="read for the applicant", actor=access.actor, at=at
        )
    except FileClosed:
        raise RecognitionRefused("not_scanned") from None
    read = engine.read(opened.content, kind=kind, on=day_of(at))
    standing = standing_of(application, on=day_of(at))
    part = standing.parts[section]
    typed = dict(part.typed[0]) if part.typed else {}
    asked = {
        field.name: typed.get(field.name, "")
        for field in part.section.fields
        if standing.is_open(section, field.name)
    }
    advice = suggest(asked, read, section=section)
    filled = {told.field: told.value for told in advice.fills}
    if filled:
        save_section(
            access=access, by=by, section=section, typed=[typed | filled], version=part.version,
            at=at,
        )  # fmt: skip
    differing = tuple(f"{section}.{one.field}" for one in advice.disagreements)
    record(
        access.actor, "application.document_read", subject=("application", application.public_id),
        facts={"file": file, "filled": sorted(filled), "differing": sorted(differing)}, at=at,
    )  # fmt: skip
    return Proposal(section, tuple(f"{section}.{name}" for name in filled), differing)
