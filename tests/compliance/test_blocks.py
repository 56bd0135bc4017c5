"""Blocks of seals under a Merkle root, and the proof that one entry stands in the trail."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.blocks import BLOCKS_MAX
from compliance.audit.merkle import climb, leaf, path, root
from compliance.audit.models import AuditBlock, AuditEntry, AuditSeal
from compliance.audit.proof import proofs
from compliance.audit.sealing import seal_audit
from compliance.audit.verify import Break, Fault, verify, verify_tail
from compliance.database import prepared
from paysite.launcher.places import CHECKOUT
from tests.compliance.people import confirm, hire
from tests.compliance.test_audit import behind_the_triggers, now, tell


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962's own recursive definition."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()


class TestTree:
    """The arithmetic, against the definition."""

    @given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
    def test_every_leaf_leads_to_the_root_and_no_other(self, data, draw):
        leaves = [leaf(digest) for digest in data]
        index = draw.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
        top, way = root(leaves), path(leaves, index)

        assert top == tree(leaves)
        assert climb(leaves[index], index=index, size=len(leaves), along=way) == top
        assert climb(leaf(b"other"), index=index, size=len(leaves), along=way) != top
        assert climb(leaves[index], index=index, size=len(leaves), along=[*way, top]) == b""
        assert climb(leaves[index], index=index, size=len(leaves) * 2, along=way) != top


@pytest.fixture
def trail(db, monkeypatch) -> list[AuditEntry]:
    """Seven entries in blocks of three, three and one."""
    monkeypatch.setattr("compliance.audit.sealing.BATCH_MAX", 3)
    entries = [tell(str(number), facts={"price": 1.10}) for number in range(7)]
    seal_audit()
    return entries


class TestBlocks:
    """Each batch becomes a block."""

    def test_blocks_hold_every_seal_once_and_follow_on_each_other(self, trail):
        blocks = list(AuditBlock.objects.order_by("number"))

        assert [(b.number, b.first, b.last) for b in blocks] == [(1, 1, 3), (2, 4, 6), (3, 7, 7)]
        assert [bytes(b.previous) for b in blocks] == [
            bytes(32),
            *(bytes(b.hash) for b in blocks[:-1]),
        ]
        assert verify(at=now()).broken is None

    def test_seals_from_before_there_were_blocks_get_theirs(self, trail):
        behind_the_triggers("DELETE FROM compliance_auditblock")

        assert seal_audit() == 0
        assert AuditBlock.objects.count() == 3
        assert verify(at=now()).broken is None

    def test_many_of_them_get_theirs_bit_by_bit(self, trail, monkeypatch):
        monkeypatch.setattr("compliance.audit.sealing.BATCH_MAX", 1)
        monkeypatch.setattr("compliance.audit.blocks.BLOCKS_MAX", 2)
        behind_the_triggers("DELETE FROM compliance_auditblock")

        counts = []
        for _run in range(4):
            seal_audit()
            counts.append(AuditBlock.objects.count())
        assert counts == [2, 4, 6, 7]
        assert BLOCKS_MAX > 2

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE compliance_auditblock SET hash = previous",
            "UPDATE compliance_auditblock SET sealed_at = sealed_at",
            "DELETE FROM compliance_auditblock",
            "TRUNCATE compliance_auditblock",
        ],
    )
    def test_blocks_cannot_be_changed_or_removed(self, trail, deed):
        with pytest.raises(IntegrityError, match="audit_block_append_only"), transaction.atomic():
            prepared(deed)

    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ([0, 8, 8], "audit_block_number_from_one"),
            ([9, 9, 8], "audit_block_holds_a_seal"),
            ([4, 7, 8], "first"),
            ([4, 6, 7], "last"),
        ],
    )
    def test_the_database_takes_no_block_that_makes_no_sense(self, trail, values, name):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            prepared(
                "INSERT INTO compliance_auditblock (number, first, last, previous, root, hash)"
                " VALUES (%s, %s, %s, '', '', 'x')",
                values,
            )

    @pytest.mark.parametrize(
        ("change", "number"),
        [
            ("UPDATE compliance_auditblock SET root = previous WHERE number = 2", 2),
            ("UPDATE compliance_auditblock SET hash = root WHERE number = 2", 2),
            ("UPDATE compliance_auditblock SET previous = root WHERE number = 3", 3),
            ("UPDATE compliance_auditblock SET last = 100 WHERE number = 3", 3),
            ("UPDATE compliance_auditblock SET number = 5 WHERE number = 3", 5),
            ("DELETE FROM compliance_auditblock WHERE number = 2", 3),
            ("DELETE FROM compliance_auditblock WHERE number = 1", 2),
        ],
    )
    def test_the_first_broken_block_is_named(self, trail, change, number):
        behind_the_triggers(change)

        assert verify(at=now()).broken == Break(Fault.BLOCK, 0, number)
        with pytest.raises(CommandError, match=f"block {number} does not hold its seals"):
            call_command("verify_audit")

    def test_the_tail_alone_finds_what_is_new(self, trail):
        behind_the_triggers("UPDATE compliance_auditblock SET root = hash WHERE number = 3")

        assert verify_tail(length=1, at=now()).broken == Break(Fault.BLOCK, 0, 3)


def outsider(folder: Path, proof: str, *against: str) -> tuple[int, str]:
    (folder / "proofs.jsonl").write_text(proof, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKOUT / "docs/verify_export.py"),
         "--proofs", "proofs.jsonl", *against],
        cwd=folder, capture_output=True, text=True, check=False, timeout=30,
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def block_of(number: int) -> str:
    return bytes(AuditBlock.objects.get(number=number).hash).hex()


class TestProof:
    """One entry, checked by somebody who has nothing but Python and the hash of a block."""

    def test_every_entry_can_be_proven_alone(self, trail, tmp_path):
        for entry, number in zip(trail, [1, 1, 1, 2, 2, 2, 3], strict=True):
            [proof] = proofs([entry.pk])
            code, said = outsider(tmp_path, proof, block_of(number))
            assert (code, "Block hashes compared: 1" in said) == (0, True), said
            assert outsider(tmp_path, proof, "0" * 64)[0] == 1

    def test_many_are_checked_against_the_noted_heads(self, trail, tmp_path):
        heads = tmp_path / "heads.jsonl"
        heads.write_text(
            "".join(
                json.dumps({
                    "position": b.last, "hash": bytes(AuditSeal.objects.get(pk=b.last).hash).hex(),
                    "block": b.number, "block_hash": bytes(b.hash).hex(), "at": "x",
                }) + "\n"
                for b in AuditBlock.objects.order_by("number")
            ) + '{"position": 12, "ha'
        )  # fmt: skip
        lines = "".join(proofs([entry.pk for entry in trail]))

        code, said = outsider(tmp_path, lines, "heads.jsonl")
        assert (code, "7 proofs. Block hashes compared: 7" in said) == (0, True), said
        assert "Line 4 of the noted heads was cut short" in said

    @pytest.mark.parametrize(
        ("where", "name", "value"),
        [
            ("entry", "reason", "x"), ("entry", "role", "auditor"), ("entry", "position", 4),
            ("entry", "hash", "0" * 64), ("entry", "position", 99), ("entry", "note", 1),
            ("block", "first", 1), ("block", "last", 5), ("block", "last", 2**63),
            ("block", "number", 1), ("block", "previous", "0" * 64), ("block", "number", "2"),
            ("block", "hash", "0" * 64), ("block", "previous", None), ("", "path", []),
            ("", "path", ["0" * 64] * 2), ("", "path", ["x"]), ("", "path", [1]), ("", "path", {}),
            ("", "entry", None), ("", "block", []), ("", "more", 1), ("block", "last", 10**20),
        ],
    )  # fmt: skip
    def test_a_proof_that_was_changed_proves_nothing(self, trail, tmp_path, where, name, value):
        [proof] = proofs([trail[4].pk])
        told = json.loads(proof)
        (told[where] if where else told)[name] = value

        code, said = outsider(tmp_path, json.dumps(told) + "\n", block_of(2))
        assert (code, said.startswith("BROKEN")) == (1, True), said

    def test_the_command_writes_a_proof_and_records_it(self, trail, tmp_path, capsys):
        call_command("prove_audit", "--entry", str(trail[4].pk))

        assert outsider(tmp_path, capsys.readouterr().out, block_of(2))[0] == 0
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.subject_id) == ("audit.entry_proven", str(trail[4].pk))

    def test_what_waits_or_is_not_there_has_no_proof(self, trail):
        waiting = tell("late")

        for number in (waiting.pk, 0, 10**15):
            with pytest.raises(CommandError, match="is not there, or waits"):
                call_command("prove_audit", "--entry", str(number))


class TestDesk:
    """The same as a download."""

    def test_an_auditor_takes_a_proof(self, trail, tmp_path):
        desk = Client(headers={"accept-language": "en"})
        hire("shen", roles=["auditor"]).sign_in(desk)

        asked = desk.post("/compliance/audit/proof/", {"entry": str(trail[4].pk)})
        assert not AuditEntry.objects.filter(action="audit.entry_proven").exists()
        answer = confirm(desk, asked)
        assert (
            answer["Content-Disposition"]
            == f'attachment; filename="audit-entry-{trail[4].pk}.json"'
        )
        assert answer["Cache-Control"] == "no-store"
        assert outsider(tmp_path, answer.content.decode(), block_of(2))[0] == 0
        assert AuditEntry.objects.latest("pk").actor_label == "shen"

    @pytest.mark.parametrize("entry", ["", "x", "0", "9" * 30, "-1", "1 OR 1=1"])
    def test_nonsense_is_explained(self, db, entry):
        desk = Client(headers={"accept-language": "en"})
        hire("shen", roles=["auditor"]).sign_in(desk)

        page = desk.post("/compliance/audit/proof/", {"entry": entry}, follow=True)
        assert b"There is no sealed entry with this number" in page.content

    def test_who_may_only_read_is_refused(self, trail):
        desk = Client()
        hire("shen", roles=["operator"]).sign_in(desk)

        assert desk.post("/compliance/audit/proof/", {"entry": trail[0].pk}).status_code == 403
        assert desk.get("/compliance/audit/proof/").status_code == 405
