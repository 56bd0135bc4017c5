"""Reads a merchant's refunds for faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import PAYMENTS_READ
from payments.acquiring.models import Refund
from payments.acquiring.refund_facts import STATUS, RefundFacts, refund_facts
from payments.errors import Refusal


class RefundUnknown(Refusal):
    """No refund of this merchant and mode has this number. Another merchant's answers the same."""

    code = "refund_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFilter:
    """What a merchant looks for. Empty fields do not narrow."""

    payment: str = ""
    merchant_refund_no: str = ""
    status: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundPage:
    """One page, newest first, and the key to ask for the next with (0: there is none)."""

    refunds: Sequence[RefundFacts]
    next_before: int


def own_refunds(access: MerchantAccess) -> QuerySet[Refund]:
    """Those in the merchant's own books; what came too late and went back is not."""
    return Refund.objects.filter(
        merchant_id=access.merchant_id, livemode=access.livemode
    ).select_related("payment")


def get_refund(access: MerchantAccess, public_id: str) -> RefundFacts:
    """One refund. Raises AccessRefused or RefundUnknown."""
    require(access, PAYMENTS_READ)
    refund = own_refunds(access).filter(public_id=public_id).first()
    if refund is None:
        raise RefundUnknown(refund=public_id)
    return refund_facts(refund)


def list_refunds(
    access: MerchantAccess, wanted: RefundFilter, *, before: int, limit: int
) -> RefundPage:
    """A page of refunds, newest first, by key. `before` 0 starts at the top."""
    require(access, PAYMENTS_READ)
    rows = own_refunds(access)
    if wanted.payment:
        rows = rows.filter(payment__public_id=wanted.payment)
    if wanted.merchant_refund_no:
        rows = rows.filter(merchant_refund_no=wanted.merchant_refund_no)
    if wanted.status:
        rows = rows.filter(state__in=[one for one, word in STATUS.items() if word == wanted.status])
    if wanted.created_after:
        rows = rows.filter(created_at__gte=wanted.created_after)
    if wanted.created_before:
        rows = rows.filter(created_at__lt=wanted.created_before)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else 0
    return RefundPage([refund_facts(one) for one in found[:limit]], more)
