"""`manage.py rotate_keys`: puts every sealed value under a new key while the platform runs."""

import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.protection.keyservice import key_service
from compliance.protection.rotation import begin_rotation, finish_rotation, move_values

BATCH: Final = 200
HELD_SECONDS: Final = 0.2


class Command(BaseCommand):
    """May be killed and run again at any time; it goes on where it stopped."""

    help = "Replace the data keys and re-encrypt every sealed column in batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How hard the database is worked."""
        parser.add_argument("--batch", type=int, default=BATCH, help="rows per transaction")
        parser.add_argument(
            "--pause", type=float, default=0.0, help="seconds to rest after each batch"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin or resume, move everything, and fail when something is left."""
        old = begin_rotation(actor=SYSTEM, at=timezone.now())
        for column, moved, left in move_values(old, limit=max(1, options["batch"])):
            self.stdout.write(f"{column}: {moved} re-encrypted, {left} to go.")
            # Rows that others hold come free again; asking for them without a rest helps nobody.
            time.sleep(options["pause"] if moved else max(options["pause"], HELD_SECONDS))
        if left := finish_rotation(old, actor=SYSTEM, at=timezone.now()):
            raise CommandError(f"{left} values are still under the old keys. Run it again.")
        self.stdout.write(
            f"Every sealed value is under the new keys, and these under {key_service().names()[0]}."
        )
