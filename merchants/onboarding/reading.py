"""An application as it stands: what each section says, what is wrong, what is open for writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from compliance.protection.vault.states import FileState
from merchants.onboarding.documents import DocumentNeed, documents_needed
from merchants.onboarding.models import Application, Document, Draft, Verdict
from merchants.onboarding.rules import judge
from merchants.onboarding.sections import (
    ENTITY,
    SECTIONS,
    Fault,
    Reading,
    Section,
    Typed,
    read_section,
    sections_for,
)
from merchants.onboarding.states import WRITABLE, ApplicationState

DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class Part:
    """One section as it stands."""

    section: Section
    version: int
    typed: Sequence[Typed]
    faults: tuple[Fault, ...]

    @property
    def is_begun(self) -> bool:
        """Whether anything was typed."""
        return any(value.strip() for row in self.typed for value in row.values())

    @property
    def is_done(self) -> bool:
        """Whether nothing is wrong or missing."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Standing:
    """All of an application, read once."""

    application: Application
    entity: str
    parts: Mapping[str, Part]
    read: Mapping[str, Reading]
    needs: tuple[DocumentNeed, ...]
    documents: tuple[Document, ...]
    document_faults: tuple[Fault, ...]
    verdicts: Mapping[str, Verdict]
    """Of the last round, by target."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything to mend before submitting."""
        typed = [fault for part in self.parts.values() for fault in part.faults]
        return (*typed, *self.document_faults)

    @property
    def is_writable(self) -> bool:
        """Whether the applicant may write anything."""
        return self.application.state in WRITABLE

    @property
    def rejected(self) -> frozenset[str]:
        """Fields and papers that the reviewers want mended."""
        return frozenset(target for target, one in self.verdicts.items() if not one.is_right)

    def is_open(self, section: str, field: str = "") -> bool:
        """Whether a field may be written; without one, whether anything in the section may.

        After a review only what was rejected is open; a list of rows as a whole.
        """
        if self.application.state == ApplicationState.DRAFT:
            return True
        if self.application.state != ApplicationState.NEEDS_CHANGES:
            return False
        if not field or SECTIONS[section].is_list:
            return any(target.startswith(f"{section}.") for target in self.rejected)
        return f"{section}.{field}" in self.rejected

    def takes(self, kind: str) -> bool:
        """Whether papers of the kind may be added or taken back: after a review, a rejected kind,
        and one that a change of the application has made necessary.
        """
        if self.application.state == ApplicationState.DRAFT:
            return True
        if self.application.state != ApplicationState.NEEDS_CHANGES:
            return False
        held = [one for one in self.documents if one.kind == kind]
        is_missing = not held and any(need.kind == kind for need in self.needs)
        return is_missing or any(one.file.public_id in self.rejected for one in held)


def standing_of(application: Application, *, on: date) -> Standing:
    """Read an application as of a day. Raises KeyUnknown or Tampered."""
    drafts = {row.section: row for row in application.drafts.all()}
    entity = _entity_of(drafts.get(ENTITY.name), on)
    read = {
        section.name: read_section(section, _typed(drafts.get(section.name)), on=on)
        for section in sections_for(entity)
    }
    between = judge(entity, read)
    parts = {
        name: Part(
            SECTIONS[name],
            drafts[name].version if name in drafts else 0,
            _typed(drafts.get(name)),
            (*reading.faults, *(fault for fault in between if fault.section == name)),
        )
        for name, reading in read.items()
    }
    documents = tuple(
        application.documents.filter(removed_at__isnull=True).select_related("file").order_by("pk")
    )
    needs = documents_needed(entity, read)
    said = application.verdicts.filter(round=application.round)
    verdicts = {one.target: one for one in said}
    return Standing(
        application, entity, MappingProxyType(parts), MappingProxyType(read), needs, documents,
        _document_faults(needs, documents, verdicts, on), MappingProxyType(verdicts),
    )  # fmt: skip


def _entity_of(draft: Draft | None, on: date) -> str:
    row = next(iter(read_section(ENTITY, _typed(draft), on=on).rows), {})
    return str(row.get("entity", ""))


def _typed(draft: Draft | None) -> Sequence[Typed]:
    return draft.typed if draft is not None else ()


def _document_faults(
    needs: Sequence[DocumentNeed],
    documents: Sequence[Document],
    verdicts: Mapping[str, Verdict],
    on: date,
) -> tuple[Fault, ...]:
    faults = []
    for need in needs:
        held = [one for one in documents if one.kind == need.kind]
        if need.is_required and not held:
            faults.append(Fault(DOCUMENTS, need.kind, "document_missing"))
        for one in held:
            verdict = verdicts.get(one.file.public_id)
            if verdict is not None and not verdict.is_right:
                faults.append(Fault(DOCUMENTS, need.kind, "document_rejected"))
            elif one.file.state == FileState.INFECTED:
                faults.append(Fault(DOCUMENTS, need.kind, "document_infected"))
            elif need.has_term and one.valid_to is None:
                faults.append(Fault(DOCUMENTS, need.kind, "document_term_missing"))
            elif one.valid_to is not None and one.valid_to < on:
                faults.append(Fault(DOCUMENTS, need.kind, "document_expired"))
    return tuple(faults)
