"""How risky a shop is: graded with its reasons, raised by a person, looked at again in time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin import site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from compliance.protection.vault.files import take_in
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.access import MerchantAccess
from merchants.accounts.register import register_merchant
from merchants.admin import queue
from merchants.models import Application, Diligence, Merchant, RiskGrade, ScreeningHit
from merchants.onboarding.diligence import missing_diligence, note_diligence
from merchants.onboarding.grading import DILIGENCE, Grade
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import ask_for_changes
from merchants.onboarding.risk import raise_grade
from merchants.screening.decide import confirm_hit, dismiss_hit
from merchants.screening.load import define_list, load_list
from merchants.screening.queries import open_hits
from merchants.screening.rescreen import go_on_screening
from merchants.screening.states import ListKind
from tests.cast import NOON
from tests.compliance.people import Person, hire
from tests.merchants.applying import (
    actor_of,
    application_of,
    apply,
    fill,
    hand_in,
    judge_all,
    picture,
    write,
)
from tests.merchants.test_onboarding import agree, suggest

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
LIST_QUERIES_MAX = 8
PAGE_QUERIES_MAX = 20


@pytest.fixture
def lin() -> MerchantAccess:
    return apply()


@pytest.fixture
def reviewer() -> User:
    return hire("reviewer", roles=["operator"]).user


@pytest.fixture
def checker() -> User:
    return hire("checker", roles=["operator_checker"]).user


def browser_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    Person(user).sign_in(client)
    return client


def risky(lin: MerchantAccess) -> Application:
    """A young shop that expects much, with an owner who controls it in another way."""
    fill(lin)
    write(lin, "licence", valid_from="2026-10-01")
    write(lin, "business", monthly_volume="6000000", usual_amount="60000")
    return hand_in(lin)


def note(application: Application, by: User, measure: str, text: str = "seen") -> Diligence:
    return note_diligence(
        application=application.public_id, measure=measure, note=text, by=by, actor=actor_of(by),
        at=LATER,
    )  # fmt: skip


def waiting_since(moment: datetime, *, number: int, risk: int) -> Application:
    """One that lies with the reviewers; nothing of it but what the list shows."""
    merchant = register_merchant(name=f"Shop {number}", actor=SYSTEM, at=NOON)
    return Application.objects.create(
        public_id=f"apl_{number}", merchant=merchant, state="in_review", entity="enterprise",
        name=f"Shop {number}", credit_code=str(number), round=1, created_at=NOON,
        submitted_at=moment, risk=risk,
    )  # fmt: skip


class TestGrading:
    """At submission, and again whenever something changes."""

    def test_a_plain_shop_is_graded_with_its_reasons(self, lin):
        fill(lin)
        row = hand_in(lin)
        kept = RiskGrade.objects.get()
        assert (row.risk, kept.grade, kept.reasons, kept.points) == (Grade.LOW, Grade.LOW, [], 0)
        entry = AuditEntry.objects.get(action="application.graded")
        assert (entry.before, entry.after) == ({"risk": 0}, {"risk": 1})

    def test_what_speaks_against_it_is_kept_heaviest_first(self, lin):
        row = risky(lin)
        kept = RiskGrade.objects.get()
        assert row.risk == Grade.HIGH
        assert kept.reasons == [
            ["volume_high", 30], ["amount_high", 20], ["company_new", 20],
        ]  # fmt: skip

    def test_the_same_again_is_not_kept_twice(self, lin, reviewer):
        fill(lin)
        row = hand_in(lin)
        judge_all(row, reviewer)
        suggest(row, reviewer)
        assert RiskGrade.objects.count() == 1

    def test_a_person_sees_more_and_nobody_less(self, lin, reviewer):
        fill(lin)
        row = hand_in(lin)
        common = {
            "application": row.public_id, "by": reviewer, "actor": actor_of(reviewer), "at": LATER,
        }  # fmt: skip
        raise_grade(to=Grade.MEDIUM, reason="odd shop front", **common)
        row.refresh_from_db()
        assert row.risk == Grade.MEDIUM
        for to in (Grade.LOW, Grade.MEDIUM):
            with pytest.raises(VerdictRefused, match="grade_not_raised"):
                raise_grade(to=to, reason="x", **common)
        with pytest.raises(VerdictRefused, match="note_missing"):
            raise_grade(to=Grade.HIGH, reason=" ", **common)
        judge_all(row, reviewer)
        suggest(row, reviewer)
        row.refresh_from_db()
        assert row.risk == Grade.MEDIUM, "the rules do not take it back"

    def test_the_database_keeps_to_it(self, lin):
        fill(lin)
        row = hand_in(lin)
        for wrong in ({"grade": 4}, {"note": "no person"}):
            with pytest.raises(IntegrityError), transaction.atomic():
                RiskGrade.objects.create(**{
                    "application": row, "round": 1, "grade": 1, "points": 0, "reasons": [],
                    "rules": "x", "at": NOON, **wrong,
                })  # fmt: skip


class TestScreeningMovesTheGrade:
    """Whom it names may turn out to stand on a list, or not to, after it was handed in."""

    @pytest.fixture
    def named(self, lin) -> Application:
        fill(lin)
        row = hand_in(lin)
        define_list(code="own", kind=ListKind.OWN, name="Own", actor=SYSTEM, at=NOON)
        data = "kind,name,aliases,identity_number,born,reference\r\nperson,梅青,,,,S-1"
        load_list(code="own", data=data.encode(), actor=SYSTEM, at=LATER)
        go_on_screening(at=LATER)
        row.refresh_from_db()
        return row

    def decide(self, verb: Callable[..., ScreeningHit], by: User) -> None:
        for hit in open_hits():
            verb(number=hit.public_id, person=by, reason="looked", actor=actor_of(by), at=LATER)

    def test_somebody_is_like_a_name_on_a_new_list(self, lin, named):
        assert named.risk == Grade.MEDIUM
        assert [row.reasons for row in named.grades.order_by("pk")] == [
            [], [["screening_open", 30]],
        ]  # fmt: skip
        entry = AuditEntry.objects.filter(action="application.graded").latest("pk")
        assert (entry.actor_label, entry.after) == ("system", {"risk": 2})

    def test_it_is_somebody_else(self, lin, named, reviewer):
        self.decide(dismiss_hit, reviewer)
        named.refresh_from_db()
        assert named.risk == Grade.LOW
        assert named.grades.latest("pk").reasons == [["screening_dismissed", 10]]

    def test_it_is_them(self, lin, named, reviewer):
        self.decide(confirm_hit, reviewer)
        named.refresh_from_db()
        assert named.risk == Grade.HIGH

    def test_the_same_list_again_says_nothing_new(self, lin, named):
        before = named.grades.count()
        go_on_screening(at=LATER + timedelta(days=2))
        assert named.grades.count() == before

    def test_what_went_back_is_graded_when_it_is_handed_in_again(self, lin, named, reviewer):
        judge_all(named, reviewer, wrong={"licence.name": "mismatch"})
        ask_for_changes(
            application=named.public_id, told="x", by=reviewer, actor=actor_of(reviewer), at=LATER
        )
        self.decide(dismiss_hit, reviewer)
        named.refresh_from_db()
        assert named.risk == Grade.MEDIUM

        hand_in(lin, at=LATER)

        named.refresh_from_db()
        assert (named.round, named.risk) == (2, Grade.LOW)


class TestDiligence:
    """What a high risk asks for is done, and said, before the merchant is taken on."""

    def test_no_recommendation_before_every_measure_is_noted(self, lin, reviewer, checker):
        row = risky(lin)
        judge_all(row, reviewer)
        for measure in DILIGENCE:
            with pytest.raises(VerdictRefused, match="diligence_missing"):
                suggest(row, reviewer)
            note(row, reviewer, measure)
        assert missing_diligence(application_of(lin)) == []

        agree(suggest(row, reviewer), checker)

        merchant = Merchant.objects.get()
        assert (merchant.status, merchant.risk) == ("active", Grade.HIGH)

    def test_notes_are_sealed(self, lin, reviewer):
        row = risky(lin)
        kept = note(row, reviewer, "site_visit", "林岚 was there")
        stored = Diligence.objects.filter(pk=kept.pk).values_list("note_sealed", flat=True)
        assert "林岚" not in str(list(stored))
        assert Diligence.objects.get().note_sealed.open() == "林岚 was there"

    def test_a_paper_may_prove_it_and_reviewers_look_at_it(self, lin, reviewer):
        row, desk = risky(lin), browser_of(reviewer)
        page = f"/admin/merchants/application/{row.pk}"
        form = {"measure": "source_of_funds", "note": "a statement of the bank"}
        sent = SimpleUploadedFile("proof.png", picture().content, "image/png")

        desk.post(f"{page}/risk/", {**form, "file": sent})

        kept = Diligence.objects.get()
        assert kept.file is not None
        StoredFile.objects.filter(pk=kept.file.pk).update(state=FileState.CLEAN, scan_at=None)
        link = f"{page}/papers/{kept.file.public_id}/"
        assert link in desk.get(f"{page}/change/").content.decode()
        assert desk.get(link)["Content-Type"] == "image/jpeg"
        entry = AuditEntry.objects.get(action="application.diligence_noted")
        assert entry.facts["file"] == kept.file.public_id
        assert AuditEntry.objects.filter(
            action="file.viewed", subject_id=kept.file.public_id
        ).exists()

    def test_a_file_that_is_refused_notes_nothing(self, lin, reviewer):
        row, desk = risky(lin), browser_of(reviewer)
        sent = SimpleUploadedFile("proof.exe", b"MZ", "application/octet-stream")
        desk.post(
            f"/admin/merchants/application/{row.pk}/risk/",
            {"measure": "source_of_funds", "note": "x", "file": sent},
        )
        assert not Diligence.objects.exists()

    def test_a_paper_that_comes_too_late_is_destroyed(self, lin, reviewer, monkeypatch):
        row = risky(lin)

        def slowly(*args: Any, **more: Any) -> StoredFile:
            Application.objects.update(state="needs_changes")
            return take_in(*args, **more)

        monkeypatch.setattr("merchants.onboarding.diligence.take_in", slowly)
        with pytest.raises(VerdictRefused, match="not_in_review"):
            note_diligence(
                application=row.public_id, measure="site_visit", note="x", by=reviewer,
                actor=actor_of(reviewer), at=LATER, upload=picture(),
            )  # fmt: skip
        assert StoredFile.objects.get(purpose="diligence").state == FileState.ERASED

    def test_what_is_not_wanted_is_refused(self, lin, reviewer):
        fill(lin)
        row = hand_in(lin)
        with pytest.raises(VerdictRefused, match="measure_not_wanted"):
            note(row, reviewer, "site_visit")
        with pytest.raises(VerdictRefused, match="note_missing"):
            note(row, reviewer, "site_visit", " ")

    def test_a_risk_that_grows_after_the_recommendation_holds_it_up(self, lin, reviewer, checker):
        fill(lin)
        row = hand_in(lin)
        judge_all(row, reviewer)
        request = suggest(row, reviewer)
        raise_grade(
            application=row.public_id, to=Grade.HIGH, reason="a tip", by=reviewer,
            actor=actor_of(reviewer), at=LATER,
        )  # fmt: skip
        with pytest.raises(Exception, match="not_executable"):
            agree(request, checker)
        assert Merchant.objects.get().may_live is False


class TestTheDesk:
    """The reviewers' pages."""

    def test_the_page_says_why_and_takes_notes(self, lin, reviewer):
        row = risky(lin)
        desk = browser_of(reviewer)
        page = f"/admin/merchants/application/{row.pk}/change/"
        text = desk.get(page).content.decode()
        assert "Expects sales of 5 million yuan a month or more" in text
        assert "Visit the place of business" in text

        desk.post(
            f"/admin/merchants/application/{row.pk}/risk/",
            {"measure": "site_visit", "note": "by video, two tills"},
        )

        assert "by video, two tills" in desk.get(page).content.decode()

    def test_the_grade_is_raised_there(self, lin, reviewer):
        fill(lin)
        row = hand_in(lin)
        desk = browser_of(reviewer)
        url = f"/admin/merchants/application/{row.pk}/risk/"
        assert "Write down why" in desk.post(url, {"to": "3"}, follow=True).content.decode()
        desk.post(url, {"to": "3", "note": "a tip"})
        row.refresh_from_db()
        assert row.risk == Grade.HIGH

    @pytest.mark.parametrize(
        ("query", "order"),
        [
            ("show=queue", ["late", "today", "in time"]),
            ("show=risk", ["today", "in time", "late"]),
            ("service=late", ["late"]), ("service=today", ["today"]),
            ("service=in_time", ["in time"]), ("service=tomorrow", ["late", "today", "in time"]),
            ("risk__exact=3", ["today"]), ("show=queue&risk__exact=1", ["late"]),
        ],
    )  # fmt: skip
    def test_the_queue_by_age_by_risk_and_by_service(
        self, reviewer, settings, monkeypatch, query, order
    ):
        settings.REVIEW_HOURS = 24
        monkeypatch.setattr(queue, "now", lambda: NOON)
        midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Shanghai"))
        waiting = {
            "late": (NOON - timedelta(microseconds=1), 1),
            "today": (midnight - timedelta(microseconds=1), 3),
            "in time": (midnight, 2),
        }
        names = {}
        for number, (name, (due, risk)) in enumerate(waiting.items()):
            row = waiting_since(due - timedelta(hours=24), number=number, risk=risk)
            names[row.public_id] = name

        text = browser_of(reviewer).get(f"/admin/merchants/application/?{query}").content.decode()

        found = sorted((text.index(f">{one}<"), names[one]) for one in names if f">{one}<" in text)
        assert [name for _place, name in found] == order

    def test_the_list_asks_the_same_of_few_and_of_many(self, reviewer):
        desk, asked = browser_of(reviewer), []
        for many in (1, 12):
            for number in range(many):
                waiting_since(NOON, number=100 * many + number, risk=2)
            with CaptureQueriesContext(connection) as queries:
                desk.get("/admin/merchants/application/?show=risk")
            asked.append(len(queries))
        assert asked[0] == asked[1]
        assert asked[0] <= LIST_QUERIES_MAX

    @pytest.mark.parametrize(
        ("query", "index"),
        [("show=queue", "application_queue"), ("show=risk", "application_queue_by_risk"),
         ("service=late", "application_queue")],
    )  # fmt: skip
    def test_the_orders_of_the_queue_are_indexed(self, reviewer, rf, query, index):
        request = rf.get(f"/admin/merchants/application/?{query}")
        request.user = reviewer
        shown = site.get_model_admin(Application).get_changelist_instance(request).queryset
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            plan = shown[:50].explain()
        assert f"using {index} " in plan

    def test_a_page_with_all_of_it_stays_within_its_budget(self, lin, reviewer):
        row = risky(lin)
        desk, page = browser_of(reviewer), f"/admin/merchants/application/{row.pk}/change/"
        asked = []
        for _round in range(2):
            for measure in DILIGENCE:
                note(row, reviewer, measure)
            with CaptureQueriesContext(connection) as queries:
                desk.get(page)
            asked.append(len(queries))
        assert asked[0] == asked[1]
        assert asked[0] <= PAGE_QUERIES_MAX
