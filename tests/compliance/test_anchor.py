"""Heads of the chain noted outside the database: they outlive whoever owns the database."""

import json
import logging
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.anchor import Head, Notes
from compliance.audit.blocks import find_block
from compliance.audit.chain import GENESIS, link
from compliance.audit.merkle import block_hash, root
from compliance.audit.models import AuditBlock, AuditEntry, AuditProgress, AuditSeal
from compliance.audit.sealing import seal_audit
from compliance.audit.trail import record
from compliance.audit.verify import Break, Fault, _links, verify, verify_tail
from tests.compliance.people import hire
from tests.compliance.test_audit import behind_the_triggers, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path, settings) -> Path:
    path: Path = tmp_path / "kept" / "heads.jsonl"
    settings.AUDIT_ANCHOR_FILE = path
    return path


@pytest.fixture
def seal(django_capture_on_commit_callbacks):
    """Pour so many cups and have them sealed, as a committed run of the sealer does."""

    def run(cups: int) -> None:
        for cup in range(cups):
            record(SYSTEM, "tea.poured", subject=("tea", str(cup)))
        with django_capture_on_commit_callbacks(execute=True):
            seal_audit()

    return run


def make_the_chain_anew() -> None:
    """What the database's owner does who knows our arithmetic: every seal fits again."""
    previous = GENESIS
    for place, _id, _previous, _hash, entry in list(_links(0)):
        assert entry is not None
        digest = link(previous, entry)
        behind_the_triggers(
            "UPDATE compliance_auditseal SET previous = %s, hash = %s WHERE position = %s",
            (previous, digest, place),
        )
        previous = digest
    previous = GENESIS
    for number in AuditBlock.objects.order_by("number").values_list("number", flat=True):
        block = find_block(number)
        assert block is not None
        top = root(block.leaves())
        previous_block, previous = (
            previous,
            block_hash(
                previous=previous, number=number, first=block.first, last=block.last, top=top
            ),
        )
        behind_the_triggers(
            "UPDATE compliance_auditblock SET previous = %s, root = %s, hash = %s"
            " WHERE number = %s",
            (previous_block, top, previous, number),
        )


def forge(position: int) -> None:
    entry = AuditSeal.objects.get(position=position).entry_id
    behind_the_triggers("UPDATE compliance_auditentry SET reason = 'x' WHERE id = %s", (entry,))
    make_the_chain_anew()


class TestNoting:
    """One line for each block."""

    def test_each_block_is_noted_once(self, file, seal, monkeypatch):
        monkeypatch.setattr("compliance.audit.sealing.BATCH_MAX", 2)
        seal(5)
        seal(0)
        seal(1)

        lines = [json.loads(line) for line in file.read_text().splitlines()]

        assert [line["position"] for line in lines] == [2, 4, 5, 6]
        assert lines[2]["hash"] == bytes(AuditSeal.objects.get(position=5).hash).hex()
        assert lines[2]["block_hash"] == bytes(AuditBlock.objects.get(number=3).hash).hex()
        assert sorted(lines[0]) == ["at", "block", "block_hash", "hash", "position"]
        assert file.stat().st_mode & 0o077 == 0

    def test_a_run_that_is_rolled_back_notes_nothing(self, file):
        record(SYSTEM, "tea.poured", subject=("tea", "1"))
        with transaction.atomic():
            seal_audit()
            transaction.set_rollback(True)

        assert not file.exists()

    def test_the_line_is_on_the_disk_before_the_run_ends(self, file, seal, monkeypatch):
        synced: list[int] = []
        monkeypatch.setattr("compliance.audit.anchor.os.fsync", synced.append)
        seal(1)

        assert len(synced) == 1

    def test_a_file_that_cannot_be_written_is_cried_out_and_stops_no_sealing(
        self, file, seal, caplog
    ):
        file.mkdir(parents=True)
        with caplog.at_level(logging.ERROR):
            seal(2)

        assert AuditSeal.objects.count() == 2
        assert "position 2 could not be noted" in caplog.text


