"""Sweeping up requests whose time ran out."""

from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.approvals.ending import end
from compliance.approvals.models import Approval
from compliance.approvals.states import ApprovalState
from compliance.audit.actor import SYSTEM

BATCH_MAX: Final = 200


@transaction.atomic
def expire_requests(*, at: datetime) -> int:
    """End those that are due, and say how many. Safe to run twice at once."""
    due = Approval.objects.select_for_update(skip_locked=True).filter(
        state=ApprovalState.PENDING, expires_at__lte=at
    )
    ended = list(due.order_by("expires_at")[:BATCH_MAX])
    for approval in ended:
        end(approval, ApprovalState.EXPIRED, "expired", actor=SYSTEM, at=at)
    return len(ended)
