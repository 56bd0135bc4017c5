"""`manage.py verify_audit`: proves that the audit trail is whole, or names where it is not."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.anchor import AnchorUnreadable, noted_heads
from compliance.audit.sealing import seal_audit
from compliance.audit.verify import Break, Fault, verify

SAID = {
    Fault.ALTERED: "entry {entry} (position {position}) was altered after it was sealed",
    Fault.MISSING: "entry {entry} (position {position}) was sealed and is gone",
    Fault.BROKEN: "seal {position} (entry {entry}) does not follow on the one before",
    Fault.UNSEALED: "entry {entry} is old and was never sealed",
    Fault.HEAD: "the chain does not hold the noted hash at position {position}",
}


def a_head(text: str) -> tuple[int, bytes]:
    """Read POSITION:HASH as this command prints it."""
    if not re.fullmatch(r"\d{1,18}:[0-9a-f]{64}", text):
        raise ArgumentTypeError("a head is POSITION:HASH as this command prints it")
    position, _, digest = text.partition(":")
    return int(position), bytes.fromhex(digest)


class Command(BaseCommand):
    """Exit code 0: whole. 1: broken, and the first break is named."""

    help = "Check the audit trail against its hash chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One optional check against a head that was noted by hand."""
        parser.add_argument(
            "--head",
            type=a_head,
            metavar="POSITION:HASH",
            help="a head noted before; the chain must still hold it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal what waits, check everything, print the head, and fail on a break."""
        while seal_audit():
            pass
        by_hand = [options["head"]] if options["head"] else []
        try:
            verdict = verify(at=timezone.now(), noted=chain(by_hand, noted_heads()))
        except AnchorUnreadable as error:
            raise CommandError(
                f"The noted heads cannot be read: {error} is not as the sealer writes it. Compare"
                " with a copy of the file.", returncode=1,
            ) from None  # fmt: skip
        if verdict.broken:
            raise CommandError(self._said(verdict.broken), returncode=1)
        self.stdout.write(
            f"The audit trail is whole: {verdict.checked} entries, "
            f"{verdict.held} noted heads. "
            f"Head {verdict.position}:{verdict.head.hex()}"
        )

    def _said(self, broken: Break) -> str:
        text = SAID[broken.fault].format(entry=broken.entry, position=broken.position)
        return f"The audit trail is broken: {text}."
