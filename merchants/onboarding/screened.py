"""Whom an application names is compared with the lists: at submission, and ever after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils import timezone

from compliance.audit.actor import Actor
from merchants.days import day_of
from merchants.onboarding.models import Application
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.rules import parties
from merchants.onboarding.states import ApplicationState
from merchants.screening.check import screen
from merchants.screening.normal import Entity
from merchants.screening.queries import Outcome, outcomes_of
from merchants.screening.subjects import Subject, register_subjects

PARTY: Final = "party"
WATCHED: Final = (
    ApplicationState.IN_REVIEW, ApplicationState.NEEDS_CHANGES, ApplicationState.APPROVED,
)  # fmt: skip
"""From the submission on, as long as the merchant may become or is one."""


def screen_application(
    application: Application, standing: Standing, *, actor: Actor, at: datetime
) -> list[Outcome]:
    """Compare everybody whom it names; called in the transaction of the submission."""
    return screen(subjects_of(application, standing), actor=actor, at=at)


def subjects_of(application: Application, standing: Standing) -> list[Subject]:
    """Everybody whom it names, each under the place where they are named."""
    return [
        Subject(
            kind=PARTY,
            reference=f"{application.public_id}:{party.section}:{party.place}",
            entity=Entity.COMPANY if party.is_company else Entity.PERSON,
            name=party.name,
            identity_number=party.number,
        )
        for party in parties(standing.read)
    ]


def outcomes_for(application: Application, standing: Standing) -> Sequence[Outcome]:
    """How each of them stands with the lists in use now."""
    subjects = subjects_of(application, standing)
    found = outcomes_of([subject.key for subject in subjects])
    return [found[subject.key] for subject in subjects]


def waits_for_decision(outcomes: Sequence[Outcome]) -> bool:
    """Whether a person has yet to look at a hit, or has found one to be true."""
    return any(one.open_hits or one.confirmed_hits for one in outcomes)


def _watched(after: str, limit: int) -> Sequence[Subject]:
    """The next ones, application by application; references of one are in no other's way."""
    number, _colon, _rest = after.partition(":")
    rows = Application.objects.filter(state__in=WATCHED, public_id__gte=number)
    found: list[Subject] = []
    for application in rows.order_by("public_id").iterator(chunk_size=10):
        standing = standing_of(application, on=day_of(timezone.now()))
        them = sorted(subjects_of(application, standing), key=lambda one: one.reference)
        found += [one for one in them if one.reference > after]
        if len(found) >= limit:
            break
    return found[:limit]


def register_own_parties() -> None:
    """Called once, when the application is ready."""
    register_subjects(PARTY, _watched)
