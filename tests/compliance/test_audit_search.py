"""Finding entries by actor, subject, action and time among very many, and taking them out."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from compliance.audit import search
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.audit.sealing import seal_audit
from compliance.audit.search import SearchTooWide, Wanted, find_entries, narrowed, searched_lines
from compliance.audit.trail import record
from compliance.database import prepared
from paysite.launcher.places import CHECKOUT
from tests.compliance.people import confirm, hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PAGE = "/compliance/audit/"

_CROWD = """
INSERT INTO compliance_auditentry (at, actor_kind, actor_id, action, subject_kind, subject_id)
SELECT timestamptz '2026-01-01' + n * interval '1 second', 'api_key', 'key_' || mod(n, 50),
       'payment.created', 'payment', 'pay_' || n
  FROM generate_series(1, %s) n
"""


@pytest.fixture
def desk():
    client = Client(headers={"accept-language": "en"})
    hire("shen", roles=["auditor"]).sign_in(client)
    return client


def pour(*cups: str, actor: Actor = SYSTEM, action: str = "tea.poured") -> None:
    for minute, cup in enumerate(cups):
        record(actor, action, subject=("tea", cup), at=NOON + timedelta(minutes=minute))


def found_on(desk: Client, **fields: str) -> list[str]:
    page = desk.get(PAGE, fields)
    assert page.status_code == 200
    return [entry.subject_id for entry in page.context["entries"]]


class TestFinding:
    """Each field alone and all together."""

    def test_by_every_field(self, desk):
        lin = hire("lin").user
        pour("1", "2", actor=Actor("user", str(lin.pk), "lin"))
        pour("3", actor=Actor("api_key", "key_1", "sk_test"), action="tea.sold")
        pour("4", actor=Actor("gateway", "alipay", "Alipay"))
        pour("5", actor=Actor("customer", "", "customer"), action="tea.drunk")

        assert found_on(desk, actor="lin") == ["2", "1"]
        assert found_on(desk, actor=f"user {lin.pk}") == ["2", "1"]
        assert found_on(desk, actor="key_1") == ["3"]
        assert found_on(desk, actor="gateway alipay") == ["4"]
        assert found_on(desk, actor="customer") == ["5"]
        assert found_on(desk, actor="nobody") == []
        assert found_on(desk, subject="tea 2") == ["2"]
        assert found_on(desk, action="tea.sold") == ["3"]
        assert found_on(desk, actor="lin", subject="tea 1", action="tea.poured") == ["1"]
        assert found_on(desk, actor="lin", action="tea.sold") == []

    def test_days_are_included_and_are_ours(self, desk):
        for number, hour in enumerate((-5, -4, 0, 19, 20)):
            record(SYSTEM, "tea.poured", subject=("tea", str(number)),
                   at=NOON + timedelta(hours=hour) - timedelta(hours=8))  # fmt: skip
        day = {"from": "2026-11-20", "to": "2026-11-20", "action": "tea.poured"}

        assert found_on(desk, **day) == ["3", "2", "1"]
        assert found_on(desk, **{**day, "from": ""}) == ["3", "2", "1", "0"]

    def test_pages_follow_each_other_also_where_times_are_equal(self, desk, monkeypatch):
        monkeypatch.setattr("compliance.desk.views.LATEST", 2)
        for cup in range(5):
            record(SYSTEM, "tea.poured", subject=("tea", str(cup)), at=NOON)

        seen, before = [], ""
        for _page in range(3):
            page = desk.get(PAGE, {"subject": "tea", "before": before})
            seen += [entry.subject_id for entry in page.context["entries"]]
            before = page.context["older"]
        assert (seen, before) == (["4", "3", "2", "1", "0"], "")

    def test_it_is_counted_only_so_far(self, desk, monkeypatch):
        monkeypatch.setattr("compliance.audit.search.COUNT_MAX", 2)
        monkeypatch.setattr("compliance.desk.views.COUNT_MAX", 2)
        pour("1", "2", "3")

        assert b"More than 2 entries" in desk.get(PAGE, {"subject": "tea"}).content
        assert b"1 entry" in desk.get(PAGE, {"subject": "tea 1"}).content

    @pytest.mark.parametrize(
        "fields",
        [
            {"actor": "\0"},
            {"subject": "\0"},
            {"action": "\0"},
            {"actor": "' OR 1=1 --"},
            {"subject": "tea' OR '1'='1"},
            {"action": "%"},
            {"actor": "x" * 9000},
            {"actor": "user 1 OR 1=1"},
            {"from": "2999-12-31", "to": "2000-01-01"},
        ],
    )
    def test_nonsense_finds_nothing(self, desk, fields):
        pour("1")

        assert found_on(desk, **fields) == []

    @pytest.mark.parametrize(
        "fields",
        [
            {"before": "x"},
            {"before": "9" * 17 + "-" + "9" * 18},
            {"before": "1-1-1"},
            {"from": "x"},
            {"to": "0001-01-01"},
            {"from": "\0"},
            {"before": "-1-1"},
        ],
    )
    def test_places_and_days_that_are_none_do_not_matter(self, desk, fields):
        pour("1")

        assert found_on(desk, subject="tea", **fields) == ["1"]

    def test_what_was_typed_is_shown_as_text(self, desk):
        page = desk.get(PAGE, {"actor": '"><script>alert(1)</script>'})

        assert b"<script>alert" not in page.content

    def test_a_search_that_takes_too_long_says_what_to_do(self, desk, monkeypatch):
        pour("1")
        slow = AuditEntry.objects.extra(where=["pg_sleep(5) IS NULL"])
        monkeypatch.setattr(search, "PATIENCE", "SET LOCAL statement_timeout = '1ms'")
        monkeypatch.setattr(search, "narrowed", lambda _rows, _wanted: slow)

        with pytest.raises(SearchTooWide):
            find_entries(Wanted(subject="tea"), size=10)
        assert b"This search takes too long" in desk.get(PAGE).content


class TestIndexes:
    """No wish reads the table from end to end."""

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            (Wanted(actor="api_key key_7"), "audit_actor"),
            (Wanted(subject="payment pay_77"), "audit_subject"),
            (Wanted(action="tea.poured"), "audit_action"),
            (Wanted(start=NOON, end=NOON + timedelta(days=1)), "audit_at"),
            (Wanted(), "audit_at"),
        ],
    )
    def test_each_is_carried_by_its_index(self, wanted, index):
        prepared(_CROWD, [20_000])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE compliance_auditentry")

        plan = narrowed(AuditEntry.objects.all(), wanted)[:51].explain()

        assert index in plan, plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan


class TestExport:
    """What a search finds, each entry with its proof."""

    def test_it_is_taken_with_a_second_factor_and_checked_outside(
        self, desk, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("compliance.audit.search.PART", 2)
        pour("1", "2", "3", "4", "5")
        pour("6", action="tea.sold")
        seal_audit()
        pour("7")
        form = {"from": "2026-11-20", "to": "2026-11-20", "action": "tea.poured"}

        asked = desk.post("/compliance/audit/export/", form)
        assert not AuditEntry.objects.filter(action="audit.exported").exists()
        answer = confirm(desk, asked)
        text = b"".join(answer).decode()

        assert "audit-search-2026-11-20-2026-11-20.jsonl" in answer["Content-Disposition"]
        told = [json.loads(line)["entry"] for line in text.splitlines()]
        assert sorted(line["subject_id"] for line in told) == ["1", "2", "3", "4", "5"]
        (tmp_path / "p.jsonl").write_text(text)
        done = subprocess.run(
            [sys.executable, "-I", str(CHECKOUT / "docs/verify_export.py"), "--proofs", "p.jsonl"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert (done.returncode, "Whole: 5 proofs" in done.stdout) == (0, True), done.stdout
        entry = AuditEntry.objects.filter(action="audit.exported").get()
        assert entry.facts["action"] == "tea.poured"
        assert entry.role == "auditor"

    def test_a_check_for_one_search_is_not_one_for_another(self, desk):
        asked = desk.post(
            "/compliance/audit/export/",
            {"from": "2026-11-20", "to": "2026-11-20", "action": "tea.poured"},
        )
        confirm(desk, asked)
        wider = desk.post("/compliance/audit/export/", {"from": "2026-11-01", "to": "2026-11-20"})

        assert wider.status_code == 302
        assert wider.url.startswith("/confirm/")

    def test_it_ends_somewhere(self, monkeypatch):
        monkeypatch.setattr("compliance.audit.search.PART", 2)
        monkeypatch.setattr("compliance.audit.search.EXPORT_MAX", 4)
        pour(*"123456")
        seal_audit()

        assert len(list(searched_lines(Wanted(subject="tea")))) == 4
