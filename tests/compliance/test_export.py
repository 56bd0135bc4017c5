"""The audit trail taken out, and checked by somebody who has nothing but Python."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.export import Stretch, export_stretch, exported_lines
from compliance.audit.models import AuditEntry
from compliance.audit.sealing import seal_audit
from compliance.audit.times import moment
from compliance.audit.trail import record
from paysite.launcher.places import CHECKOUT
from tests.compliance.people import confirm, hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LIN = Actor("user", "3", "lin", "198.51.100.7")
FACTS = {"cups": 3, "price": 1.10, "leaf": "龙井\u2028", "deep": [{"b": None, "a": -0.0001}]}


@pytest.fixture
def lines() -> list[str]:
    """Six sealed entries, taken out."""
    with transaction.atomic():
        for cup in range(6):
            record(
                LIN, "tea.poured", subject=("tea", f"t{cup}"), facts=FACTS,
                reason="客人\n等候", at=NOON + timedelta(minutes=cup),
            )  # fmt: skip
    seal_audit()
    return list(exported_lines(Stretch(1, 6)))


def outsider(folder: Path, lines: list[str], heads: list[str] | None = None) -> tuple[int, str]:
    """The script's exit code and words, run in an empty folder with nothing of ours."""
    (folder / "export.jsonl").write_text("".join(lines), encoding="utf-8")
    files = ["export.jsonl"]
    if heads is not None:
        (folder / "heads.jsonl").write_text("".join(heads), encoding="utf-8")
        files.append("heads.jsonl")
    script = CHECKOUT / "docs/verify_export.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script), *files],
        cwd=folder, capture_output=True, text=True, check=False, timeout=30,
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def changed(line: str, name: str, value: object) -> str:
    return json.dumps({**json.loads(line), name: value}, ensure_ascii=False) + "\n"


def head_of(line: str) -> str:
    told = json.loads(line)
    return json.dumps({"position": told["position"], "hash": told["hash"], "at": "x"}) + "\n"


class TestScript:
    """`docs/verify_export.py` on good exports and on every way to spoil one."""

    def test_a_whole_export_is_whole(self, lines, tmp_path):
        code, said = outsider(tmp_path, lines)

        assert code == 0, said
        assert "Whole: 6 entries, up to position 6" in said
        assert "Noted heads compared: 0" in said

    def test_a_part_of_the_chain_is_whole_too_and_held_by_the_head_before_it(self, lines, tmp_path):
        assert outsider(tmp_path, lines[2:5])[0] == 0
        assert outsider(tmp_path, lines[2:5], [head_of(lines[1])])[0] == 0
        forged = head_of(changed(lines[1], "hash", "0" * 64))
        code, said = outsider(tmp_path, lines[2:5], [forged])
        assert (code, "position 3, line 1" in said) == (1, True)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("at", "2026-11-23T04:02:00.000001+00:00"), ("actor_kind", "system"), ("actor_id", "4"),
         ("actor_label", "yun"), ("address", ""), ("action", "tea.spilled"), ("id", 7),
         ("subject_kind", "pot"), ("subject_id", "t9"), ("facts", {}), ("reason", ""),
         ("hash", "0" * 64), ("facts", {**FACTS, "cups": 4})],
    )  # fmt: skip
    def test_a_changed_field_is_named(self, lines, tmp_path, name, value):
        spoiled = [*lines[:2], changed(lines[2], name, value), *lines[3:]]

        code, said = outsider(tmp_path, spoiled)

        assert code == 1
        assert "(position 3, line 3) was altered" in said

    def test_a_removed_line_is_named(self, lines, tmp_path):
        code, said = outsider(tmp_path, lines[:2] + lines[3:])

        assert (code, "(position 4, line 3) does not follow on position 2" in said) == (1, True)

    def test_swapped_lines_are_named(self, lines, tmp_path):
        code, said = outsider(tmp_path, [lines[0], lines[2], lines[1], *lines[3:]])

        assert (code, "(position 3, line 2) does not follow on position 1" in said) == (1, True)

    def test_a_line_put_in_is_named(self, lines, tmp_path):
        code, said = outsider(tmp_path, [*lines[:3], lines[2], *lines[3:]])

        assert (code, "line 4) does not follow" in said) == (1, True)

    def test_a_previous_that_was_changed_is_named(self, lines, tmp_path):
        spoiled = [*lines[:2], changed(lines[2], "previous", "0" * 64), *lines[3:]]

        code, said = outsider(tmp_path, spoiled)

        assert (code, "line 3) does not follow on the hash" in said) == (1, True)

    def test_an_end_that_was_made_anew_needs_a_noted_head(self, lines, tmp_path):
        """Whoever changes the last entry and its hash is caught only by what was noted."""
        # The script's own arithmetic, as a forger would use it.
        space: dict[str, object] = {"__name__": "forger"}
        exec((CHECKOUT / "docs/verify_export.py").read_text(), space)  # noqa: S102
        forged = changed(lines[5], "reason", "x")
        told = space["parse"](forged, "here")  # type: ignore[operator]
        forged = changed(forged, "hash", space["digest"](told))  # type: ignore[operator]

        assert outsider(tmp_path, [*lines[:5], forged])[0] == 0
        code, said = outsider(tmp_path, [*lines[:5], forged], [head_of(lines[5])])
        assert (code, "position 6, line 6) does not have the hash that was noted" in said) == (
            1, True,
        )  # fmt: skip

    @pytest.mark.parametrize(
        "line",
        ["nonsense\n", "[]\n", "{}\n", "\n", "[" * 9000 + "\n"],
    )
    def test_what_is_no_entry_is_named(self, lines, tmp_path, line):
        code, said = outsider(tmp_path, [*lines[:3], line, *lines[3:]])

        assert code == 1
        assert "BROKEN: line 4" in said

    def test_text_does_not_pose_as_a_number_and_no_name_stands_twice(self, lines, tmp_path):
        posing = lines[2].replace("1.1}", '"\\u00001.1"}')
        assert posing != lines[2]
        twice = lines[2].replace("{", '{"reason": "for readers", ', 1)
        more = changed(lines[2], "note", "approved")

        for line in (posing, twice, more):
            code, said = outsider(tmp_path, [*lines[:2], line, *lines[3:]])
            assert (code, "BROKEN: line 3" in said) == (1, True), said

    def test_heads_are_compared_and_later_ones_told(self, lines, tmp_path):
        heads = [head_of(line) for line in lines]

        code, said = outsider(tmp_path, lines[:4], heads)

        assert (code, "Noted heads compared: 4" in said) == (0, True)
        assert "a head is noted at position 6" in said
        assert outsider(tmp_path, lines, ["nonsense\n"])[0] == 1

    def test_without_a_file_it_says_how_to_call_it(self, tmp_path):
        assert outsider(tmp_path, [])[0] == 0
        script = [sys.executable, str(CHECKOUT / "docs/verify_export.py")]
        for arguments in ([], ["gone.jsonl"]):
            done = subprocess.run([*script, *arguments], capture_output=True, check=False)
            assert done.returncode == 2


