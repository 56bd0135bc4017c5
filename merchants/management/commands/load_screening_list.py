"""`manage.py load_screening_list`: bring the file of a list into use."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from merchants.screening.errors import ListRefused
from merchants.screening.load import define_list, load_list
from merchants.screening.rows import BYTES_MAX
from merchants.screening.states import ListKind
from merchants.screening.words import list_refusal


class Command(BaseCommand):
    """All of the file is loaded or nothing; the file that is in use already changes nothing."""

    help = "Load a list of names that merchants and their people are compared with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which list, and its file."""
        parser.add_argument("code")
        parser.add_argument("file", type=Path, help="CSV, in UTF-8 or GB18030")
        parser.add_argument("--kind", choices=ListKind.values, help="makes a new list known")
        parser.add_argument("--name", default="", help="of a new list, for people")
        parser.add_argument("--count", type=int, help="entries in the file; lets a list shrink")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, or say which lines are wrong."""
        code, path, at = options["code"], options["file"], timezone.now()
        try:
            with path.open("rb") as file:
                data = file.read(BYTES_MAX + 1)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from None
        if options["kind"]:
            kind, name = ListKind(options["kind"]), options["name"] or code
            define_list(code=code, kind=kind, name=name, actor=SYSTEM, at=at)
        try:
            version = load_list(
                code=code, data=data, actor=SYSTEM, at=at, expected_count=options["count"]
            )
        except ListRefused as refusal:
            raise CommandError("\n".join(list_refusal(refusal))) from None
        self.stdout.write(f"{code} {version.number}: {version.count} entries in use.")
