"""The merchant's file as gateways read it: opened for one call, and never kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.onboarding.models import Application
from merchants.onboarding.reading import DOCUMENTS, standing_of
from merchants.onboarding.sections import SECTIONS, Value
from merchants.onboarding.states import ApplicationState
from merchants.onboarding.values import FOREVER
from payments.channels.enrolling import (
    LONG_TERM,
    Enroller,
    Fixed,
    MerchantFile,
    applies,
    lacking,
)
from payments.enrolment.models import Enrolment
from payments.enrolment.refusals import EnrolmentRefused


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What the newest approved application of a merchant says, and its papers by kind."""

    values: Mapping[str, str] = field(repr=False)
    papers: Mapping[str, tuple[StoredFile, ...]]


def open_merchant_file(merchant_id: int, answers: Mapping[str, str], *, on: date) -> OpenFile:
    """Read a merchant's file. Raises EnrolmentRefused (merchant_not_approved), KeyUnknown or
    Tampered.
    """
    application = (
        Application.objects.filter(merchant_id=merchant_id, state=ApplicationState.APPROVED)
        .order_by("-ended_at")
        .first()
    )
    if application is None:
        raise EnrolmentRefused("merchant_not_approved")
    standing = standing_of(application, on=on)
    values = {
        f"{name}.{key}": _text(value)
        for name, reading in standing.read.items()
        if not SECTIONS[name].is_list
        for row in reading.rows[:1]
        for key, value in row.items()
    }
    owners = standing.read["owners"].rows if "owners" in standing.read else ()
    person = values.get("legal_person.identity_number")
    if any(row.get("identity_number") == person for row in owners):
        values["owners.legal_person"] = "yes"
    papers: dict[str, tuple[StoredFile, ...]] = {}
    for one in standing.documents:
        if one.file.state == FileState.CLEAN:
            key = f"{DOCUMENTS}.{one.kind}"
            papers[key] = (*papers.get(key, ()), one.file)
    return OpenFile(MappingProxyType({**values, **answers}), MappingProxyType(papers))


def wanted_papers(enroller: Enroller, opened: OpenFile) -> list[tuple[str, StoredFile]]:
    """The papers that this gateway wants of such a merchant, each with its kind."""
    kinds = dict.fromkeys(
        row.ours
        for row in enroller.table
        if not isinstance(row, Fixed) and applies(row.when, opened.values)
        and row.ours in opened.papers
    )  # fmt: skip
    return [(kind, file) for kind in kinds for file in opened.papers[kind]]


def require_complete(enrolment: Enrolment, enroller: Enroller, *, on: date) -> None:
    """Raise EnrolmentRefused (file_incomplete, paper_unfit) before anything is sent."""
    opened = open_merchant_file(enrolment.merchant_id, enrolment.answers, on=on)
    for kind, file in wanted_papers(enroller, opened):
        if file.media_type not in enroller.picture_types or file.size > enroller.picture_bytes_max:
            raise EnrolmentRefused("paper_unfit", field=kind)
    held = {kind: tuple(file.public_id for file in files) for kind, files in opened.papers.items()}
    # The channel's own numbers are the channel's to fill in.
    values = {**opened.values, "channel.app": "known"}
    missing = lacking(
        enroller.table, MerchantFile(number=enrolment.number, values=values, pictures=held)
    )
    if missing:
        raise EnrolmentRefused("file_incomplete", fields=missing)


def _text(value: Value) -> str:
    if isinstance(value, date):
        return LONG_TERM if value == FOREVER else value.isoformat()
    return str(value)
