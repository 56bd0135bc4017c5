"""Makes, changes and removes endpoints, and replaces their secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import is_number, new_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import ENDPOINTS_MANAGE
from merchants.accounts.callback_secret import OVERLAP, callback_secret_of, new_secret
from merchants.models import Merchant
from payments.callbacks.models import Endpoint, EventType
from payments.callbacks.rules import address_flaw
from payments.callbacks.states import EndpointModes, EndpointState
from payments.errors import Refusal

ENDPOINTS_MAX: Final = 10
LABEL_CHARACTERS_MAX: Final = 64
ADDRESS_CHARACTERS_MAX: Final = 1024


class EndpointUnknown(Refusal):
    """The merchant has no such endpoint. Another merchant's answers the same."""

    code = "endpoint_not_found"


class EndpointInvalid(Refusal):
    """The address, the label or a type cannot be accepted; `why` says which."""

    code = "endpoint_invalid"


class TooManyEndpoints(Refusal):
    """The merchant has as many endpoints as one may have."""

    code = "too_many_endpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointWish:
    """What an endpoint is to be. No types: all of them."""

    label: str
    url: str
    event_types: Sequence[str] = ()
    modes: EndpointModes = EndpointModes.ALL
    is_fallback: bool = False

    def check(self) -> None:
        """Raise EndpointInvalid unless it can be accepted. Where the name leads is looked at again
        at each delivery.
        """
        if not self.label or len(self.label) > LABEL_CHARACTERS_MAX:
            raise EndpointInvalid(why="label_malformed")
        flaw = address_flaw(self.url, plain_http=settings.DEMO)
        if flaw or len(self.url) > ADDRESS_CHARACTERS_MAX:
            raise EndpointInvalid(why=flaw or "url_malformed")
        if not set(EventType.values).issuperset(self.event_types):
            raise EndpointInvalid(why="type_unknown")


@transaction.atomic
def make_endpoint(
    *, merchant_id: int, wish: EndpointWish, actor: Actor, at: datetime
) -> tuple[Endpoint, str]:
    """Name an address. Returns it with its secret, which is not shown again.

    The caller has asked for the second factor. Raises EndpointInvalid or TooManyEndpoints.
    """
    wish.check()
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    kept = Endpoint.objects.filter(merchant=merchant).exclude(state=EndpointState.REMOVED)
    if kept.count() >= ENDPOINTS_MAX:
        raise TooManyEndpoints(most=ENDPOINTS_MAX)
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        public_id=new_number("ept_", at=at), merchant=merchant, label=wish.label, url=wish.url,
        event_types=sorted(wish.event_types), modes=wish.modes, is_fallback=wish.is_fallback,
        state_at=at, secret_sealed=secret, created_by=actor.label, created_at=at,
    )  # fmt: skip
    record(
        actor, "endpoint.added", subject=_of(endpoint), facts={"endpoint": endpoint.public_id},
        after=told_of(endpoint), at=at,
    )  # fmt: skip
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *, access: MerchantAccess, endpoint: str, wish: EndpointWish, at: datetime
) -> Endpoint:
    """Change what an endpoint is. What waits for it goes to the new address.

    For another address the caller has asked for the second factor. Raises AccessRefused,
    EndpointUnknown or EndpointInvalid.
    """
    wish.check()
    row = lock_endpoint(access, endpoint)
    before = told_of(row)
    is_moved = row.url != wish.url
    row.label, row.url, row.modes = wish.label, wish.url, wish.modes
    row.event_types, row.is_fallback = sorted(wish.event_types), wish.is_fallback
    if is_moved:
        row.failing_since = row.paused_until = None
    row.save()
    record(
        access.actor, "endpoint.changed", subject=_of(row),
        facts={"endpoint": row.public_id, "moved": is_moved}, before=before, after=told_of(row),
        at=at,
    )  # fmt: skip
    return row


@transaction.atomic
def rotate_endpoint_secret(
    *, access: MerchantAccess, endpoint: str, is_at_once: bool, at: datetime
) -> str:
    """Replace the secret and return the new one. The old one signs along for a day, or, where it is
    known to others, not at all.

    The caller has asked for the second factor. Raises AccessRefused or EndpointUnknown.
    """
    row = lock_endpoint(access, endpoint)
    secret = new_secret()
    if is_at_once:
        row.secret_before_sealed = row.secret_before_until = None
    else:
        # Sealed for its column and row: what moves is sealed anew.
        held = row.secret_sealed
        row.secret_before_sealed = held.open() if held else callback_secret_of(row.merchant_id)
        row.secret_before_until = at + OVERLAP
    row.secret_sealed = secret
    row.save(update_fields=["secret_sealed", "secret_before_sealed", "secret_before_until"])
    until = at if is_at_once else at + OVERLAP
    record(
        access.actor, "endpoint.secret_rotated", subject=_of(row),
        facts={"endpoint": row.public_id, "old_valid_until": until.isoformat()}, at=at,
    )  # fmt: skip
    return secret


def own_endpoint(access: MerchantAccess, public_id: str) -> Endpoint:
    """An endpoint of the merchant, to read. Raises AccessRefused or EndpointUnknown."""
    require(access, "events.read")
    rows = Endpoint.objects.filter(merchant_id=access.merchant_id)
    row = rows.filter(public_id=public_id).exclude(state=EndpointState.REMOVED).first()
    if not is_number(public_id, "ept_") or row is None:
        raise EndpointUnknown(endpoint=public_id)
    return row


def lock_endpoint(access: MerchantAccess, public_id: str) -> Endpoint:
    """The row, locked, for a verb of this room. Raises AccessRefused or EndpointUnknown."""
    require(access, ENDPOINTS_MANAGE)
    key = own_endpoint(access, public_id).pk
    # No stronger lock: each callback that is written holds a share of the key.
    row = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("merchant")
        .get(pk=key)
    )
    if row.state == EndpointState.REMOVED:
        raise EndpointUnknown(endpoint=public_id)
    return row


def told_of(endpoint: Endpoint) -> dict[str, Any]:
    """What the trail keeps of an endpoint. No whole address: some carry a secret in the path."""
    return {
        "host": urlsplit(endpoint.url).hostname or "", "types": list(endpoint.event_types),
        "modes": str(endpoint.modes), "fallback": endpoint.is_fallback,
    }  # fmt: skip


def _of(endpoint: Endpoint) -> tuple[str, str]:
    return ("merchant", endpoint.merchant.public_id)
