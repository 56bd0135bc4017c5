"""Writes to those of a merchant's people whose role gives an ability."""

from datetime import datetime
from typing import Any

from compliance.identity.letters import write_letter
from compliance.identity.people import joined
from merchants.access import people_who_may
from merchants.accounts.abilities import TEAM_MANAGE
from merchants.accounts.models import Member, Merchant


def tell_people(
    merchant: Merchant, template: str, *, ability: str, at: datetime, **facts: Any
) -> None:
    """Write to them all. Called in the transaction of the deed."""
    for person in joined(people_who_may(ability, merchant=merchant.public_id)).order_by("pk"):
        write_letter(
            person, template, at=at, merchant=merchant.public_id, business=merchant.name, **facts
        )


def tell_team_changed(
    merchant: Merchant, member: Member, *, deed: str, doer: int | None, at: datetime
) -> None:
    """Write to the owners that somebody was invited, has left, or has another role; the doer knows.

    `deed` is invited, left or role.
    """
    owners = joined(people_who_may(TEAM_MANAGE, merchant=merchant.public_id))
    for owner in owners.exclude(pk=doer or 0).order_by("pk"):
        write_letter(
            owner, "team_changed", at=at, merchant=merchant.public_id, business=merchant.name,
            colleague=member.user.display_name, deed=deed, when=at,
        )  # fmt: skip
