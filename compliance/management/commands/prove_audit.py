"""`manage.py prove_audit --entry N`: one entry with the proof that it stands in the trail."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.proof import prove_entry


class Command(BaseCommand):
    """Writes a line of JSON to standard output; `docs/verify_export.py --proofs` checks it."""

    help = "Write one audit entry with the proof that it stands in its block."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which entry."""
        parser.add_argument("--entry", type=int, required=True, metavar="NUMBER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the proof, or say why there is none."""
        proof = prove_entry(entry=options["entry"], actor=SYSTEM, at=timezone.now())
        if proof is None:
            raise CommandError(
                f"Entry {options['entry']} is not there, or waits for the sealer: ask again later.",
                returncode=1,
            )
        self.stdout.write(proof, ending="")
