"""How risky a shop is: graded with its reasons, raised by a person, looked at again in time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from merchants.access import MerchantAccess
from merchants.models import Application, Diligence, Merchant, RiskGrade, ScreeningHit
from merchants.onboarding.grading import DILIGENCE, Grade
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.reviewing import ask_for_changes
from merchants.onboarding.risk import missing_diligence, note_diligence, raise_grade
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
    write,
)
from tests.merchants.test_onboarding import agree, suggest

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


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
        [("show=queue", ["first", "second"]), ("show=risk", ["second", "first"]),
         ("service=late", ["first"]), ("service=soon", ["second"]), ("risk__exact=3", ["second"])],
    )  # fmt: skip
    def test_the_queue_by_age_by_risk_and_by_service(self, lin, reviewer, query, order, settings):
        settings.REVIEW_HOURS = 24
        fill(lin)
        first = hand_in(lin)
        other = apply("yun@books.example", "Yunjian Books")
        fill(other, code="91110102MA0179UA3A")
        second = hand_in(other)
        Application.objects.filter(pk=first.pk).update(
            submitted_at=timezone.now() - timedelta(hours=30)
        )
        Application.objects.filter(pk=second.pk).update(
            submitted_at=timezone.now() - timedelta(hours=20), risk=3
        )
        names = {first.public_id: "first", second.public_id: "second"}

        text = browser_of(reviewer).get(f"/admin/merchants/application/?{query}").content.decode()

        found = sorted((text.index(f">{one}<"), names[one]) for one in names if f">{one}<" in text)
        assert [name for _place, name in found] == order
