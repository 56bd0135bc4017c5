"""`manage.py issue_report`: makes the report on some days, as far as a draft, and writes it out."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.identity.models import User
from compliance.protection.vault.files import read_made
from compliance.reports.errors import ReportRefused
from compliance.reports.issue import find_report
from compliance.reports.prepare import LANGUAGES, claim_due, make, prepare_report


class Command(BaseCommand):
    """Approving, signing and publishing stay with two people on the desk."""

    help = "Make the compliance report on some days (both included), as a draft."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The days, the language, for whom, and where the draft is written to."""
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
        parser.add_argument("--reason", default="", help="why there is another version")
        parser.add_argument("--by", required=True, help="the officer who prepares it (user name)")
        parser.add_argument("--output", type=Path, help="also write the draft to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for it, make it here, and say its number and fingerprint."""
        person = User.objects.filter(username=options["by"], is_active=True).first()
        if person is None:
            raise CommandError("There is no such person.")
        now = timezone.now()
        try:
            row = prepare_report(
                first_day=options["first"], last_day=options["last"], by=person, at=now,
                language=options["language"], reason=options["reason"], actor=SYSTEM,
            )  # fmt: skip
        except ReportRefused as refusal:
            raise CommandError(refusal.told) from None
        while claimed := claim_due(at=timezone.now()):
            for key in claimed:
                make(key, at=timezone.now())
        row = find_report(row.public_id)
        if row.draft is None:
            raise CommandError(f"{row.public_id} is being made by another worker.")
        if options["output"]:
            options["output"].write_bytes(read_made(row.draft))
        self.stdout.write(f"{row.public_id} {row.state} {row.dataset_sha256}")
