"""Bills of the gateways: fetched, kept as they came, and loaded line by line."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Final

from django.db import connection, transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.numbers import new_number
from compliance.protection.vault.received import digest_of, keep_received, pieces_of
from payments.channels.base import Done, Outcome
from payments.channels.bills import BillFile, BillLine, Bills, BillUnreadable, MakesBills
from payments.channels.registry import line
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Bill, ReconciliationRun
from payments.steps import step

PURPOSE: Final = "bill"
BLOCK_CHARACTERS: Final = 256 * 1024

_COPY: Final = """
COPY payments_billline
  (day, bill_id, kind, state, row, number, gateway_number, amount_minor, fee_minor, at) FROM STDIN
"""


def bills_of(channel: str) -> Bills:
    """How the channel's bills are fetched and read. Raises ReconciliationRefused: no_bills."""
    gateway = line(channel).gateway
    if not isinstance(gateway, MakesBills):
        raise ReconciliationRefused("no_bills", channel=channel)
    return gateway.bills


def fetch(run: ReconciliationRun, *, actor: Actor, at: datetime) -> Outcome[Bill]:
    """Fetch the day's bill and keep it. The same bytes again are the bill that there is.

    Called outside transactions: it asks the gateway and writes to the storage. The caller holds the
    run's lease.
    """
    with tempfile.TemporaryFile() as raw:
        outcome = bills_of(run.channel.code).fetch_bill(run.day, raw)
        if not isinstance(outcome, Done):
            return outcome
        step("bill.fetched")
        digest, _size = digest_of(raw)
        known = Bill.objects.filter(run=run, sha256=digest).first()
        if known is not None:
            return Done(known)
        return Done(_keep(run, raw, outcome.value, actor=actor, at=at))


def _keep(
    run: ReconciliationRun, raw: IO[bytes], came: BillFile, *, actor: Actor, at: datetime
) -> Bill:
    file = keep_received(
        raw, name=came.name, media_type=came.media_type, purpose=PURPOSE,
        owner=("channel", run.channel.code), actor=actor, at=at,
    )  # fmt: skip
    with transaction.atomic():
        # Whoever took the run over meanwhile may have kept the same bytes.
        bill, is_new = Bill.objects.get_or_create(
            run=run, sha256=bytes(file.sha256),
            defaults={"public_id": new_number("bil_", at=at), "file": file, "fetched_at": at},
        )  # fmt: skip
        if is_new:
            record(
                actor, "reconciliation.bill_kept", subject=("reconciliation", run.public_id),
                facts={
                    "bill": bill.public_id, "channel": run.channel.code,
                    "day": run.day.isoformat(), "sha256": bytes(file.sha256).hex(),
                },
                at=at,
            )  # fmt: skip
    step("bill.kept")
    return bill


@contextmanager
def unsealed(bill: Bill) -> Iterator[IO[bytes]]:
    """The bill's bytes in a file without a name, which is gone when the block ends."""
    with tempfile.TemporaryFile() as raw:
        for piece in pieces_of(bill.file):
            raw.write(piece)
        raw.seek(0)
        yield raw


def load(bill: Bill, *, at: datetime) -> None:
    """Write every line of the bill, in the caller's transaction; a loaded bill is left alone.

    Rows are never held together, neither here nor by the reader. Raises BillUnreadable, after which
    the caller rolls back.
    """
    if bill.loaded_at is not None:
        return
    run = bill.run
    bills, day, count = bills_of(run.channel.code), run.day.isoformat(), 0
    head = f"{day}\t{bill.pk}\t"
    with unsealed(bill) as raw, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for lines, text in _blocks(bills.parse_bill(raw, day=run.day), head):
            copy.write(text)
            count += lines
    bill.lines, bill.loaded_at, bill.problem, bill.problem_row = count, at, "", 0
    bill.save(update_fields=["lines", "loaded_at", "problem", "problem_row"])
    step("bill.loaded")


def _blocks(lines: Iterable[BillLine], head: str) -> Iterator[tuple[int, str]]:
    """Rows as COPY reads them, some thousand at a time: how many, and their text."""
    block: list[str] = []
    size, start, at_text = 0, "", ""
    kind_before, state_before, at_before = None, None, None
    for row, kind, number, theirs, amount, fee, state, at in lines:
        # Writing a time or a name of an enumeration costs as much as the rest of a row, and readers
        # repeat the object.
        if at is not at_before:
            at_before, at_text = at, at.isoformat()
        if kind is not kind_before or state is not state_before:
            kind_before, state_before, start = kind, state, f"{head}{kind}\t{state}\t"
        text = f"{start}{row}\t{number}\t{theirs}\t{amount}\t{fee}\t{at_text}\n"
        block.append(text)
        size += len(text)
        if size > BLOCK_CHARACTERS:
            yield len(block), "".join(block)
            block, size = [], 0
    yield len(block), "".join(block)


def note_unreadable(bill: Bill, error: BillUnreadable) -> None:
    """Remember why a bill cannot be believed."""
    bill.problem, bill.problem_row = error.problem, error.row
    bill.save(update_fields=["problem", "problem_row"])
