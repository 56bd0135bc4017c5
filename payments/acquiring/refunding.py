"""Asking for refunds: merchants' programs and people, and the staff. Sending them is `refunds`.

From the moment that it is asked for, a refund holds its amount back from the merchant, so that of
two at once never more goes back than was paid, and never more than the merchant has with us.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.numbers import new_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import REFUNDS_WRITE
from merchants.accounts.colleagues import COLLEAGUES
from payments.acquiring import refund_approving
from payments.acquiring.asking import RefundWish
from payments.acquiring.models import Payment, Refund
from payments.acquiring.queries import PaymentUnknown
from payments.acquiring.refund_facts import RefundFacts, refund_facts
from payments.acquiring.repeats import claim_key
from payments.acquiring.rules import Alone, needs_second
from payments.acquiring.states import AttemptState, PaymentState, RefundState
from payments.errors import Refusal
from payments.ledger.balances import hold
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post
from payments.money import Money

DAY: Final = timedelta(hours=24)
STAFF_NO: Final = "staff-"
"""Begins the merchant's refund number of a refund that the staff made."""


class PaymentNotPaid(Refusal):
    """Only what was paid can go back."""

    code = "payment_not_paid"


class RefundTooLarge(Refusal):
    """More than is left of the payment, with the refunds that are under way."""

    code = "refund_exceeds_payment"


class BalanceTooLow(Refusal):
    """The merchant has less with us than is to go back."""

    code = "balance_insufficient"


class RefundNumberReused(Refusal):
    """The merchant used this refund number before, for something else."""

    code = "refund_no_reused"


class MayNotRefund(Refusal):
    """The person's role among the staff does not allow it."""

    code = "ability_missing"


@dataclass(frozen=True, slots=True)
class Requested:
    """The refund, and whether this call made it."""

    refund: RefundFacts
    is_new: bool
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """Who asks, as the rules see it."""

    doer: str
    label: str
    actor: Actor
    person: User | None
    """None: a program."""
    merchant: str
    """Whose colleagues agree; empty: the staff."""

    def is_alone(self) -> bool:
        """Whether nobody else could agree. A shop of one person is not locked out of refunds."""
        if self.person is None or not self.merchant:
            return False
        others = COLLEAGUES.checkers(REFUNDS_WRITE, merchant=self.merchant)
        return not others.exclude(person_ref=self.person.person_ref).exists()


@transaction.atomic
def request_refund(
    *, access: MerchantAccess, payment: str, wish: RefundWish, at: datetime,
    idempotency_key: str = "", by: User | None = None,
) -> Requested:  # fmt: skip
    """Ask that money goes back, for the merchant; `by` is the person, None for a program.

    The number makes the call safe to repeat. Above what one may give back alone it waits for a
    second person. Raises AccessRefused, PaymentUnknown, PaymentNotPaid, RefundTooLarge,
    BalanceTooLow, RefundNumberReused, IdempotencyKeyReused.
    """
    require(access, REFUNDS_WRITE)
    row = (
        Payment.objects.select_for_update(of=["self"])
        .select_related("merchant")
        .filter(merchant_id=access.merchant_id, livemode=access.livemode, public_id=payment)
        .first()
    )
    if row is None:
        raise PaymentUnknown(payment=payment)
    number = new_number("ref_", at=at)
    asked = wish.fingerprint(row.public_id)
    is_first = not idempotency_key or claim_key(access, idempotency_key, asked=asked, result=number)
    earlier = (
        Refund.objects.select_related("payment")
        .filter(
            merchant_id=row.merchant_id, livemode=row.livemode,
            merchant_refund_no=wish.merchant_refund_no,
        )
        .first()
    )  # fmt: skip
    if earlier is not None:
        is_same = (
            earlier.payment_id == row.pk and earlier.amount_minor == wish.amount_minor
            and earlier.reason == wish.reason
        )  # fmt: skip
        if not is_same:
            raise RefundNumberReused(number=wish.merchant_refund_no)
        return Requested(refund_facts(earlier), is_new=False, is_replay=not is_first)
    asker = _Asker(
        doer=f"{access.actor.kind}:{access.actor.id}", label=access.actor.label,
        actor=access.actor, person=by, merchant=access.merchant,
    )  # fmt: skip
    refund = _make(row, wish, number=number, asker=asker, at=at)
    return Requested(refund_facts(refund), is_new=True)


