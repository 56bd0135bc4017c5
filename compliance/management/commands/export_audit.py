"""`manage.py export_audit`: a stretch of the audit trail as lines of JSON, on standard output."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.export import export_stretch, exported_lines
from compliance.audit.times import moment


def a_moment(text: str) -> datetime:
    """Read a day or a moment."""
    found = moment(text)
    if found is None:
        raise ArgumentTypeError("a time is YYYY-MM-DD, or like 2026-11-23T12:00+08:00")
    return found


class Command(BaseCommand):
    """Check what it wrote with docs/verify_export.py, on any computer."""

    help = "Write the audit entries of a time, with their seals, as lines of JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From when to before when."""
        parser.add_argument("--from", dest="start", type=a_moment, required=True, metavar="TIME")
        parser.add_argument("--to", dest="end", type=a_moment, required=True, metavar="TIME")

    def handle(self, *args: Any, **options: Any) -> None:
        """Record that it is taken out, and write it."""
        start, end = options["start"], options["end"]
        if start >= end:
            raise CommandError("The time of --from must be before that of --to.")
        stretch = export_stretch(start=start, end=end, actor=SYSTEM, at=timezone.now())
        for line in exported_lines(stretch):
            self.stdout.write(line, ending="")
