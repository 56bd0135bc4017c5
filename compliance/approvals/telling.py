"""Tells those who may decide that something waits for them, by e-mail."""

from typing import Final

from django.conf import settings

from compliance.approvals.models import Approval
from compliance.approvals.registry import Kind
from compliance.identity.letters import write_letter

LETTERS_MAX: Final = 20
"""A large department need not hear of each request at once: its inbox shows all of them."""


def tell_checkers(approval: Approval, kind: Kind) -> int:
    """Write to those who may agree and who are not the maker; how many letters.

    Called in the transaction of the request. The letter names no facts of what is asked for, and
    is of no use after the request has expired.
    """
    people = (
        kind.judge.checkers(kind.checker, merchant=approval.merchant)
        .exclude(person_ref=approval.maker_person)
        .exclude(email="")
        .order_by("pk")[:LETTERS_MAX]
    )
    page = kind.judge.page_of(approval)
    for person in people:
        write_letter(
            person, "approval_waiting", at=approval.created_at, until=approval.expires_at,
            merchant=approval.merchant, page=page,
            number=approval.public_id, kind=kind.label, expires_at=approval.expires_at,
            address=f"{settings.BASE_URL}{page}",
        )  # fmt: skip
    return len(people)
