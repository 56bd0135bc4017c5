"""Switches endpoints off and on, and removes them."""

from datetime import datetime
from typing import Any

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from merchants.access import MerchantAccess
from payments.callbacks.endpoints import EndpointUnknown, lock_endpoint
from payments.callbacks.heeding import give_up_waiting
from payments.callbacks.models import Endpoint
from payments.callbacks.states import EndpointState


@transaction.atomic
def disable_endpoint(*, access: MerchantAccess, endpoint: str, at: datetime) -> Endpoint:
    """Send nothing there any more. What waits is given up, and can be sent again later.

    Raises AccessRefused, EndpointUnknown or IllegalMove.
    """
    row = lock_endpoint(access, endpoint)
    told = _switch(row, EndpointState.DISABLED, at=at)
    record(access.actor, "endpoint.disabled", at=at, **told)
    return row


@transaction.atomic
def disable_endpoint_by_staff(
    *, endpoint_id: int, reason: str, actor: Actor, at: datetime
) -> Endpoint:
    """The same, by the staff, for a reason. Raises EndpointUnknown or IllegalMove."""
    row = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("merchant")
        .filter(pk=endpoint_id)
        .first()
    )
    if row is None:
        raise EndpointUnknown(endpoint=endpoint_id)
    told = _switch(row, EndpointState.DISABLED, at=at)
    record(actor, "endpoint.disabled", reason=reason, at=at, **told)
    return row


@transaction.atomic
def enable_endpoint(*, access: MerchantAccess, endpoint: str, at: datetime) -> Endpoint:
    """Send there again what happens from now on.

    Raises AccessRefused, EndpointUnknown or IllegalMove.
    """
    row = lock_endpoint(access, endpoint)
    told = _switch(row, EndpointState.ACTIVE, at=at)
    record(access.actor, "endpoint.enabled", at=at, **told)
    return row


@transaction.atomic
def remove_endpoint(*, access: MerchantAccess, endpoint: str, at: datetime) -> Endpoint:
    """Take an endpoint away for good. Its row stays, for the callbacks that went there.

    Raises AccessRefused or EndpointUnknown.
    """
    row = lock_endpoint(access, endpoint)
    told = _switch(row, EndpointState.REMOVED, at=at)
    record(access.actor, "endpoint.removed", at=at, **told)
    return row


def _switch(row: Endpoint, to: EndpointState, *, at: datetime) -> dict[str, Any]:
    """Move it; what the trail is told. The caller holds the row's lock."""
    before = row.state
    row.move(to, at=at)
    given_up = 0 if to is EndpointState.ACTIVE else give_up_waiting(row, at=at)
    return {
        "subject": ("merchant", row.merchant.public_id),
        "facts": {"endpoint": row.public_id, "given_up": given_up},
        "before": {"state": str(before)},
        "after": {"state": str(to)},
    }
