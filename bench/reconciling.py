"""How fast a bill of a million lines is loaded and matched with a million bookings, against a bare
COPY of the same file.

The floor loads the bill's lines, as the gateway writes them, into a table of texts. Ours opens the
kept file, checks and reads each line, loads it with its key, and finds every planted difference.
Memory is what the process grows by: a worker that has done nothing holds its libraries already.
"""

import gzip
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from django.db import connection, transaction

from compliance.audit.actor import SYSTEM
from compliance.numbers import new_number
from compliance.protection.vault.received import keep_received
from merchants.models import Merchant
from payments.channels.models import Channel
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.speakers import SPEAKERS
from payments.channels.sandbox.wechatpay.bill import HEADER, TOTALS
from payments.reconciliation.bills import load
from payments.reconciliation.match import match
from payments.reconciliation.models import Bill, Difference, ReconciliationRun

LINES: Final = int(os.environ.get("BENCH_BILL_LINES", "1000000"))
RATIO_MAX: Final = 3.0
GROWTH_MB_MAX: Final = 100
DAY: Final = date(2026, 3, 2)
START: Final = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
WRONG: Final = {"missing": 100, "extra": 100, "amount": 50}
PRICE, PRICES = 12800, 997
"""The lowest price in fen, and how many there are, a yuan apart."""
PLACES: Final = 86_000

_BOOK: Final = """
WITH p AS (
  INSERT INTO payments_payment (public_id, merchant_id, livemode, merchant_order_no, amount_minor,
         currency, subject, fingerprint, state, method, channel_id, created_at, expires_at, paid_at)
  SELECT 'pay_bill' || n, %(merchant)s, false, 'bill' || n,
         %(price)s + n %% %(prices)s * 100, 'CNY', 'Order of tea',
         '\\x00', 'paid', 'wechatpay', %(channel)s, at, at + interval '1 hour', at
    FROM (SELECT n, %(start)s::timestamptz + n %% %(places)s * interval '1 second' AS at
            FROM generate_series(0, %(last)s) AS n) AS one
  RETURNING id, public_id, amount_minor, paid_at)
INSERT INTO payments_attempt (number, payment_id, channel_id, method, product, state, amount_minor,
       currency, created_at, expires_at, ended_at)
SELECT replace(public_id, '_', ''), id, %(channel)s, 'wechatpay', 'native', 'succeeded',
       amount_minor, 'CNY', paid_at, paid_at + interval '1 hour', paid_at FROM p
"""


def measure() -> bool:
    """Fill, load, match, compare with the floor; say whether the goal was reached."""
    channel = Channel.objects.get(gateway="wechatpay", livemode=False)
    numbers = _book(channel)
    keys = keys_of(SPEAKERS["wechatpay"])
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for text in _bill(numbers, keys["mchid"]):
            file.write(text.encode())
    packed.seek(0)
    run = ReconciliationRun.objects.create(
        public_id=new_number("rec_"), channel=channel, day=DAY, created_at=START
    )
    file_row = keep_received(
        packed, name="bench.csv.gz", media_type="application/gzip", purpose="bill",
        owner=("channel", channel.code), actor=SYSTEM, at=START,
    )  # fmt: skip
    bill = Bill.objects.create(
        public_id=new_number("bil_"), run=run, file=file_row, sha256=bytes(file_row.sha256),
        fetched_at=START,
    )  # fmt: skip
    floor = _floor(packed)
    # A process of its own, so that its memory is its own too.
    code = f"import django; django.setup(); from bench.reconciling import work; work({bill.pk})"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True
    )
    told = json.loads(done.stdout)
    _require_planted(run)
    ratio = told["seconds"] / floor
    sys.stdout.write(
        f"{'reconciling':14}{floor:>9.2f}s{told['seconds']:>9.2f}s{ratio:>8.2f}   {LINES} lines,"
        f" at most {RATIO_MAX}; {told['loading']:.2f} s of it loading;"
        f" {told['grown_mb']:.0f} MB grown, at most {GROWTH_MB_MAX}\n"
    )
    return bool(ratio <= RATIO_MAX and told["grown_mb"] <= GROWTH_MB_MAX)


