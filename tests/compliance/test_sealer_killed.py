"""kill -9 of the sealer at every named step. The next run leaves no gap and seals nothing twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from compliance.audit.anchor import Notes
from compliance.audit.models import AuditBlock, AuditEntry, AuditProgress, AuditSeal
from compliance.audit.sealing import seal_audit
from compliance.audit.verify import verify
from compliance.steps import STEPS
from paysite.launcher.places import CHECKOUT
from tests.compliance.test_audit import behind_the_triggers, now, tell
from tests.database import database_address

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SEALER = (
    "import django; django.setup();"
    "from compliance.audit.sealing import seal_audit; print(seal_audit())"
)
TORN = '{"position": 5, "hash": "0'


@pytest.fixture
def file(tmp_path, settings) -> Path:
    path: Path = tmp_path / "heads.jsonl"
    settings.AUDIT_ANCHOR_FILE = path
    return path


def start_sealer(file: Path, *, crash_at: str = "") -> "subprocess.Popen[bytes]":
    """A sealer in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", SEALER],
        cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={
            **os.environ, "CRASH_AT": crash_at, "AUDIT_ANCHOR_FILE": str(file), "DEMO": "true",
            "DJANGO_SETTINGS_MODULE": "paysite.settings",
            "DATABASE_URL": database_address(),
        },
    )  # fmt: skip


def run_sealer(file: Path, *, crash_at: str = "") -> int:
    """Its exit code."""
    sealer = start_sealer(file, crash_at=crash_at)
    _said, cried = sealer.communicate(timeout=60)
    assert sealer.returncode in {0, -signal.SIGKILL}, cried.decode()[-2000:]
    return sealer.returncode


def assert_whole(entries: int) -> None:
    """No gap, no double, everything noted."""
    positions = list(AuditSeal.objects.order_by("pk").values_list("pk", flat=True))
    assert positions == list(range(1, entries + 1))
    assert AuditEntry.objects.filter(seal=None).count() == 0
    verdict = verify(at=now(), noted=Notes())
    assert (verdict.checked, verdict.broken) == (entries, None)
    assert AuditProgress.objects.get().noted_block == AuditBlock.objects.latest("pk").pk


@pytest.mark.parametrize("step", sorted(STEPS))
def test_the_next_run_makes_good_what_a_kill_left(file, step):
    for cup in range(3):
        tell(str(cup))
    assert run_sealer(file) == 0
    for cup in range(4):
        tell(str(cup))

    assert run_sealer(file, crash_at=step) == -signal.SIGKILL
    tell("later")
    assert run_sealer(file) == 0

    assert_whole(8)
    assert {head.position for head in Notes()} >= {3, 8}
    assert {head.block for head in Notes()} == set(AuditBlock.objects.values_list("pk", flat=True))


def test_what_was_not_committed_is_not_noted(file):
    tell("1")
    for step in ("audit.linked", "audit.blocked"):
        assert run_sealer(file, crash_at=step) == -signal.SIGKILL
        assert AuditSeal.objects.count() == 0
        assert not file.exists()


def test_a_head_that_a_kill_kept_from_the_file_is_noted_by_the_next_run(file):
    tell("1")
    assert run_sealer(file, crash_at="audit.sealed") == -signal.SIGKILL
    assert AuditSeal.objects.count() == 1
    assert not file.exists()

    assert run_sealer(file) == 0

    assert [head.position for head in Notes()] == [1]


def test_a_line_noted_twice_does_no_harm(file):
    tell("1")
    assert run_sealer(file, crash_at="audit.noted") == -signal.SIGKILL
    assert run_sealer(file) == 0

    assert [head.position for head in Notes()] == [1, 1]
    assert_whole(1)


def test_a_line_that_was_half_written_is_named_and_the_rest_compared(file, capsys):
    for cup in range(4):
        tell(str(cup))
    assert run_sealer(file) == 0
    with file.open("a") as lines:
        lines.write(TORN)
    tell("5")
    assert run_sealer(file) == 0

    notes = Notes()
    assert [head.position for head in notes] == [4, 5]
    assert notes.torn == [2]
    call_command("verify_audit")
    assert "The audit trail is whole: 5 entries, 2 noted heads." in capsys.readouterr().out


def test_many_sealers_at_once_seal_each_entry_once(file):
    for cup in range(5):
        tell(str(cup))
    running = [start_sealer(file) for _sealer in range(3)]
    for sealer in running:
        sealer.communicate(timeout=60)
        assert sealer.returncode == 0
    seal_audit()

    assert_whole(5)


def test_the_file_holds_one_whole_line_for_each_block(file):
    for cup in range(3):
        tell(str(cup))
        assert run_sealer(file) == 0

    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["block"] for line in told] == [1, 2, 3]


def test_the_tail_cut_off_with_its_blocks_is_caught_by_the_file(file):
    for cup in range(2):
        tell(str(cup))
        assert run_sealer(file) == 0
    last = AuditSeal.objects.get(pk=2).entry_id
    for deed in (
        "DELETE FROM compliance_auditseal WHERE position = 2",
        "DELETE FROM compliance_auditblock WHERE number = 2",
        f"DELETE FROM compliance_auditentry WHERE id = {last}",  # noqa: S608
    ):
        with transaction.atomic():
            behind_the_triggers(deed)

    assert verify(at=now()).broken is None
    broken = verify(at=now(), noted=Notes()).broken
    assert broken is not None
    assert (broken.fault, broken.position) == ("head", 2)
