"""What an application states, as reviewers see it."""

from typing import Any

from django.utils.translation import gettext as _

from compliance.protection.masking import masked
from merchants.onboarding.masks import KIND_OF
from merchants.onboarding.models import Application, Document
from merchants.onboarding.reading import Part, Standing
from merchants.onboarding.screened import outcomes_for, subjects_of
from merchants.onboarding.sections import Field, Typed
from merchants.onboarding.values import LONG_TERM
from merchants.onboarding.watermark import IMAGE
from merchants.onboarding.words import CHOICES, DOCUMENTS, LABELS, TITLES
from merchants.screening.models import ScreeningHit


def part_of(standing: Standing, part: Part) -> dict[str, Any]:
    """One section, its values masked where they are sensitive."""
    name = part.section.name
    return {
        "name": name,
        "title": TITLES[name],
        "fields": [
            {
                "target": f"{name}.{field.name}",
                "label": LABELS[f"{name}.{field.name}"],
                "values": [_shown(name, field, row) for row in part.typed],
                "is_masked": field.name in KIND_OF,
                "verdict": standing.verdicts.get(f"{name}.{field.name}"),
            }
            for field in part.section.fields
        ],
    }


def _shown(section: str, field: Field, row: Typed) -> str:
    value = row.get(field.name, "")
    if not value:
        return "–"
    if field.name in KIND_OF:
        return masked(value, kind=KIND_OF[field.name])
    if value == LONG_TERM:
        return _("without an end")
    return str(CHOICES.get(f"{section}.{field.name}.{value}", value))


def paper_of(standing: Standing, document: Document) -> dict[str, Any]:
    """One paper with what was said of it."""
    file = document.file
    return {
        "target": file.public_id,
        "title": DOCUMENTS[document.kind],
        "file": file,
        "valid_to": document.valid_to,
        "is_image": file.media_type.startswith(IMAGE),
        "verdict": standing.verdicts.get(file.public_id),
    }


def hits_among(application: Application, standing: Standing) -> list[dict[str, Any]]:
    """Who is like somebody on a list, with links to the hits."""
    outcomes = {one.reference: one for one in outcomes_for(application, standing)}
    told = []
    for subject in subjects_of(application, standing):
        outcome = outcomes[subject.reference]
        numbers = (*outcome.open_hits, *outcome.confirmed_hits)
        rows = ScreeningHit.objects.filter(public_id__in=numbers).order_by("pk")
        if numbers:
            told.append({"name": subject.name, "hits": rows})
    return told
