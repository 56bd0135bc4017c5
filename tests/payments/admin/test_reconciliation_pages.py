"""Staff at the queue: a day's page, the differences, and the bill itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from compliance.approvals.models import Approval
from compliance.audit.models import AuditEntry
from payments.channels.models import Channel
from payments.reconciliation.models import Bill, Difference, FeeRate, ReconciliationRun
from tests.compliance.people import Person, confirm, hire
from tests.payments.evening import DAY, MORNING, NOON, Evening, FakeBills
from tests.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db

RUNS = "/admin/payments/reconciliationrun/"
QUEUE = "/admin/payments/difference/"
FEES = "/admin/payments/feerate/"


@pytest.fixture
def evening(tea, monkeypatch) -> Evening:
    bills = FakeBills()
    monkeypatch.setattr(ScriptedGateway, "bills", bills, raising=False)
    made = Evening(shop=tea, channel=Channel.objects.get(code="first"), bills=bills)
    made.agree_on_fees()
    made.both("T1", 12800)
    made.booked("T2", 5000)
    made.billed("T3", 700)
    made.reconcile()
    return made


@pytest.fixture
def jin(evening, client: Client) -> Person:
    """Of finance, signed in."""
    person = hire("jin", roles=["finance"])
    person.sign_in(client)
    return person


def read(client: Client, path: str, *, status: int = 200) -> str:
    answer = client.get(path, headers={"accept-language": "en"})
    assert answer.status_code == status, answer
    return answer.content.decode()


def test_the_days_show_both_sides(jin, client):
    page = read(client, RUNS)
    assert "2026-11-20" in page
    assert "¥178.00" in page
    assert "¥135.00" in page
    assert "¥178.00" not in read(client, f"{RUNS}?q=2026-11-19")
    assert "¥178.00" in read(client, f"{RUNS}?q=2026-11-20")


def test_a_days_page_tells_totals_classes_and_bills(jin, client):
    run = ReconciliationRun.objects.get()
    page = read(client, f"{RUNS}{run.pk}/change/")
    for told in ("¥178.00", "¥135.00", "-¥43.00", "Only in our books", "Only in the bill",
                 "bill.json", "this one counts", "1 line agrees."):  # fmt: skip
        assert told in page, told
    assert f"run__id__exact={run.pk}" in page
    assert "T2" in read(client, f"{QUEUE}?run__id__exact={run.pk}&show=all")


def test_the_queue_is_filtered_by_class_owner_and_age(jin, client):
    Difference.objects.filter(number="T2").update(
        owner=jin.user, found_at=MORNING - timedelta(days=40)
    )
    Difference.objects.filter(number="T3").update(state="explained", ended_at=NOON, ending="gone")
    for query, has_t2, has_t3 in (
        ("", True, False), ("?show=mine", True, False), ("?show=nobody", False, False),
        ("?show=over", False, True), ("?show=all", True, True),
        ("?show=all&found__exact=only_theirs", False, True), ("?age=30", True, False),
        (f"?owner={jin.user.pk}", True, False), ("?owner=x", False, False), ("?q=T2", True, False),
        (f"?run__channel__id__exact={Channel.objects.get(code='second').pk}", False, False),
    ):  # fmt: skip
        page = read(client, QUEUE + query)
        shown = page.split('id="changelist-form"')[-1] if "changelist-form" in page else page
        assert (">T2<" in shown, ">T3<" in shown) == (has_t2, has_t3), query


def test_a_difference_is_taken_handed_on_and_resolved_by_two(jin, client):
    mei = hire("mei", roles=["finance"]).user
    row = Difference.objects.get(number="T3")
    page = f"{QUEUE}{row.pk}/"
    client.post(f"{page}take/")
    row.refresh_from_db()
    assert row.owner == jin.user
    client.post(f"{page}assign/", {"to": mei.pk})
    row.refresh_from_db()
    assert row.owner == mei
    assert client.post(f"{page}assign/", {"to": "0"}).status_code == 404

    client.post(f"{page}resolve/", {"ending": "suspense", "reason": "nobody knows it"})
    asked = Approval.objects.get()
    told = read(client, f"{page}change/")
    assert asked.public_id in told
    assert "Resolve it" not in told

    wei = Client()
    hire("wei", roles=["operator_checker"]).sign_in(wei)
    request = read(wei, f"/admin/compliance/approval/{asked.pk}/change/")
    assert f'<a href="{page}change/">difference {row.pk}</a>' in request
    assert wei.get(f"{page}change/").status_code == 200
    decide = f"/admin/compliance/approval/{asked.pk}/decide/"
    confirm(wei, wei.post(decide, {"deed": "approve"}))
    row.refresh_from_db()
    assert (row.state, row.ending, row.approval) == ("resolved", "suspense", asked.public_id)
    assert "suspense:first" in read(client, f"{page}change/")


def test_refusals_are_told(jin, client):
    row = Difference.objects.get(number="T3")
    answer = client.post(
        f"{QUEUE}{row.pk}/resolve/", {"ending": "gateway_error", "reason": "x", "claim": ""},
        follow=True, headers={"accept-language": "en"},
    )  # fmt: skip
    assert "Write down the gateway&#x27;s number for it." in answer.content.decode()
    answer = client.post(f"{QUEUE}{row.pk}/resolve/", {"ending": "suspense"}, follow=True)
    assert not Approval.objects.exists()
    assert client.post(f"{QUEUE}{row.pk}/resolve/", {"ending": "magic"}).status_code == 404


def test_who_only_looks_may_do_nothing(evening, client):
    hire("ou", roles=["operator"]).sign_in(client)
    row = Difference.objects.get(number="T3")
    page = read(client, f"{QUEUE}{row.pk}/change/")
    assert "I take it" not in page
    run = ReconciliationRun.objects.get()
    assert "Fetch the bill again" not in read(client, f"{RUNS}{run.pk}/change/")
    assert client.post(f"{RUNS}{run.pk}/again/").status_code == 403
    for deed in ("take", "assign", "resolve"):
        assert client.post(f"{QUEUE}{row.pk}/{deed}/").status_code == 403
    bill = Bill.objects.get()
    assert client.post(f"{RUNS}bills/{bill.public_id}/", {"reason": "x"}).status_code == 403


def test_the_bill_is_handed_out_after_the_second_factor(jin, client):
    bill = Bill.objects.get()
    address = f"{RUNS}bills/{bill.public_id}/"
    assert client.post(address, {"reason": " "}).status_code == 302
    assert not AuditEntry.objects.filter(action="file.viewed").exists()
    answer = confirm(client, client.post(address, {"reason": "claim 7"}))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b'"T1"' in b"".join(answer.streaming_content)
    entry = AuditEntry.objects.get(action="file.viewed")
    assert (entry.reason, entry.subject_id) == ("claim 7", bill.file.public_id)


def test_finance_has_a_mended_bill_fetched(jin, client, evening):
    evening.billed("T2", 5000)
    run = ReconciliationRun.objects.get()
    assert "Fetch the bill again" in read(client, f"{RUNS}{run.pk}/change/")
    client.post(f"{RUNS}{run.pk}/again/")
    assert AuditEntry.objects.filter(action="reconciliation.bill_asked").count() == 1
    evening.go_on(at=timezone.now())
    assert Bill.objects.count() == 2
    run.refresh_from_db()
    assert (run.wants_bill, run.matched) == (False, 2)
    ReconciliationRun.objects.update(leased_until=timezone.now() + timedelta(minutes=5))
    answer = client.post(f"{RUNS}{run.pk}/again/", follow=True, headers={"accept-language": "en"})
    assert "Somebody is working on this day." in answer.content.decode()


def test_another_fee_is_asked_for(evening, client):
    hire("bo", roles=["operator"]).sign_in(client)
    assert "Ask for another fee" in read(client, FEES)
    client.post(f"{FEES}ask/", {
        "channel": evening.channel.pk, "first_day": DAY.isoformat(), "rate_ppm": "3800",
        "reason": "new contract",
    })  # fmt: skip
    assert Approval.objects.get().kind == "channel_fee.change"
    assert FeeRate.objects.count() == 1


def test_finance_does_not_ask_for_fees(jin, client):
    assert "Ask for another fee" not in read(client, FEES)
    read(client, f"{FEES}ask/", status=403)
