"""The compliance desk and the admin's pages of this storey."""

import pytest
from django.db import connection
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.audit.sealing import seal_audit
from compliance.audit.trail import record
from compliance.models import Authenticator
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    """Shen, a compliance officer, at her desk."""
    shen = hire("shen", roles=["compliance_officer"])
    client = Client(headers={"accept-language": "en"})
    shen.sign_in(client)
    return client


@pytest.fixture
def office():
    """He, who runs the admin."""
    client = Client(headers={"accept-language": "en"})
    hire("he", is_staff=True, is_superuser=True).sign_in(client)
    return client


class TestDesk:
    """Is the trail whole, and what was done lately?"""

    def test_the_first_page_says_that_the_trail_is_whole_and_how_far(self, desk):
        sealed = seal_audit()
        record(SYSTEM, "tea.poured", subject=("tea", "1"), facts={"cups": 3})

        page = desk.get("/compliance/")

        status = page.context["status"]
        assert (status.sealed, status.waiting, status.broken) == (sealed, 1, None)
        assert f"The newest {sealed} entries are whole and sealed" in page.content.decode()
        assert b"tea.poured" in page.content

    def test_the_first_page_names_a_broken_entry(self, desk):
        seal_audit()
        victim = AuditEntry.objects.earliest("pk")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "UPDATE compliance_auditentry SET reason = 'x' WHERE id = %s", [victim.pk]
            )
            cursor.execute("SET LOCAL session_replication_role = origin")

        page = desk.get("/compliance/").content.decode()

        assert f"Entry {victim.pk} was altered" in page

    def test_before_anything_is_sealed_the_page_says_so(self, desk):
        assert b"Nothing yet" in desk.get("/compliance/").content

    def test_the_trail_is_read_page_by_page(self, desk, monkeypatch):
        monkeypatch.setattr("compliance.desk.views.LATEST", 3)
        for number in range(5):
            record(SYSTEM, "tea.poured", subject=("tea", str(number)))

        first = desk.get("/compliance/audit/?subject=tea")
        second = desk.get(f"/compliance/audit/?subject=tea&before={first.context['older']}")

        assert [entry.subject_id for entry in first.context["entries"]] == ["4", "3", "2"]
        assert [entry.subject_id for entry in second.context["entries"]] == ["1", "0"]
        assert second.context["older"] == ""

    def test_one_subject_can_be_asked_for_and_nonsense_finds_nothing(self, desk):
        record(SYSTEM, "tea.poured", subject=("tea", "7"))

        found = desk.get("/compliance/audit/?subject=tea 7&before=abc")

        assert [entry.action for entry in found.context["entries"]] == ["tea.poured"]
        assert b"No entries found" in desk.get("/compliance/audit/?subject=%00;--").content

    def test_facts_are_written_for_people(self, desk):
        facts = {"cups": 3, "hot": True, "for": ["Lin", "Yun"], "in": {"pot": "blue"}}
        record(SYSTEM, "tea.poured", subject=("tea", "1"), facts=facts)

        assert sorted(AuditEntry.objects.latest("pk").told()) == [
            ("cups", "3"), ("for", "Lin, Yun"), ("hot", "true"), ("in", '{"pot": "blue"}'),
        ]  # fmt: skip

    def test_what_strangers_wrote_is_shown_as_text(self, desk):
        record(
            SYSTEM, "tea.poured", subject=("tea", "1"), facts={"<b>": "<script>alert(1)</script>"}
        )

        page = desk.get("/compliance/")

        assert b"<script>alert" not in page.content
        assert b"&lt;script&gt;alert" in page.content

    def test_who_may_not_read_the_trail_is_refused(self):
        client = Client()
        hire("lin").sign_in(client)

        assert client.get("/compliance/").status_code == 403
        assert client.get("/compliance/audit/").status_code == 403

    def test_the_page_takes_few_statements(self, desk, django_assert_max_num_queries):
        with django_assert_max_num_queries(19):
            desk.get("/compliance/")


class TestAdmin:
    """People and the trail in the admin."""

    @pytest.mark.parametrize("page", ["user/", "auditentry/", "authenticator/", "user/add/"])
    def test_pages_open(self, office, page):
        assert office.get(f"/admin/compliance/{page}").status_code == 200

    def test_the_trail_cannot_be_changed_from_the_admin(self, office):
        entry = AuditEntry.objects.latest("pk")

        assert office.get(f"/admin/compliance/auditentry/{entry.pk}/change/").status_code == 200
        assert office.get("/admin/compliance/auditentry/add/").status_code == 403
        assert office.post(f"/admin/compliance/auditentry/{entry.pk}/delete/").status_code == 403

    def test_the_trail_is_searched_by_the_exact_number(self, office):
        record(SYSTEM, "tea.poured", subject=("tea", "tea_1"))

        found = office.get("/admin/compliance/auditentry/?q=tea tea_1").context["cl"].result_list
        other = office.get("/admin/compliance/auditentry/?q=tea tea_").context["cl"].result_list

        assert (len(found), len(other)) == (1, 0)

    def test_changing_a_person_is_recorded_by_fields(self, office):
        yun = hire("yun").user
        form = {
            "username": "yun", "display_name": "云舒", "email": "yun@example.com", "language": "",
            "role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0",
        }  # fmt: skip

        office.post(f"/admin/compliance/user/{yun.pk}/change/", form)

        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.subject_id) == ("person.changed", str(yun.pk))
        assert "is_active" in entry.facts["fields"]

    def test_people_are_never_deleted(self, office):
        yun = hire("yun").user

        assert office.post(f"/admin/compliance/user/{yun.pk}/delete/").status_code == 403

    def test_nobody_deletes_an_authenticator_alone(self, office):
        device = Authenticator.objects.get(user=hire("yun").user)
        page = "/admin/compliance/authenticator/"

        many = {"action": "delete_selected", "_selected_action": [device.pk], "post": "yes"}
        office.post(page, many)

        assert office.post(f"{page}{device.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Authenticator.objects.filter(pk=device.pk).exists()

    def test_long_lists_are_counted_only_so_far(self, office, monkeypatch):
        monkeypatch.setattr("compliance.admin.COUNT_MAX", 2)
        for number in range(4):
            record(SYSTEM, "tea.poured", subject=("tea", str(number)))

        page = office.get("/admin/compliance/auditentry/").context["cl"]

        assert page.paginator.count == 2
