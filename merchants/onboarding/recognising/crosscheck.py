"""Compares documents with what a person typed. Pure. Nothing is overwritten."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from merchants.onboarding.recognising.reading import Kind, Read, Suggestion

CONFIDENCE_MIN: Final = 30
"""Less sure than this, a reading neither fills a field nor contradicts a person."""
SIMILAR: Final = 0.85
"""So much of a long text must agree. Machines read one character in fifty wrong."""
LONG_TEXTS: Final = frozenset({"address", "scope"})
_SIGNS: Final = frozenset("·•.,;:、，。；：()[]【】〔〕《》〈〉-_'\"“”‘’")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A document says one thing and the form another; a person looks at both.

    The values may be personal data: pages mask what they mask elsewhere, and nothing logs them.
    """

    section: str
    field: str
    document: str
    form: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Advice:
    """What a document has for one section of a form: `fills` only for fields that are empty."""

    fills: tuple[Suggestion, ...]
    disagreements: tuple[Disagreement, ...]


def suggest(form_values: Mapping[str, str], read: Read, *, section: str = "") -> Advice:
    """Advice for the fields that `form_values` names; an empty one is "".

    Nothing of the document is proposed for a field that the form does not ask for.
    """
    fills, disagreements = [], []
    for told in read.suggestions:
        if told.field not in form_values or told.confidence < CONFIDENCE_MIN:
            continue
        typed = form_values[told.field]
        if not typed.strip():
            fills.append(told)
        elif not agrees(told.field, told.value, typed):
            disagreements.append(Disagreement(section, told.field, told.value, typed, read.kind))
    return Advice(tuple(fills), tuple(disagreements))


def crosscheck(
    forms: Mapping[str, Mapping[str, str]], reads: Mapping[Kind, Read]
) -> tuple[Disagreement, ...]:
    """Every disagreement between the sections of an application and its documents.

    Sections are those of onboarding: licence, legal_person, account (kind `company` or `personal`,
    holder). Whatever is empty or was not read contradicts nothing.
    """
    found = [
        one
        for kind, section in (
            (Kind.LICENCE, "licence"),
            (Kind.IDENTITY_FRONT, "legal_person"),
            (Kind.IDENTITY_BACK, "legal_person"),
        )
        if kind in reads
        for one in suggest(forms.get(section, {}), reads[kind], section=section).disagreements
    ]
    return (*found, *_between(forms, reads))


def _between(
    forms: Mapping[str, Mapping[str, str]], reads: Mapping[Kind, Read]
) -> Iterator[Disagreement]:
    """Names that must be the same though document and section differ."""
    account = forms.get("account", {})
    is_company = account.get("kind") == "company"
    # Field of a document, section and field of the form.
    pairs = [
        (Kind.LICENCE, "legal_person", "legal_person", "name"),
        *([(Kind.LICENCE, "name", "account", "holder")] if is_company else []),
    ]
    if account.get("kind") == "personal":
        pairs += [
            (Kind.IDENTITY_FRONT, "name", "account", "holder"),
            (Kind.LICENCE, "legal_person", "account", "holder"),
        ]
    for kind, field, section, asked in pairs:
        told = _sure(reads.get(kind), field)
        typed = forms.get(section, {}).get(asked, "")
        if told and typed.strip() and not agrees(field, told, typed):
            yield Disagreement(section, asked, told, typed, kind)


def _sure(read: Read | None, field: str) -> str:
    if read is None:
        return ""
    return next(
        (
            told.value
            for told in read.suggestions
            if told.field == field and told.confidence >= CONFIDENCE_MIN
        ),
        "",
    )


def agrees(field: str, one: str, other: str) -> bool:
    """Whether two values mean the same: width, case, spaces, brackets and signs do not count.

    Of addresses and scopes a small part may differ, but no number in an address.
    """
    a, b = bare(one), bare(other)
    if a == b:
        return True
    if field not in LONG_TEXTS or not (a and b):
        return False
    if field == "address" and re.findall(r"\d+", a) != re.findall(r"\d+", b):
        return False
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= SIMILAR


def bare(text: str) -> str:
    """What is left of a text to compare."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if not c.isspace() and c.isprintable() and c not in _SIGNS)
