"""Shows a masked field of an application to somebody who may see it and says why."""

from dataclasses import dataclass
from datetime import datetime

from compliance.audit.actor import Actor
from compliance.identity.models import User
from compliance.identity.reveal import reveal
from merchants.onboarding.masks import KIND_OF
from merchants.onboarding.models import Application, Draft
from merchants.onboarding.refusals import ApplicationNotFound


@dataclass(frozen=True, slots=True)
class _Field:
    """One typed value, opened when it is known that it may be."""

    draft: Draft
    place: int
    name: str

    def open(self) -> str:
        """The text. Raises KeyUnknown or Tampered."""
        return self.draft.typed[self.place].get(self.name, "")


def reveal_field(
    *, application: str, target: str, place: int, reason: str, person: User, actor: Actor,
    at: datetime,
) -> str:  # fmt: skip
    """The value of a field, "section.field", in a row of its section. Looks and refusals alike are
    recorded with the field, never with the value.

    Raises RevealRefused, or ApplicationNotFound: also for a field that is not masked, or not there.
    """
    section, _, name = target.partition(".")
    draft = (
        Draft.objects.filter(application__public_id=application, section=section)
        .select_related("application")
        .first()
    )
    if name not in KIND_OF or draft is None or not 0 <= place < len(draft.typed):
        raise ApplicationNotFound
    row: Application = draft.application
    return reveal(
        _Field(draft, place, name), kind=KIND_OF[name], subject=("application", row.public_id),
        what=f"{target}.{place}", reason=reason, person=person, actor=actor, at=at,
    )  # fmt: skip
