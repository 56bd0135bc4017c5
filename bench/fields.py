"""What sealing costs: `python -m bench.fields` prints it as a part of creating a payment.

The floor is one durable commit on the same connection, which every payment needs at least once.
Payments hold no sealed column today; this is what one would add.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from compliance.protection.envelope import Place, seal_at, unseal_at  # noqa: E402

ROUNDS: Final = 7
TIMES: Final = 300
PLACE: Final = Place("payments_payment", "payer", "pay_01m83c2vsqxqb94tejm2vkf6fb")
TEXT: Final = "6222021234567890"


def microseconds(act: Callable[[], object]) -> float:
    """The time that one call takes, on the average of a round."""
    started = time.perf_counter()
    for _ in range(TIMES):
        act()
    return (time.perf_counter() - started) / TIMES * 1e6


def commit() -> None:
    """One small row, durably written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO sealing_floor (text) VALUES (%s)", [TEXT])


def main() -> None:
    """Measure and print; the key is made in a transaction that is given up."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS sealing_floor (text text)")
    try:
        with transaction.atomic():
            value = seal_at(TEXT, place=PLACE, purpose="bench")
            seals = [
                microseconds(lambda: seal_at(TEXT, place=PLACE, purpose="bench"))
                for _ in range(ROUNDS)
            ]
            opens = [microseconds(lambda: unseal_at(value, place=PLACE)) for _ in range(ROUNDS)]
            transaction.set_rollback(True)
        floors = [microseconds(commit) for _ in range(ROUNDS)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE sealing_floor")
    seal, unseal, floor = map(statistics.median, (seals, opens, floors))
    sys.stdout.write(
        f"seal {seal:.0f} µs, unseal {unseal:.0f} µs, commit {floor:.0f} µs: "
        f"sealing and opening one value takes {(seal + unseal) / floor:.3f} of a commit\n"
    )


if __name__ == "__main__":
    main()
