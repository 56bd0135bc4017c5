"""Anybody checks a report in their own browser: the file is hashed there and sent nowhere."""

import pytest

from compliance.reports.issue import find_report
from tests.compliance.people import hire
from tests.compliance.test_reports import agreed, content_of, made, published, signed

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
