"""What everybody sets for themselves: their name, language, time zone, and which letters come."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.letter_kinds import optional_kinds
from compliance.identity.models import User
from compliance.protection.masking import Kind, masked


@transaction.atomic
def change_profile(
    *, user: User, display_name: str, language: str, time_zone: str, actor: Actor, at: datetime
) -> list[str]:
    """Set what pages show and how; the names of the fields that changed. The form has looked at
    the language and the zone.
    """
    row = User.objects.select_for_update().get(pk=user.pk)
    wanted = {"display_name": display_name, "language": language, "time_zone": time_zone}
    before = {name: getattr(row, name) for name in wanted if getattr(row, name) != wanted[name]}
    if not before:
        return []
    for one in (row, user):
        for name in before:
            setattr(one, name, wanted[name])
    row.save(update_fields=list(before))
    record(
        actor, "person.changed", subject=("user", str(row.pk)),
        facts={"username": row.username, "fields": sorted(before)},
        before={name: _told(name, value) for name, value in before.items()},
        after={name: _told(name, wanted[name]) for name in before}, at=at,
    )  # fmt: skip
    return sorted(before)


@transaction.atomic
def choose_letters(*, user: User, wanted: Collection[str], actor: Actor, at: datetime) -> None:
    """Have only these optional kinds of letters come by e-mail; all others always come."""
    row = User.objects.select_for_update().get(pk=user.pk)
    kinds = [kind.template for kind in optional_kinds(is_staff=row.is_staff)]
    off = sorted(kind for kind in kinds if kind not in wanted)
    if off == sorted(row.letters_off):
        return
    before, row.letters_off = row.letters_off, off
    row.save(update_fields=["letters_off"])
    user.letters_off = off
    record(
        actor, "person.letters_chosen", subject=("user", str(row.pk)),
        facts={"username": row.username}, before={"off": before}, after={"off": off}, at=at,
    )  # fmt: skip


def _told(name: str, value: str) -> str:
    return masked(value, kind=Kind.NAME) if name == "display_name" else value
