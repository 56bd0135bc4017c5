"""How risky a shop is: graded with its reasons, raised by a person, looked at again in time."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.identity.models import Letter, User
from merchants.access import MerchantAccess, by_member
from merchants.days import day_of
from merchants.models import Application, Diligence, Merchant, RiskGrade, Term
from merchants.onboarding.grading import DILIGENCE, Grade, review_day
from merchants.onboarding.refusals import VerdictRefused
from merchants.onboarding.risk import missing_diligence, note_diligence, raise_grade
from merchants.terms.renewing import (
    RenewalRefused,
    accept_renewal,
    ask_for_renewal,
    confirm_data,
    refuse_renewal,
)
from merchants.terms.watch import watch_terms
from tests.cast import NOON
from tests.compliance.people import SECRET, Person, hire
from tests.merchants.applying import (
    actor_of,
    application_of,
    apply,
    fill,
    hand_in,
    judge_all,
    person_of,
    picture,
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


class TestConfirming:
    """So often as its risk asks for, a merchant says whether what it stated still holds."""

    @pytest.fixture
    def taken_on(self, lin, reviewer, checker) -> Merchant:
        fill(lin)
        row = hand_in(lin)
        judge_all(row, reviewer)
        agree(suggest(row, reviewer), checker)
        return Merchant.objects.get()

    def term(self, merchant: Merchant) -> Term:
        return merchant.terms.get(kind="review", replaced_at__isnull=True)

    def member(self, lin: MerchantAccess) -> MerchantAccess:
        return by_member(person_of(lin), None, address="198.51.100.7")

    def test_a_low_risk_is_looked_at_after_three_years(self, taken_on):
        assert self.term(taken_on).last_day == date(2029, 11, 23)

    def test_letters_a_limit_and_never_a_stop(self, lin, taken_on):
        last = self.term(taken_on).last_day
        assert last is not None
        told = []
        for days in (-61, -60, -30, -7, -1, 0, 1, 16, 30, 31, 400):
            at = NOON + (last - NOON.date()) + timedelta(days=days)
            before = Letter.objects.filter(about="data_to_confirm").count()
            watch_terms(at=at)
            if Letter.objects.filter(about="data_to_confirm").count() > before:
                told.append(days)
            taken_on.refresh_from_db()
            assert taken_on.status == ("limited" if days > 30 else "active"), days
        assert told == [-60, -30, -7, 0, 31]

    def test_the_first_page_asks_and_says_why_payouts_wait(self, lin, taken_on):
        person, term = person_of(lin), self.term(taken_on)
        add_device(user=person, secret=SECRET, actor=SYSTEM, at=NOON)
        portal = browser_of(person)
        assert "data of your business" not in portal.get("/portal/").content.decode()

        today = day_of(timezone.now())
        for days, told in (
            (20, "Please confirm the data of your business by"),
            (-5, "The data of your business were to be confirmed by"),
            (-31, "Payouts wait until you have confirmed the data"),
        ):
            Term.objects.filter(pk=term.pk).update(last_day=today + timedelta(days=days))
            watch_terms(at=timezone.now())
            text = portal.get("/portal/").content.decode()
            assert told in text
            assert "A paper has run out" not in text

    def test_confirmed_and_accepted_it_goes_on_and_is_graded_anew(self, lin, taken_on, reviewer):
        last = self.term(taken_on).last_day
        assert last is not None
        overdue = NOON + (last - NOON.date()) + timedelta(days=40)
        watch_terms(at=overdue)
        taken_on.refresh_from_db()
        assert taken_on.status == "limited"
        person = person_of(lin)
        kept = confirm_data(
            access=self.member(lin), by=person, term=self.term(taken_on).pk,
            statement="All the same.", at=overdue,
        )  # fmt: skip
        with pytest.raises(RenewalRefused, match="waiting_already"):
            confirm_data(
                access=self.member(lin), by=person, term=self.term(taken_on).pk, statement="x",
                at=overdue,
            )  # fmt: skip

        accept_renewal(renewal=kept.public_id, by=reviewer, actor=actor_of(reviewer), at=overdue)

        taken_on.refresh_from_db()
        assert taken_on.status == "active"
        on = overdue.date()
        assert self.term(taken_on).last_day == review_day(Grade(taken_on.risk), since=on)

    def test_sent_back_with_a_reason_it_can_be_said_again(self, lin, taken_on, reviewer):
        person, term = person_of(lin), self.term(taken_on)
        kept = confirm_data(
            access=self.member(lin), by=person, term=term.pk, statement="New address.", at=LATER
        )
        refuse_renewal(
            renewal=kept.public_id, reason="Send the new licence.", by=reviewer,
            actor=actor_of(reviewer), at=LATER,
        )  # fmt: skip
        again = confirm_data(
            access=self.member(lin), by=person, term=term.pk, statement="Done.", at=LATER
        )
        assert again.state == "waiting"

    def test_a_paper_is_no_confirmation_and_nothing_is_none(self, lin, taken_on):
        person, term = person_of(lin), self.term(taken_on)
        with pytest.raises(RenewalRefused, match="term_unknown"):
            ask_for_renewal(
                access=self.member(lin), by=person, term=term.pk, upload=picture(), last_day=None,
                at=LATER,
            )  # fmt: skip
        with pytest.raises(RenewalRefused, match="statement_missing"):
            confirm_data(access=self.member(lin), by=person, term=term.pk, statement=" ", at=LATER)
        licence = taken_on.terms.get(kind="licence")
        with pytest.raises(RenewalRefused, match="term_unknown"):
            confirm_data(
                access=self.member(lin), by=person, term=licence.pk, statement="x", at=LATER
            )

    def test_through_the_portal_and_the_admin(self, lin, taken_on, reviewer):
        person = person_of(lin)
        add_device(user=person, secret=SECRET, actor=SYSTEM, at=NOON)
        portal, term = browser_of(person), self.term(taken_on)
        assert "please confirm by 2029-11-23" in portal.get("/portal/papers/").content.decode()
        empty = portal.post("/portal/papers/", {"term": term.pk, "statement": ""})
        assert (empty.status_code, "nothing has changed" in empty.content.decode()) == (422, True)

        done = portal.post(
            "/portal/papers/", {"term": term.pk, "is_unchanged": "1", "statement": ""}, follow=True
        )
        assert "Your word is with our reviewers." in done.content.decode()

        desk = browser_of(reviewer)
        kept = term.renewals.get()
        page = desk.get(f"/admin/merchants/renewal/{kept.pk}/change/").content.decode()
        assert "All that we stated still holds." in page
        assert desk.get(f"/admin/merchants/renewal/{kept.pk}/paper/").status_code == 404
        desk.post(f"/admin/merchants/renewal/{kept.pk}/decide/", {"deed": "accept"})
        kept.refresh_from_db()
        assert kept.state == "accepted"
