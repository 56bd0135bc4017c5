"""`manage.py check_books`: is every fen accounted for?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.acquiring import soundness
from payments.ledger import checks
from payments.money import Money


class Command(BaseCommand):
    """Print the trial balance; end with an error when the books do not hold."""

    help = "Check that the books balance and agree with payments, attempts and refunds."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every break found, or say that there is none."""
        for kind, currency, livemode, minor in checks.trial_balance():
            mode = "live" if livemode else "test"
            self.stdout.write(f"{kind:24} {mode}  {Money(minor, currency).text:>20}")
        broken = [*checks.breaks(), *soundness.breaks()]
        for line in broken:
            self.stderr.write(line)
        if broken:
            raise CommandError(f"{len(broken)} breaks found.")
        self.stdout.write(self.style.SUCCESS("The books hold."))
