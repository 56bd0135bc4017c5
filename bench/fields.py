"""What cryptography costs a payment: `make bench` prints it; alone, `python -m bench.fields`.

A payment's own row holds nothing sealed. What its creation and its callback do need is measured
beside a whole creation in this process, durable commit included: the digest of the API key, the
proof in the checkout page's address, and the merchant's callback secret, opened to sign with. What
one sealed column more would take (its key is asked of the database) is told as well.
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Final

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from compliance.audit.actor import SYSTEM  # noqa: E402
from compliance.numbers import new_number  # noqa: E402
from compliance.protection.envelope import Place, seal_at, unseal_at  # noqa: E402
from compliance.protection.fields import keyed_digests  # noqa: E402
from merchants.access import by_api_key  # noqa: E402
from merchants.accounts.abilities import SCOPES  # noqa: E402
from merchants.accounts.callback_secret import CURRENT  # noqa: E402
from merchants.accounts.keys import DIGEST_PURPOSE, create_api_key  # noqa: E402
from merchants.accounts.register import register_merchant  # noqa: E402
from payments.acquiring.asking import PaymentAsk  # noqa: E402
from payments.acquiring.pay import create_payment  # noqa: E402
from payments.acquiring.tokens import checkout_token  # noqa: E402
from payments.money import Money  # noqa: E402

PART_MAX: Final = 0.05
ROUNDS: Final = 7
TIMES: Final = 100
PLACE: Final = Place("payments_payment", "payer", "pay_01m83c2vsqxqb94tejm2vkf6fb")
TEXT: Final = "6222021234567890"


def microseconds(act: Callable[[], object]) -> float:
    """The time that one call takes: the median of a few rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(TIMES):
            act()
        rounds.append((time.perf_counter() - started) / TIMES * 1e6)
    return statistics.median(rounds)


def measure() -> bool:
    """Create payments, print the figures, and say whether the goal was reached."""
    now = timezone.now()
    merchant = register_merchant(name="Bench of fields", actor=SYSTEM, at=now)
    _, api_key = create_api_key(
        merchant_id=merchant.pk, livemode=False, label="bench", scopes=SCOPES, actor=SYSTEM, at=now
    )
    numbers, payment = count(), new_number("pay_")
    sealed_secret = merchant.callback_secret_sealed

    def create() -> None:
        access = by_api_key(api_key, address="127.0.0.1")
        ask = PaymentAsk(
            merchant_order_no=f"f{next(numbers)}", amount=Money(12800), subject="Sealed tea"
        )
        create_payment(access=access, ask=ask, idempotency_key="", at=timezone.now())

    def protect() -> None:
        keyed_digests(api_key.encode(), purpose=DIGEST_PURPOSE)
        checkout_token(payment)
        CURRENT.open(sealed_secret, row=merchant.public_id)

    create()
    creation, protection = microseconds(create), microseconds(protect)
    with transaction.atomic():
        value = seal_at(TEXT, place=PLACE, purpose="bench")
        seal = microseconds(lambda: seal_at(TEXT, place=PLACE, purpose="bench"))
        unseal = microseconds(lambda: unseal_at(value, place=PLACE))
        transaction.set_rollback(True)
    part = protection / creation
    sys.stdout.write(
        f"{'encryption':14}{protection:.0f} of {creation:.0f} µs of a creation: {part:.1%}, at most"
        f" {PART_MAX:.0%}; a sealed column more: {seal:.0f} µs to seal, {unseal:.0f} µs to open\n"
    )
    return part <= PART_MAX


def main() -> None:
    """Measure, and fail beyond the goal."""
    is_reached = measure()
    connection.close()
    if not is_reached:
        raise SystemExit("bench: encryption takes too much of creating a payment")


if __name__ == "__main__":
    main()