def work(bill_id: int) -> None:
    """Load and match, and print what it took."""
    bill = Bill.objects.select_related("run__channel", "file").get(pk=bill_id)
    run = bill.run
    before = _peak_kb()
    started = time.perf_counter()
    with transaction.atomic():
        load(bill, at=START)
        loading = time.perf_counter() - started
        run.bill = bill
        match(run, actor=SYSTEM, at=START)
        run.save()
    seconds = time.perf_counter() - started
    grown = (_peak_kb() - before) / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "loading": loading, "grown_mb": grown}))


def _peak_kb() -> int:
    """The most that this program ever held; `getrusage` tells of its parent too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def _book(channel: Channel) -> list[str]:
    """A million payments of one day; their attempts' numbers."""
    values: dict[str, Any] = {
        "merchant": Merchant.objects.order_by("pk").values_list("pk", flat=True)[0],
        "channel": channel.pk, "price": PRICE, "prices": PRICES,
        "start": START, "places": PLACES, "last": LINES - 1,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, values)
        cursor.execute("ANALYZE payments_payment, payments_attempt")
    return [f"paybill{n}" for n in range(LINES)]


def _bill(numbers: list[str], merchant: str) -> Iterator[str]:
    """The lines in the order of their times, with the planted errors, and sums that add up."""
    rng = random.Random(7)
    picked = rng.sample(range(len(numbers)), WRONG["missing"] + WRONG["amount"])
    missing, dearer = set(picked[: WRONG["missing"]]), set(picked[WRONG["missing"] :])
    extra = [f"nobody{n}" for n in range(WRONG["extra"])]
    yield f"{HEADER}\r\n"
    lines, paid, fees = 0, 0, 0
    order = sorted(range(len(numbers)), key=lambda n: n % PLACES)
    for place, number in [
        *((n, numbers[n]) for n in order if n not in missing), *((0, name) for name in extra),
    ]:  # fmt: skip
        minor = PRICE + place % PRICES * 100 + 50 * (place in dearer and number not in extra)
        at = START + timedelta(hours=8, seconds=place % PLACES)
        yuan = f"{minor // 100}.{minor % 100:02d}"
        fee = minor * 6
        lines, paid, fees = lines + 1, paid + minor, fees + fee
        yield (
            f"`{at:%Y-%m-%d %H:%M:%S},`wx2421b1c4370ec43b,`{merchant},`0,`,`4200002{lines:021d},"
            f"`{number},`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,"
            f"`0,`0,`0.00,`0.00,`,`,`Order of tea,`,`{_exact(fee)},`0.60%,`{yuan},`0.00,`\r\n"
        )
    total = f"{paid // 100}.{paid % 100:02d}"
    yield f"{TOTALS}\r\n`{lines},`{total},`0.00,`0.00,`{_exact(fees)},"
    yield f"`{total},`0.00\r\n"


def _exact(hundred_thousandths: int) -> str:
    return f"{hundred_thousandths // 100_000}.{hundred_thousandths % 100_000:05d}"


def _floor(packed: IO[bytes]) -> float:
    """Seconds that COPY takes for the lines as they are, unpacked before."""
    packed.seek(0)
    columns = ", ".join(f"c{n} text" for n in range(len(HEADER.split(","))))
    with gzip.GzipFile(fileobj=packed) as file:
        lines = [line for line in file if line.startswith(b"`")][:-1]
    blocks = [b"".join(lines[n : n + 1000]) for n in range(0, len(lines), 1000)]
    del lines
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE floor.bill ({columns})")
        started = time.perf_counter()
        with cursor.copy("COPY floor.bill FROM STDIN (FORMAT csv)") as copy:
            for block in blocks:
                copy.write(block)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE floor.bill")
    return seconds


def _require_planted(run: ReconciliationRun) -> None:
    expected = {
        "only_ours": WRONG["missing"], "only_theirs": WRONG["extra"], "amount": WRONG["amount"],
    }  # fmt: skip
    found = {kind: Difference.objects.filter(run=run, found=kind).count() for kind in expected}
    total = Difference.objects.filter(run=run).count()
    if found != expected or total != sum(expected.values()):
        raise SystemExit(f"bench: planted {expected}, found {found} of {total}.")