class TestComparing:
    """`verify` against every noted head."""

    def test_a_whole_chain_holds_all_heads(self, file, seal):
        for _run in range(3):
            seal(2)

        verdict = verify(at=now(), noted=Notes())

        assert (verdict.held, verdict.broken) == (3, None)

    def test_a_chain_made_anew_from_an_entry_on_is_caught_at_the_next_head(self, file, seal):
        for _run in range(4):
            seal(2)
        forge(5)

        assert verify(at=now()).broken is None, "the chain alone cannot tell"
        assert verify(at=now(), noted=Notes()).broken == Break(Fault.HEAD, 0, 6)

    def test_a_chain_that_was_cut_is_caught(self, file, seal):
        seal(4)
        seal(2)
        behind_the_triggers("DELETE FROM compliance_auditseal WHERE position > 4")
        behind_the_triggers("DELETE FROM compliance_auditblock WHERE last > 4")
        behind_the_triggers(
            "DELETE FROM compliance_auditentry WHERE id NOT IN "
            "(SELECT entry_id FROM compliance_auditseal)"
        )

        assert verify(at=now()).broken is None
        assert verify(at=now(), noted=Notes()).broken == Break(Fault.HEAD, 0, 6)

    def test_a_long_file_is_compared_to_its_end(self, file, seal, monkeypatch):
        monkeypatch.setattr("compliance.audit.anchor.CHUNK", 2)
        for _run in range(5):
            seal(1)
        forge(5)

        verdict = verify(at=now(), noted=Notes())

        assert (verdict.held, verdict.broken) == (4, Break(Fault.HEAD, 0, 5))

    def test_the_command_names_the_head_that_differs(self, file, seal, capsys):
        seal(2)
        seal(2)
        call_command("verify_audit")
        assert "4 entries, 2 noted heads." in capsys.readouterr().out
        forge(3)

        with pytest.raises(CommandError, match="noted hash at position 4") as refusal:
            call_command("verify_audit")
        assert refusal.value.returncode == 1

    @pytest.mark.parametrize(
        "line", ["nonsense", "[]", "{}", '{"position": true, "hash": "0"}', "\x80",
                 '{"position": 1, "hash": "XYZ"}', "null", ""],
    )  # fmt: skip
    def test_a_line_that_we_did_not_write_is_named(self, file, seal, line):
        seal(1)
        with file.open("a") as lines:
            lines.write(line + "\n")

        seal(1)

        notes = Notes()
        assert [head.position for head in notes] == [1, 2]
        assert (notes.strange, notes.torn) == ([2], [])
        with pytest.raises(CommandError, match="line 2 of"):
            call_command("verify_audit")

    def test_without_a_file_nothing_is_compared(self, file):
        assert list(Notes()) == []

    def test_lines_from_before_there_were_blocks_are_compared(self, file, seal):
        seal(2)
        line = json.loads(file.read_text())
        old = {name: line[name] for name in ("position", "hash", "at")}
        file.write_text(json.dumps(old) + "\n")

        assert list(Notes()) == [Head(2, bytes.fromhex(line["hash"]))]
        assert verify(at=now(), noted=Notes()).held == 1

    def test_blocks_that_were_made_anew_over_the_same_seals_are_caught(self, file, seal):
        seal(2)
        seal(2)
        behind_the_triggers("DELETE FROM compliance_auditblock")
        seal(0)

        assert verify(at=now()).broken is None
        assert verify(at=now(), noted=Notes()).broken == Break(Fault.HEAD, 0, 2)


class TestPowerCut:
    """A line that was half written does not stop the sealer, and verification names it."""

    @pytest.mark.parametrize(
        "left", ['{"position": 2, "hash": "ab', "{", '{"position": ', "\0\0\0", '{"pos\0\0']
    )
    def test_the_sealer_begins_a_new_line(self, file, seal, left, capsys):
        seal(1)
        with file.open("a") as lines:
            lines.write(left)
        seal(1)

        notes = Notes()
        assert [head.position for head in notes] == [1, 2]
        assert (notes.torn, notes.strange) == ([2], [])
        call_command("verify_audit")
        said = capsys.readouterr().out
        assert "Line 2 of" in said
        assert "2 entries, 2 noted heads." in said

    def test_a_torn_line_hides_no_forgery_behind_it(self, file, seal):
        seal(1)
        with file.open("a") as lines:
            lines.write('{"position": 2')
        seal(1)
        forge(2)

        with pytest.raises(CommandError, match="noted hash at position 2"):
            call_command("verify_audit")


class TestLost:
    """A file that is gone or was shortened is an alarm, and stays one while it grows again."""

    @pytest.fixture
    def lost(self, file: Path, seal) -> Path:
        seal(1)
        seal(1)
        file.unlink()
        return file

    def test_the_command_and_the_desk_say_so(self, lost):
        assert verify_tail(length=10, at=now()).broken == Break(Fault.NOTES, 0, 0)
        with pytest.raises(CommandError, match="AUDIT_ANCHOR_FILE is gone or shorter"):
            call_command("verify_audit")

        client = Client(headers={"accept-language": "en"})
        hire("shen", roles=["auditor"]).sign_in(client)
        assert b"is gone or was shortened" in client.get("/compliance/").content

    def test_a_shortened_file_is_noticed(self, file, seal):
        seal(1)
        seal(1)
        file.write_text(file.read_text().splitlines(keepends=True)[0])

        with pytest.raises(CommandError, match="shorter than it was"):
            call_command("verify_audit")

    def test_it_is_recorded_once_and_not_forgotten_when_the_file_grows(self, lost, seal):
        for _run in range(4):
            seal(1)

        assert AuditEntry.objects.filter(action="alarm.notes_lost").count() == 1
        assert lost.stat().st_size > AuditProgress.objects.get().noted_bytes / 2
        assert verify_tail(length=10, at=now()).broken == Break(Fault.NOTES, 0, 0)

    def test_an_administrator_may_begin_anew_and_that_is_recorded(self, lost, capsys):
        call_command("verify_audit", "--restart-notes", "restored a backup")

        assert "The audit trail is whole" in capsys.readouterr().out
        entry = AuditEntry.objects.get(action="audit.notes_restarted")
        assert entry.reason == "restored a backup"

    def test_blocks_that_could_not_be_noted_are_noted_later(self, file, seal):
        file.mkdir(parents=True)
        seal(1)
        seal(1)
        file.rmdir()
        seal(0)

        assert [head.block for head in Notes()] == [1, 2]