@transaction.atomic
def request_refund_by_staff(
    *, payment: str, amount_minor: int, reason: str, by: User, actor: Actor, at: datetime
) -> RefundFacts:
    """Ask that money goes back, for somebody of the staff.

    Raises MayNotRefund, PaymentUnknown, PaymentNotPaid, RefundTooLarge or BalanceTooLow.
    """
    if not may(by, Ability.REFUNDS_REQUEST):
        raise MayNotRefund(ability=Ability.REFUNDS_REQUEST.value)
    row = (
        Payment.objects.select_for_update(of=["self"])
        .select_related("merchant")
        .filter(public_id=payment)
        .first()
    )
    if row is None:
        raise PaymentUnknown(payment=payment)
    number = new_number("ref_", at=at)
    wish = RefundWish(
        merchant_refund_no=f"{STAFF_NO}{number}", amount_minor=amount_minor, reason=reason
    )
    asker = _Asker(doer=f"user:{by.pk}", label=by.username, actor=actor, person=by, merchant="")
    return refund_facts(_make(row, wish, number=number, asker=asker, at=at))


def _make(row: Payment, wish: RefundWish, *, number: str, asker: _Asker, at: datetime) -> Refund:
    """Check the amount, hold it back, and send it off or to a second person. The caller holds the
    payment's lock.
    """
    if row.state != PaymentState.PAID:
        raise PaymentNotPaid(payment=row.public_id)
    left = row.amount_minor - row.refunded_minor - row.refunding_minor
    if not 0 < wish.amount_minor <= left:
        raise RefundTooLarge(left=left)
    amount = Money(wish.amount_minor, row.currency)
    owner = row.merchant.public_id
    owed = -hold(AccountKind.MERCHANT_PAYABLE, owner, row.currency, livemode=row.livemode)
    if owed.minor < amount.minor:
        raise BalanceTooLow(available=max(0, owed.minor))
    waits = _needs_second(row, amount, asker, at) and not asker.is_alone()
    refund = Refund.objects.create(
        public_id=number, number=number.replace("_", ""), merchant=row.merchant,
        livemode=row.livemode, merchant_refund_no=wish.merchant_refund_no, payment=row,
        attempt=row.attempts.get(state=AttemptState.SUCCEEDED), is_late_return=False,
        amount_minor=amount.minor, currency=row.currency, reason=wish.reason,
        state=RefundState.AWAITING if waits else RefundState.REQUESTED, doer=asker.doer,
        requested_by=asker.label, due_at=None if waits else at, created_at=at,
    )  # fmt: skip
    row.refunding_minor += amount.minor
    row.save(update_fields=["refunding_minor"])
    post(
        kind="refund.reserved", subject=number,
        entries=[
            debit(AccountKind.MERCHANT_PAYABLE, owner, amount),
            credit(AccountKind.MERCHANT_RESERVED, owner, amount),
        ],
        livemode=row.livemode, at=at,
    )  # fmt: skip
    record(
        asker.actor, "refund.requested", subject=("payment", row.public_id),
        facts={"refund": number, "amount": amount.minor, "waits": waits}, reason=wish.reason,
        at=at,
    )  # fmt: skip
    if waits and asker.person is not None:
        refund_approving.ask_second(
            refund, maker=asker.person, merchant=asker.merchant, actor=asker.actor, at=at
        )
    return refund


def _needs_second(row: Payment, amount: Money, asker: _Asker, at: datetime) -> bool:
    """The sums of what went before without a second person. Whoever makes another refund of this
    merchant's waits for `hold`, so nothing is missing from them.
    """
    unseen = Refund.objects.filter(is_late_return=False, released_by="").exclude(
        state__in=[RefundState.REJECTED, RefundState.FAILED]
    )
    of_payment = unseen.filter(payment=row).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    of_day = (
        unseen.filter(
            doer=asker.doer, created_at__gt=at - DAY, merchant_id=row.merchant_id,
            livemode=row.livemode,
        ).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    )  # fmt: skip
    alone = Alone(settings.REFUND_ALONE_MAX, settings.REFUND_ALONE_DAY_MAX)
    return needs_second(amount.minor, of_payment=of_payment, of_day=of_day, alone=alone)
