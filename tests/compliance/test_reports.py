"""The audit report, from the wish to the public page, and everything that may go wrong with it."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from kombu.exceptions import OperationalError
from pypdf import PdfReader

from compliance.approvals.decide import approve
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import Actor
from compliance.audit.sealing import seal_audit
from compliance.protection.vault.files import read_made
from compliance.protection.vault.models import StoredFile
from compliance.reports.annex import annex_of, csv_of
from compliance.reports.approving import submit_report
from compliance.reports.charts import draw
from compliance.reports.errors import ReportRefused
from compliance.reports.issue import find_report, publish_report, sign_report, void_report
from compliance.reports.models import Report
from compliance.reports.prepare import LEASE, TRIES_MAX, claim_due, make, prepare_report
from compliance.reports.render import render
from compliance.reports.signing import is_intact
from compliance.reports.values import Chart, Column, Part, Table, canonical, read_dataset
from compliance.spreadsheet import harmless
from compliance.steps import REPORT_STEPS
from paysite.launcher.places import CHECKOUT
from tests.compliance.people import Person, hire
from tests.compliance.test_audit import behind_the_triggers
from tests.database import database_address

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
WORKER = "import django; django.setup();from compliance.tasks import make_reports; make_reports()"
TRAP = '=HYPERLINK("http://x","点我")'


def content_of(file: StoredFile | None) -> bytes:
    """What a report's file holds."""
    assert file is not None
    return read_made(file)


def acting(user) -> Actor:
    return Actor("user", str(user.pk), user.username)


@pytest.fixture
def shen():
    return hire("shen", roles=["compliance_officer"]).user


@pytest.fixture
def he():
    return hire("he", roles=["compliance_approver"]).user


def asked(shen, *, language="zh-hans", reason="") -> Report:
    return prepare_report(
        first_day=FIRST, last_day=LAST, language=language, reason=reason, by=shen,
        actor=acting(shen), at=timezone.now(),
    )  # fmt: skip


def made(shen, **more) -> Report:
    seal_audit()
    asked(shen, **more)
    for pk in claim_due(at=timezone.now()):
        assert make(pk, at=timezone.now())
    return Report.objects.select_related("draft").latest("pk")


def agreed(row, shen, he) -> Report:
    request = submit_report(
        number=row.public_id, reason="September", by=shen, actor=acting(shen), at=timezone.now()
    )
    approve(number=request.public_id, checker=he, actor=acting(he), at=timezone.now())
    return Report.objects.get(pk=row.pk)


def signed(row, shen) -> Report:
    return sign_report(number=row.public_id, by=shen, actor=acting(shen), at=timezone.now())


def published(row, shen) -> Report:
    return publish_report(number=row.public_id, by=shen, actor=acting(shen), at=timezone.now())


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_an_empty_month_has_all_thirteen_sections_and_every_page_its_number(shen):
    content = content_of(made(shen, language="en").draft)
    reader = PdfReader(io.BytesIO(content))
    text = text_of(content)
    for title in ("Summary", "Licence and corporate changes", "Findings and rectification"):
        assert title in text
    assert text.count("Not recorded in this period.") >= 5
    assert "No transactions in this period." in text
    pages = len(reader.pages)
    for number, page in enumerate(reader.pages[1:], start=2):
        assert f"{number} / {pages}" in page.extract_text()
    assert reader.xmp_metadata is not None
    root: Any = reader.trailer["/Root"]
    assert b"pdfaid:part" in root["/Metadata"].get_data()
    assert "manifest.json" in reader.attachments


def test_the_chinese_report_is_chinese(shen):
    row = made(shen)
    dataset = read_dataset(row.dataset)
    assert [section.number for section in dataset.sections] == list(range(1, 14))
    assert hashlib.sha256(row.dataset.encode()).hexdigest() == row.dataset_sha256
    assert canonical(dataset) == row.dataset, "the spelling survives a round trip"


