"""Compliance officers: a report from its making to a stranger's check, and the audit trail."""

import hashlib
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from compliance.reports.build import SHANGHAI
from paysite.launcher.places import CHECKOUT
from paysite.launcher.processes import wait_until
from tests.journeys.browsing import browsing, faults_of, keep
from tests.journeys.people import Visit, said, visit
from tests.journeys.running import Platform

pytestmark = [pytest.mark.browser, pytest.mark.process]

SCRIPT = CHECKOUT / "docs" / "verify_export.py"
REPORT = "SELECT state, file_sha256 FROM compliance_report WHERE public_id = :'report'"
DEEDS = """
SELECT action, actor_label FROM compliance_auditentry
 WHERE subject_kind = 'report' AND subject_id = :'report' ORDER BY id
"""
IN_A_BLOCK = """
SELECT count(*) > 0 FROM compliance_auditentry e JOIN compliance_auditseal s ON s.entry_id = e.id
 WHERE e.actor_label = :'name' AND s.position <= (SELECT max(last) FROM compliance_auditblock)
"""
SEALED_WITHIN_SECONDS = 60
TAKEN = """
SELECT actor_label FROM compliance_auditentry WHERE action LIKE 'audit.%' ORDER BY id DESC LIMIT 1
"""


def state_is(who: Visit, state: str) -> None:
    """Wait until the report's page says so."""
    fact = who.page.locator(".facts dd").first
    expect(fact).to_have_text(who.say(state, context="report"), timeout=60_000)


def prepare(shen: Visit, first: str, last: str) -> str:
    """Have a report made; its number."""
    shen.look("shelf")
    shen.page.locator("#first").fill(first)
    shen.page.locator("#last").fill(last)
    shen.page.locator("#language").select_option(shen.language)
    shen.page.locator("#reason").fill("更新数据")
    shen.press("Make the report")
    state_is(shen, "Draft")
    shen.look("draft")
    return shen.page.url.rstrip("/").rpartition("/")[2]


def download(page: Page, press: object, to: Path) -> Path:
    """Keep what the browser is given."""
    with page.expect_download() as got:
        press()  # type: ignore[operator]
    got.value.save_as(to)
    return to


def check_as_a_stranger(
    platform: Platform, chromium: Browser, number: str, files: tuple[Path, Path], *, device: str,
    language: str,
) -> None:  # fmt: skip
    """Somebody without an account checks two files in their own browser: the second is forged."""
    good, bad = files
    with browsing(chromium, platform.url, device=device, language=language) as (page, watch):
        page.goto(f"{platform.url}/verify/{number}/")
        same = page.get_by_text(said("The file is the published one, to the last byte.", language))
        other = page.locator("#other")
        assert faults_of(page) == []
        page.set_input_files("#file", good)
        expect(same).to_be_visible()
        expect(other).to_be_hidden()
        keep(page, f"stranger-same-{device}-{language}")
        assert faults_of(page) == []
        page.set_input_files("#file", bad)
        expect(other).to_be_visible()
        expect(same).to_be_hidden()
        keep(page, f"stranger-other-{device}-{language}")
        assert faults_of(page) == []
        watch.assert_quiet()


@pytest.mark.parametrize(
    ("device", "language", "days"), [("desktop", "zh-hans", 7), ("phone", "en", 3)]
)
def test_a_report_from_its_making_to_a_stranger(
    platform, chromium, tmp_path, device, language, days
):
    today = datetime.now(SHANGHAI).date()
    first, last = ((today - timedelta(days=back)).isoformat() for back in (days, 1))
    look = {"device": device, "language": language}

    with visit(platform, chromium, "compliance_officer", "/compliance/reports/", **look) as shen:
        number = prepare(shen, first, last)
        shen.fill("Reason", "季度例行报告")
        shen.press("Hand in for review")
        state_is(shen, "In review")
        shen.look("in-review")
    with visit(platform, chromium, "compliance_approver", "/compliance/", **look) as he:
        he.look("overview")
        he.go(f"/compliance/reports/{number}/")
        he.look("report")
        he.page.locator(".banner a[href*=approval]").click()
        he.page.wait_for_url("**/approval/**")
        he.look("request")
        request = he.page.url
        he.follow(f"report {number}")
        he.page.wait_for_url(f"**/reports/{number}/")
        he.page.goto(request)
        he.press("Agree")
        he.confirm("Agree")
        he.reads("You agreed.")
        he.look("agreed")
        he.go(f"/compliance/reports/{number}/")
        state_is(he, "Approved")
        assert platform.ask(REPORT, report=number) == [["approved", ""]]
    with visit(
        platform, chromium, "compliance_officer", f"/compliance/reports/{number}/", **look
    ) as shen:
        shen.look("approved")
        shen.press("Sign")
        shen.confirm("Sign a report")
        state_is(shen, "Signed")
        shen.look("signed")
        shen.press("Publish")
        shen.confirm("Publish a report")
        state_is(shen, "Published")
        shen.look("published")
        shen.fill("Why you look at it", "交付监管")
        good = download(shen.page, lambda: shen.press("Download"), tmp_path / "report.pdf")
        shen.go("/compliance/reports/")
        row = shen.page.get_by_role("row").filter(has_text=number)
        expect(row).to_contain_text(shen.say("Published", context="report"))
        shen.look("shelf")

    content = good.read_bytes()
    assert content.startswith(b"%PDF-")
    state, digest = platform.ask(REPORT, report=number)[0]
    assert (state, digest) == ("published", hashlib.sha256(content).hexdigest())
    middle = len(content) // 2
    bad = tmp_path / "forged.pdf"
    bad.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    check_as_a_stranger(platform, chromium, number, (good, bad), **look)
    assert platform.ask(DEEDS, report=number) == [
        ["report.prepared", "shen.compliance"], ["report.made", "report maker"],
        ["report.submitted", "shen.compliance"], ["report.approved", "he.approver"],
        ["report.signed", "shen.compliance"], ["report.published", "shen.compliance"],
    ]  # fmt: skip


@pytest.mark.parametrize(("device", "language"), [("desktop", "en"), ("phone", "zh-hans")])
def test_the_trail_is_searched_and_taken_out(platform, chromium, tmp_path, device, language):
    today = datetime.now(SHANGHAI).date().isoformat()
    with visit(
        platform, chromium, "compliance_officer", "/compliance/audit/", device=device,
        language=language,
    ) as shen:  # fmt: skip
        shen.look("trail")
        shen.page.locator("#actor").fill(shen.person["username"])
        shen.page.locator("#since").fill(today)
        shen.page.locator("#until").fill(today)
        shen.press("Search")
        rows = shen.page.locator("table.table tbody tr")
        expect(rows.first).to_contain_text(shen.person["username"])
        shen.look("found")
        name = shen.person["username"]
        assert wait_until(
            lambda: platform.ask(IN_A_BLOCK, name=name) == [["t"]], seconds=SEALED_WITHIN_SECONDS
        )
        export = shen.page.locator("form[action$='/export/']")
        shen.press("Download", within=export)
        title = "Take a part of the audit trail out"
        file = download(shen.page, lambda: shen.confirm(title), tmp_path / "trail.jsonl")
        shen.reads("Your browser is saving the file.")
        expect(shen.page.get_by_text(shen.say("Do not do it"))).to_be_hidden()
        shen.look("taken")
        shen.follow("Back to where you were")
        expect(rows.first).to_be_visible()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["entry"]["actor_label"] for line in lines} == {name}
    assert platform.ask(TAKEN) == [[name]]
    checked = subprocess.run(
        [sys.executable, str(SCRIPT), "--proofs", str(file)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
