"""The whole audit trail judged for a report: chain, blocks, noted heads and their file."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from compliance.audit.anchor import Head, are_notes_lost
from compliance.audit.verify import Break, Fault, Verdict, verify


def judge_trail(*, noted: Iterable[Head], at: datetime) -> Verdict:
    """What `verify` says; and whether the file with the noted heads is still all there."""
    verdict = verify(at=at, noted=noted)
    if verdict.broken is None and are_notes_lost():
        return replace(verdict, broken=Break(Fault.NOTES, 0, 0))
    return verdict
