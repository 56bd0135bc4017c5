"""Anybody checks a report in their own browser: the file is hashed there and sent nowhere."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from compliance.audit.sealing import seal_audit
from compliance.reports.issue import find_report
from compliance.reports.models import Report
from compliance.reports.prepare import claim_due, make
from tests.compliance.people import hire
from tests.compliance.test_reports import agreed, asked, content_of, made, published, signed
from tests.journeys.browsing import browsing, faults_of
from tests.merchants.test_support_in_a_browser import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def issued() -> tuple[str, bytes]:
    """A published report: its number and its file."""
    shen = hire("shen", roles=["compliance_officer"]).user
    he = hire("he", roles=["compliance_approver"]).user
    row = published(signed(agreed(made(shen), shen, he), shen), shen)
    content = content_of(find_report(row.public_id).signed)
    return row.public_id, content


def test_the_page_tells_the_published_file_from_one_with_a_changed_byte(
    chromium, live_server, tmp_path
):
    number, content = issued()
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(content)
    bad.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page, said, sent = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{live_server.url}/verify/{number}/")
    page.on(
        "request", lambda request: sent.append(request.url) if request.method != "GET" else None
    )
    page.set_input_files("#file", str(good))
    page.wait_for_selector("#same:not([hidden])")
    page.set_input_files("#file", str(bad))
    page.wait_for_selector("#other:not([hidden])")
    assert page.locator("#same").is_hidden()
    assert said == []
    assert set(sent) <= {"GET"}, "the file stays here"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_a_report_that_is_being_made_shows_when_it_is_there(chromium, live_server):
    shen = hire("shen", roles=["compliance_officer"])
    seal_audit()
    asked(shen.user)
    number = Report.objects.get().public_id
    with browsing(chromium, live_server.url) as (page, watch):
        page.context.add_cookies([cookie_of(shen, live_server.url)])
        page.clock.install()
        page.goto(f"{live_server.url}/compliance/reports/{number}/")
        expect(page.get_by_text("Being made; this page looks again by itself.")).to_be_visible()
        assert faults_of(page) == []
        page.get_by_label("Why it is given up").fill("the wrong days")
        for pk in claim_due(at=timezone.now()):
            assert make(pk, at=timezone.now())
        page.clock.run_for(10_000)
        expect(page.get_by_label("Why it is given up")).to_have_value("the wrong days")
        page.get_by_label("Why it is given up").fill("")
        page.get_by_role("heading", level=1).click()
        page.clock.run_for(4_000)
        expect(page.get_by_role("button", name="Hand in for review")).to_be_visible()
        assert faults_of(page) == []
        watch.assert_quiet()