def test_the_same_data_gives_the_same_bytes_in_another_process(shen, tmp_path):
    row = made(shen)
    file = tmp_path / "data.json"
    file.write_text(row.dataset)
    program = (
        "import sys, hashlib, pathlib, django; django.setup();"
        "from compliance.reports.render import render;"
        "from compliance.reports.values import read_dataset;"
        "made = render(read_dataset(pathlib.Path(sys.argv[1]).read_text()));"
        "print(hashlib.sha256(made).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(file)], cwd=CHECKOUT, capture_output=True, check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "paysite.settings", "DEMO": "true"},
    )  # fmt: skip
    assert row.draft is not None
    assert told.stdout.decode().strip() == bytes(row.draft.sha256).hex()


def hostile(dataset):
    table = Table(
        name="names", title="names", query="test", columns=[Column(label="name")],
        rows=[[TRAP], ["𠮷野家"], ["㛃"], ["<script>alert(1)</script>"]],
    )  # fmt: skip
    sections = list(dataset.sections)
    sections[1] = replace(sections[1], parts=[Part(tables=[table])])
    return replace(dataset, sections=sections)


def test_a_merchant_who_is_a_formula_is_text_in_the_annex_and_rare_names_have_their_signs(shen):
    content = render(hostile(read_dataset(made(shen).dataset)))
    reader = PdfReader(io.BytesIO(content))
    [annex] = reader.attachments["names.csv"]
    rows = list(csv.reader(io.StringIO(annex.decode("utf-8-sig"))))
    assert rows[1] == ["'" + TRAP]
    text = text_of(content)
    assert "𠮷" in text
    assert "㛃" in text
    assert TRAP in text.replace("\n", "")
    manifest = json.loads(reader.attachments["manifest.json"][0])
    [told] = [one for one in manifest["files"] if one["file"] == "names.csv"]
    assert told["sha256"] == hashlib.sha256(annex).hexdigest()
    assert told["rows"] == 4


