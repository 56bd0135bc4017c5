"""Reconciles one channel's day at once: fetches the bill again, and matches it."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from payments.channels.models import Channel
from payments.reconciliation.errors import ReconciliationRefused
from payments.reconciliation.models import Difference
from payments.reconciliation.run import begin, claim, work
from payments.reconciliation.states import DifferenceState, RunState


class Command(BaseCommand):
    """Exits with an error when the day could not be matched."""

    help = "Fetch a channel's bill of a day and match it. The same bill twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which channel and day."""
        parser.add_argument("--channel", required=True, help="the channel's code")
        parser.add_argument("--day", required=True, type=date.fromisoformat, help="YYYY-MM-DD")

    def handle(self, *args: Any, channel: str, day: date, **options: Any) -> None:
        """Say what came of it."""
        found = Channel.objects.filter(code=channel).first()
        if found is None:
            raise CommandError(f"no channel {channel}")
        at = timezone.now()
        try:
            run = claim(begin(found, day, at=at), at=at)
        except ReconciliationRefused as refusal:
            raise CommandError(refusal.problem) from refusal
        state = work(run, at=at)
        run.refresh_from_db()
        waiting = Difference.objects.filter(run=run, state=DifferenceState.OPEN).count()
        self.stdout.write(
            f"{channel} {day}: {state.value}; ours {run.ours_payments + run.ours_refunds},"
            f" theirs {run.theirs_payments + run.theirs_refunds}, matched {run.matched},"
            f" open differences {waiting}"
        )
        if state != RunState.MATCHED or run.problem:
            raise CommandError(f"not matched with a new bill: {run.problem}")
