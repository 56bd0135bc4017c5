"""Creates and closes payments."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import entry_insert, entry_values, record
from compliance.database import prepared
from compliance.numbers import new_number
from merchants.access import KEY_STANDS, MerchantAccess, confirm, require
from merchants.accounts.networks import comparable
from payments.acquiring.asking import AskInvalid, FieldError, PaymentAsk
from payments.acquiring.attempts import close_live_attempt
from payments.acquiring.facts import PaymentFacts, facts_of
from payments.acquiring.models import IdempotencyKey, Payment
from payments.acquiring.outcomes import close_if_wanted
from payments.acquiring.queries import PaymentUnknown, own_payment
from payments.acquiring.states import LIVE, PaymentState
from payments.acquiring.tokens import checkout_token
from payments.errors import Refusal
from payments.money import Money
from payments.steps import step

CLOSE_REASON_MAX: Final = 200


class OrderNumberReused(Refusal):
    """The merchant used this order number before, for an order with other content."""

    code = "order_no_reused"


class IdempotencyKeyReused(Refusal):
    """The merchant used this Idempotency-Key before, with another body."""

    code = "idempotency_key_reused"


class AlreadyPaid(Refusal):
    """A paid payment cannot be closed, only refunded."""

    code = "payment_already_paid"


@dataclass(frozen=True, slots=True)
class Created:
    """The payment, and whether this call made it, or an earlier one with the same
    Idempotency-Key.
    """

    payment: PaymentFacts
    is_new: bool
    is_replay: bool = False


_CREATE: Final = f"""
WITH allowed AS (
  SELECT 1 WHERE %(key_id)s::bigint IS NULL OR EXISTS ({KEY_STANDS})
), once AS (
  INSERT INTO payments_idempotencykey (merchant_id, livemode, key, fingerprint, payment)
  SELECT %(merchant_id)s, %(livemode)s, %(key)s::varchar, %(fingerprint)s, %(public_id)s
    FROM allowed WHERE %(key)s::varchar <> ''
  ON CONFLICT (merchant_id, livemode, key) DO NOTHING RETURNING 1
), payment AS (
  INSERT INTO payments_payment
         (public_id, merchant_id, livemode, merchant_order_no, amount_minor, currency, subject,
          description, methods, return_url, callback_url, customer, metadata, fingerprint,
          created_at, expires_at, checkout_token)
  SELECT %(public_id)s, %(merchant_id)s, %(livemode)s, %(merchant_order_no)s,
         %(amount_minor)s::bigint, %(currency)s, %(subject)s, %(description)s,
         string_to_array(%(methods)s, ','), %(return_url)s, %(callback_url)s, %(customer)s::jsonb,
         %(metadata)s::jsonb, %(fingerprint)s, %(created_at)s, %(expires_at)s,
         %(checkout_token)s
    FROM allowed WHERE %(key)s::varchar = '' OR EXISTS (SELECT FROM once)
  RETURNING id
), audit AS (
  {entry_insert()} FROM payment
)
SELECT id FROM payment
"""  # noqa: S608  the only insertion is a constant of ours
# The idempotency row is written first: of several calls with one key, the others wait for the
# winner's
# commit and then find nothing to do. When the order number is taken the whole statement fails, the
# idempotency row with it.


def create_payment(
    *, access: MerchantAccess, ask: PaymentAsk, idempotency_key: str, at: datetime
) -> Created:
    """Create a payment, or return the one that an earlier equal call made.

    One durable statement. Raises IdempotencyKeyReused or OrderNumberReused when an earlier call
    with the same number asked for something else, AccessRefused when the key was revoked or the
    merchant suspended meanwhile.
    """
    require(access, "payments.write")
    facts = PaymentFacts(
        id=new_number("pay_"),
        livemode=access.livemode,
        merchant_order_no=ask.merchant_order_no,
        amount=ask.amount,
        subject=ask.subject,
        status=PaymentState.PENDING,
        created_at=at,
        expires_at=at + timedelta(seconds=ask.expires_in),
        amount_refunded=Money(0, ask.amount.currency),
        metadata=ask.metadata,
    )
    try:
        with _savepoint_if_nested():
            rows = prepared(_CREATE, _values(access, ask, facts, idempotency_key))
    except IntegrityError as error:
        if "payment_order_once" not in str(error):
            raise
        return _repeat_of_order(access, ask, idempotency_key)
    if not rows:
        confirm(access)
        return _repeat_of_key(access, ask, idempotency_key)
    step("payment.created")
    return Created(facts, is_new=True)


def _savepoint_if_nested() -> AbstractContextManager[None]:
    """One statement is its own transaction; inside another one a savepoint keeps a refusal
    local.
    """
    if transaction.get_connection().in_atomic_block:
        return transaction.atomic()
    return nullcontext()


def _values(
    access: MerchantAccess, ask: PaymentAsk, facts: PaymentFacts, key: str
) -> dict[str, object]:
    return {
        "key": key,
        "public_id": facts.id,
        "checkout_token": checkout_token(facts.id),
        "merchant_id": access.merchant_id,
        "key_id": access.key_id,
        "address": comparable(access.actor.address),
        "livemode": access.livemode,
        "fingerprint": ask.fingerprint(),
        "merchant_order_no": ask.merchant_order_no,
        "amount_minor": ask.amount.minor,
        "currency": ask.amount.currency,
        "subject": ask.subject,
        "description": ask.description,
        "methods": ",".join(ask.methods),
        "return_url": ask.return_url,
        "callback_url": ask.callback_url,
        "customer": json.dumps(ask.customer, ensure_ascii=False),
        "metadata": json.dumps(ask.metadata, ensure_ascii=False),
        "created_at": facts.created_at,
        "expires_at": facts.expires_at,
        **entry_values(
            access.actor,
            "payment.created",
            subject=("payment", facts.id),
            facts={
                "merchant": access.merchant,
                "order": ask.merchant_order_no,
                "amount": ask.amount.minor,
                "currency": ask.amount.currency,
            },
            at=facts.created_at,
        ),
    }


def _repeat_of_key(access: MerchantAccess, ask: PaymentAsk, key: str) -> Created:
    earlier = IdempotencyKey.objects.get(
        merchant_id=access.merchant_id, livemode=access.livemode, key=key
    )
    if bytes(earlier.fingerprint) != ask.fingerprint():
        raise IdempotencyKeyReused
    return Created(own_payment(access, earlier.payment), is_new=False, is_replay=True)


def _repeat_of_order(access: MerchantAccess, ask: PaymentAsk, key: str) -> Created:
    payment = Payment.objects.select_related("channel").get(
        merchant_id=access.merchant_id,
        livemode=access.livemode,
        merchant_order_no=ask.merchant_order_no,
    )
    if bytes(payment.fingerprint) != ask.fingerprint():
        raise OrderNumberReused(order=ask.merchant_order_no)
    if key:
        kept, _ = IdempotencyKey.objects.get_or_create(
            merchant_id=access.merchant_id,
            livemode=access.livemode,
            key=key,
            defaults={"fingerprint": ask.fingerprint(), "payment": payment.public_id},
        )
        if bytes(kept.fingerprint) != ask.fingerprint():
            raise IdempotencyKeyReused
    return Created(facts_of(payment), is_new=False)


def close_payment(*, access: MerchantAccess, payment: str, at: datetime) -> PaymentFacts:
    """Close a payment, at the gateway first. Closing a closed one changes nothing.

    When the gateway gives no final answer the payment stays pending, takes no new attempt, and is
    closed (or paid) as soon as the gateway's word is known. Raises AlreadyPaid.
    """
    require(access, "payments.write")
    facts = own_payment(access, payment)
    if facts.status is PaymentState.PENDING:
        request_closing(payment=payment, actor=access.actor, at=at)
        facts = own_payment(access, payment)
    if facts.status is PaymentState.PAID:
        raise AlreadyPaid(payment=payment)
    return facts


def close_payment_by_staff(
    *, payment: str, reason: str, actor: Actor, at: datetime
) -> PaymentFacts:
    """The same for the staff, who say why; the caller has looked at the person's role.

    Raises PaymentUnknown, AlreadyPaid, and AskInvalid for an empty or too long reason.
    """
    if not 0 < len(reason) <= CLOSE_REASON_MAX:
        raise AskInvalid([FieldError("reason", "too_long" if reason else "required")])
    if _facts(payment).status is PaymentState.PENDING:
        request_closing(payment=payment, actor=actor, reason=reason, at=at)
    facts = _facts(payment)
    if facts.status is PaymentState.PAID:
        raise AlreadyPaid(payment=payment)
    return facts


def _facts(payment: str) -> PaymentFacts:
    row = Payment.objects.select_related("channel").filter(public_id=payment).first()
    if row is None:
        raise PaymentUnknown(payment=payment)
    return facts_of(row)


def request_closing(*, payment: str, actor: Actor, at: datetime, reason: str = "") -> None:
    """Want a pending payment closed, and try at once. Called by the merchant's close, the staff's
    and by expiry. When it was wanted before, the gateway is only tried again.
    """
    with transaction.atomic():
        row = Payment.objects.select_for_update().get(public_id=payment)
        if row.state != PaymentState.PENDING:
            return
        if row.close_requested_at is None:
            row.close_requested_at = at
            row.save(update_fields=["close_requested_at"])
            # Should we die before the gateway is called, the janitor finds the attempt at once.
            row.attempts.filter(state__in=LIVE).update(ask_at=at)
            record(
                actor, "payment.close_requested", subject=("payment", payment), reason=reason, at=at
            )
        if close_if_wanted(row.pk, actor=actor, at=at):
            return
    close_live_attempt(payment=payment, actor=actor, at=at)
