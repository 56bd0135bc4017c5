"""`manage.py verify_audit`: proves that the audit trail is whole, or names where it is not."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.anchor import Head, Notes, are_notes_lost
from compliance.audit.sealing import restart_notes, seal_audit
from compliance.audit.stamping import count_stamps, first_wrong_stamp
from compliance.audit.verify import Break, Fault, verify

SAID = {
    Fault.ALTERED: "entry {entry} (position {position}) was altered after it was sealed",
    Fault.MISSING: "entry {entry} (position {position}) was sealed and is gone",
    Fault.BROKEN: "seal {position} (entry {entry}) does not follow on the one before",
    Fault.UNSEALED: "entry {entry} is old and was never sealed",
    Fault.BLOCK: "block {position} does not hold its seals or does not follow on the one before",
    Fault.NOTES: (
        "heads were noted, and AUDIT_ANCHOR_FILE is gone or shorter than it was. Bring back a copy;"
        " if you put it aside yourself, run verify_audit --restart-notes REASON"
    ),
    Fault.STAMP: "the time stamp of block {position} does not belong to it, or the block is gone",
    Fault.HEAD: "the chain does not hold the noted hash at position {position}",
}


def a_head(text: str) -> Head:
    """Read POSITION:HASH as this command prints it."""
    if not re.fullmatch(r"\d{1,18}:[0-9a-f]{64}", text):
        raise ArgumentTypeError("a head is POSITION:HASH as this command prints it")
    position, _, digest = text.partition(":")
    return Head(int(position), bytes.fromhex(digest))


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
        parser.add_argument(
            "--restart-notes",
            metavar="REASON",
            help="take the file of noted heads as it is from now on; this is recorded",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal what waits, check everything, print the head, and fail on a break."""
        while seal_audit():
            pass
        if options["restart_notes"]:
            restart_notes(reason=options["restart_notes"], actor=SYSTEM, at=timezone.now())
        by_hand = [options["head"]] if options["head"] else []
        notes = Notes()
        verdict = verify(at=timezone.now(), noted=chain(by_hand, notes))
        for line in notes.torn:
            self.stdout.write(
                f"Line {line} of {notes.path} was cut short, as by a power cut: what it noted is"
                " lost, all other lines were compared."
            )
        if verdict.broken:
            raise CommandError(self._said(verdict.broken), returncode=1)
        stamps = self._stamps()
        if are_notes_lost():
            raise CommandError(self._said(Break(Fault.NOTES, 0, 0)), returncode=1)
        if notes.strange:
            raise CommandError(
                f"The noted heads cannot be trusted: line {notes.strange[0]} of {notes.path} is not"
                " as the sealer writes it. All other lines were compared and hold. Compare with a"
                " copy of the file.", returncode=1,
            )  # fmt: skip
        self.stdout.write(
            f"The audit trail is whole: {verdict.checked} entries, "
            f"{verdict.held} noted heads{stamps}. "
            f"Head {verdict.position}:{verdict.head.hex()}"
        )

    def _stamps(self) -> str:
        """Check the time stamps, where there are any, and say how many hold."""
        count = count_stamps()
        if not count:
            return ""
        if not settings.TSA_CERTIFICATE:
            return f", {count} time stamps not checked (TSA_CERTIFICATE is not set)"
        try:
            wrong = first_wrong_stamp()
        except (OSError, ValueError) as error:
            raise CommandError(f"TSA_CERTIFICATE cannot be read: {error}", returncode=2) from None
        if wrong is not None:
            raise CommandError(self._said(Break(Fault.STAMP, 0, wrong)), returncode=1)
        return f", {count} time stamps"

    def _said(self, broken: Break) -> str:
        text = SAID[broken.fault].format(entry=broken.entry, position=broken.position)
        return f"The audit trail is broken: {text}."