class TestCommand:
    """`export_audit` for operators."""

    def test_it_writes_what_the_script_can_check_and_records_it(self, lines, tmp_path, capsys):
        call_command("export_audit", "--from", "2026-11-23T12:01", "--to", "2026-11-23T12:04")

        written = [f"{line}\n" for line in capsys.readouterr().out.split("\n") if line]
        assert [json.loads(line)["position"] for line in written] == [2, 3, 4]
        assert outsider(tmp_path, written)[0] == 0
        entry = AuditEntry.objects.latest("pk")
        assert entry.action == "audit.exported"
        assert (entry.facts["first"], entry.facts["last"]) == (2, 4)

    def test_a_long_stretch_is_read_part_by_part(self, lines, monkeypatch):
        monkeypatch.setattr("compliance.audit.export.CHUNK", 4)

        assert list(exported_lines(Stretch(1, 6))) == lines

    def test_what_was_sealed_in_between_is_in_it(self, lines):
        with transaction.atomic():
            record(LIN, "tea.poured", subject=("tea", "late"), at=NOON)
        seal_audit()

        stretch = export_stretch(start=NOON, end=NOON + timedelta(seconds=1), actor=SYSTEM, at=NOON)

        assert stretch == Stretch(1, 7)

    def test_a_time_without_entries_gives_an_empty_file(self, lines, capsys):
        call_command("export_audit", "--from", "2020-01-01", "--to", "2020-01-02")

        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("start", "end"),
        [("2026-11-24", "2026-11-23"), ("x", "2026-11-23"), ("2026-02-30", "2026-03-01"),
         ("0001-01-01", "2026-01-01"), ("2026-11-23", "9999-12-31T23:59:59-12:00")],
    )  # fmt: skip
    def test_nonsense_is_refused(self, db, start, end):
        with pytest.raises(CommandError):
            call_command("export_audit", "--from", start, "--to", end)

    def test_times_without_a_zone_are_the_platforms(self):
        assert moment("2026-11-23") == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
        assert moment("2026-11-23T12:00") == NOON
        assert moment("2026-11-23T04:00Z") == NOON


class TestDesk:
    """The download, for those whose role may export."""

    def browser(self, *roles: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        hire("shen", roles=roles).sign_in(client)
        return client

    def test_an_auditor_downloads_and_an_outsider_checks_it(self, lines, tmp_path):
        desk = self.browser("auditor")

        days = {"from": "2026-11-23", "to": "2026-11-23"}
        asked = desk.post("/compliance/audit/export/", days)
        assert not AuditEntry.objects.filter(action="audit.exported").exists()
        answer = confirm(desk, asked)

        assert answer.streaming
        assert "audit-2026-11-23-2026-11-23.jsonl" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert outsider(tmp_path, [b"".join(answer).decode()])[0] == 0
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.actor_label) == ("audit.exported", "shen")

    @pytest.mark.parametrize(
        "days",
        [{}, {"from": "2026-11-24", "to": "2026-11-23"}, {"from": "x", "to": "\0"},
         {"from": "2026-02-30", "to": "2026-03-01"}, {"from": "0001-01-01", "to": "9999-12-31"}],
    )  # fmt: skip
    def test_nonsense_is_explained_and_nothing_is_taken(self, days):
        desk = self.browser("compliance_officer")

        page = desk.post("/compliance/audit/export/", days, follow=True)

        assert b"Give the first and the last day" in page.content
        assert not AuditEntry.objects.filter(action="audit.exported").exists()

    def test_who_may_only_read_is_not_offered_it_and_refused(self):
        desk = self.browser("operator")

        assert b"verify_export" not in desk.get("/compliance/audit/").content
        days = {"from": "2026-11-23", "to": "2026-11-23"}
        assert desk.post("/compliance/audit/export/", days).status_code == 403
        assert desk.get("/compliance/audit/export/").status_code == 405
        assert not AuditEntry.objects.filter(action="audit.exported").exists()