@pytest.mark.parametrize(
    "text", ["=1", "+1+1", "-1+1", "@a", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1", "\n=1"]
)
def test_no_cell_begins_a_formula(text):
    assert harmless(text) == "'" + text
    assert harmless("-12.50") == "-12.50"


def test_money_in_the_annex_is_decimal_text():
    columns = [Column(label="m", kind="money"), Column(label="y", kind="money", currency="JPY")]
    table = Table(name="m", title="m", query="m", columns=columns, rows=[[-5, 5], [123456, 0]])
    assert csv_of(table).decode("utf-8-sig").splitlines()[1:] == ["-0.05,5", "1234.56,0"]


def test_a_chart_escapes_what_strangers_wrote():
    drawn = draw(Chart(title="t", form="bars", labels=["<b>&"], values=[1]))
    assert "&lt;b&gt;&amp;" in drawn
    assert draw(Chart(title="t", form="line", labels=[], values=[])) == ""


def test_from_the_wish_to_the_public_page(shen, he, tmp_path):
    row = agreed(made(shen), shen, he)
    assert (row.state, row.approver) == ("approved", he)
    row = signed(row, shen)
    anybody = Client(headers={"accept-language": "en"})
    assert anybody.get(f"/verify/{row.public_id}/").status_code == 404, "not yet published"
    row = published(row, shen)
    content = content_of(find_report(row.public_id).signed)
    assert hashlib.sha256(content).hexdigest() == row.file_sha256
    page = anybody.get(f"/verify/{row.public_id}/")
    assert row.file_sha256 in page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
    file = tmp_path / "r.pdf"
    file.write_bytes(content)
    told = subprocess.run(["pdfsig", str(file)], capture_output=True, check=False).stdout.decode()
    assert "Signature is Valid" in told
    assert "Total document signed" in told


def test_one_changed_byte_is_found(shen, he):
    row = signed(agreed(made(shen), shen, he), shen)
    content = bytearray(content_of(find_report(row.public_id).signed))
    assert is_intact(bytes(content))
    content[len(content) // 3] ^= 1
    assert not is_intact(bytes(content))
    assert not is_intact(b"")


def test_who_prepared_it_does_not_approve_it(shen, he):
    row = made(shen)
    request = submit_report(
        number=row.public_id, reason="mine", by=shen, actor=acting(shen), at=timezone.now()
    )
    with pytest.raises(ApprovalRefused) as refusal:
        approve(number=request.public_id, checker=shen, actor=acting(shen), at=timezone.now())
    assert refusal.value.code == "own_request"
    assert Report.objects.get().state == "in_review"
    with pytest.raises(IntegrityError, match="report_approver_is_not_preparer"):
        Report.objects.update(approver=shen)


def test_data_that_was_changed_after_the_request_is_not_approved(shen, he):
    row = made(shen)
    request = submit_report(
        number=row.public_id, reason="September", by=shen, actor=acting(shen), at=timezone.now()
    )
    with pytest.raises(IntegrityError, match="report_stays_as_published"):
        Report.objects.update(dataset="{}")
    with transaction.atomic():
        behind_the_triggers("UPDATE compliance_report SET dataset = '{}'")
    with pytest.raises(ApprovalRefused) as refusal:
        approve(number=request.public_id, checker=he, actor=acting(he), at=timezone.now())
    assert refusal.value.code == "stale"


def alter_the_first_entry() -> None:
    with transaction.atomic():
        behind_the_triggers(
            "UPDATE compliance_auditentry SET reason = 'x'"
            " WHERE id = (SELECT min(id) FROM compliance_auditentry)"
        )


def test_an_altered_audit_row_stands_in_the_report(shen):
    seal_audit()
    alter_the_first_entry()
    row = made(shen, language="en")
    assert not row.is_clean
    assert "The audit trail is broken (altered" in text_of(content_of(row.draft))


def test_a_clean_report_is_not_published_over_a_broken_trail(shen, he):
    row = signed(agreed(made(shen), shen, he), shen)
    assert row.is_clean
    seal_audit()
    alter_the_first_entry()
    with pytest.raises(ReportRefused) as refusal:
        published(row, shen)
    assert refusal.value.code == "chain_broken"
    assert Report.objects.get().state == "signed"


def test_what_was_published_stays_and_is_superseded_by_a_version_with_a_reason(shen, he):
    first = published(signed(agreed(made(shen), shen, he), shen), shen)
    with pytest.raises(ReportRefused) as refusal:
        asked(shen)
    assert refusal.value.code == "reason_missing"
    for change in ({"file_sha256": "0" * 64}, {"state": "void"}, {"version": 9}):
        with pytest.raises(IntegrityError, match="report_stays_as_published"), transaction.atomic():
            Report.objects.filter(pk=first.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM compliance_report")
    second = published(signed(agreed(made(shen, reason="typo"), shen, he), shen), shen)
    first.refresh_from_db()
    assert (first.state, second.version, second.replaces) == ("superseded", 2, first)
    page = Client(headers={"accept-language": "en"}).get(f"/verify/{first.public_id}/")
    assert second.public_id in page.content.decode()


@pytest.mark.parametrize("crash_at", sorted(REPORT_STEPS))
def test_a_killed_worker_leaves_a_report_that_the_next_one_finishes(shen, crash_at):
    row = asked(shen)
    worker = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=CHECKOUT, capture_output=True, check=False,
        env={
            **os.environ, "CRASH_AT": crash_at, "DEMO": "true",
            "DJANGO_SETTINGS_MODULE": "paysite.settings", "DATABASE_URL": database_address(),
        },
    )  # fmt: skip
    assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()[-2000:]
    row.refresh_from_db()
    before = row.dataset
    assert row.state == "queued"
    assert before
    assert claim_due(at=timezone.now()) == [], "still in the hand of the dead"
    later = timezone.now() + LEASE
    [pk] = claim_due(at=later)
    assert make(pk, at=later)
    row.refresh_from_db()
    assert (row.state, row.dataset) == ("draft", before)
    assert not make(pk, at=later), "made once"


def test_one_that_always_dies_is_given_up(shen):
    row = asked(shen)
    for turn in range(TRIES_MAX):
        assert claim_due(at=timezone.now() + turn * LEASE)
    assert claim_due(at=timezone.now() + TRIES_MAX * LEASE) == []
    row.refresh_from_db()
    assert row.state == "failed"


def test_asked_twice_it_is_one_report_and_days_to_come_have_none(shen, he):
    assert asked(shen).pk == asked(shen).pk
    today = timezone.now().date() + timedelta(days=1)
    for first, last, by, code in (
        (LAST, FIRST, shen, "period_wrong"), (FIRST, today, shen, "period_wrong"),
        (FIRST, LAST, he, "ability_missing"),
    ):  # fmt: skip
        with pytest.raises(ReportRefused) as refusal:
            prepare_report(
                first_day=first, last_day=last, language="en", by=by, actor=acting(by),
                at=timezone.now(),
            )  # fmt: skip
        assert refusal.value.code == code


def test_given_up_it_is_void_and_its_place_is_free(shen):
    row = made(shen)
    void_report(
        number=row.public_id, reason="wrong", by=shen, actor=acting(shen), at=timezone.now()
    )
    assert asked(shen).version == 2


def test_the_command_makes_a_draft(shen, tmp_path, capsys):
    file = tmp_path / "draft.pdf"
    call_command(
        "issue_report", "--from", "2026-09-01", "--to", "2026-09-30", "--by", "shen",
        "--output", str(file),
    )  # fmt: skip
    row = Report.objects.get()
    assert f"{row.public_id} draft {row.dataset_sha256}" in capsys.readouterr().out
    assert file.read_bytes().startswith(b"%PDF-")


def test_the_pages_of_the_desk(shen, monkeypatch):
    monkeypatch.setattr("compliance.desk.reports.make_reports.delay", lambda: None)
    officer = Client(headers={"accept-language": "en"})
    Person(shen).sign_in(officer)
    sent = officer.post(
        "/compliance/reports/", {"first": "2026-09-01", "last": "2026-09-30", "language": "en"}
    )
    row = Report.objects.get()
    assert sent["Location"] == f"/compliance/reports/{row.public_id}/"
    assert "<progress" in officer.get(sent["Location"]).content.decode()
    [pk] = claim_due(at=timezone.now())
    make(pk, at=timezone.now())
    officer.post(sent["Location"] + "submit/", {"reason": "September"})
    assert Approval.objects.get().subject_id == row.public_id
    row = Report.objects.get()
    assert row.state == "in_review"
    taken = officer.post(sent["Location"] + "file/", {"reason": "a look"})
    assert taken.content.startswith(b"%PDF-")
    asked_again = officer.post("/compliance/reports/", {"first": "x", "last": "", "language": "en"})
    assert asked_again.status_code == 302
    with override("en"):
        assert "In review" in officer.get("/compliance/reports/").content.decode()
    assert annex_of(read_dataset(row.dataset))
    assert StoredFile.objects.filter(purpose="report").count() == 1


def test_a_report_is_asked_for_although_the_broker_is_away(monkeypatch):
    def away():
        raise OperationalError("nobody listens")

    monkeypatch.setattr("compliance.desk.reports.make_reports.delay", away)
    client = Client()
    hire("lan", roles=["compliance_officer"]).sign_in(client)
    form = {"first": str(FIRST), "last": str(LAST), "language": "en", "reason": ""}
    answer = client.post("/compliance/reports/", form)
    row = Report.objects.get()
    assert answer["Location"] == f"/compliance/reports/{row.public_id}/"
    assert claim_due(at=timezone.now()) == [row.pk]
