"""So often as its risk asks for, a merchant says whether what it stated still holds."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.identity.models import Letter, User
from compliance.protection.fields import unseal
from merchants.access import MerchantAccess, by_member
from merchants.accounts.register import register_merchant
from merchants.days import day_of
from merchants.models import Merchant, Renewal, Term
from merchants.onboarding.confirming import confirm_data, sections_to_confirm
from merchants.onboarding.grading import Grade, review_day
from merchants.onboarding.reviews import begin_missing_reviews
from merchants.tasks import watch_terms as watch_task
from merchants.terms.renewing import (
    RenewalRefused,
    accept_renewal,
    ask_for_renewal,
    refuse_renewal,
)
from merchants.terms.watch import watch_terms
from tests.cast import NOON
from tests.compliance.people import SECRET, Person, hire
from tests.merchants.applying import (
    actor_of,
    apply,
    fill,
    hand_in,
    judge_all,
    person_of,
    picture,
)
from tests.merchants.test_onboarding import agree, suggest

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
SECTIONS = (
    "entity", "licence", "legal_person", "shareholders", "owners", "account", "business",
)  # fmt: skip
UNCHANGED = dict.fromkeys(SECTIONS, "")
CONFIRM = "/portal/papers/confirm/"


@pytest.fixture
def lin() -> MerchantAccess:
    return apply()


@pytest.fixture
def reviewer() -> User:
    return hire("reviewer", roles=["operator"]).user


@pytest.fixture
def taken_on(lin, reviewer) -> Merchant:
    fill(lin)
    row = hand_in(lin)
    judge_all(row, reviewer)
    agree(suggest(row, reviewer), hire("checker", roles=["operator_checker"]).user)
    return Merchant.objects.get()


def term_of(merchant: Merchant) -> Term:
    return merchant.terms.get(kind="review", replaced_at__isnull=True)


def day(merchant: Merchant, ahead: int) -> datetime:
    """Noon, so many days after the day by which the merchant confirms."""
    last = term_of(merchant).last_day
    assert last is not None
    return NOON + (last - NOON.date()) + timedelta(days=ahead)


def say(
    lin: MerchantAccess, merchant: Merchant, answers: Mapping[str, str] = UNCHANGED,
    at: datetime = LATER,
) -> Renewal:  # fmt: skip
    person = person_of(lin)
    return confirm_data(
        access=by_member(person, None, address="198.51.100.7"), by=person,
        term=term_of(merchant).pk, answers=answers, at=at,
    )  # fmt: skip


def accept(renewal: Renewal, by: User, at: datetime = LATER) -> None:
    accept_renewal(renewal=renewal.public_id, by=by, actor=actor_of(by), at=at)


def browser_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    Person(user).sign_in(client)
    return client


def portal_of(lin: MerchantAccess) -> Client:
    person = person_of(lin)
    add_device(user=person, secret=SECRET, actor=SYSTEM, at=NOON)
    return browser_of(person)


def form_of(merchant: Merchant, **more: str) -> dict[str, str]:
    same = {f"said-{section}": "same" for section in SECTIONS}
    return {"term": str(term_of(merchant).pk), **same, **more}


class TestTheDay:
    """Written to before it and on it, limited long after it, never stopped."""

    def test_a_low_risk_is_looked_at_after_three_years(self, taken_on):
        assert term_of(taken_on).last_day == date(2029, 11, 23)

    def test_letters_a_limit_and_never_a_stop(self, taken_on):
        told = []
        for ahead in (-61, -60, -30, -7, -1, 0, 1, 16, 30, 31, 400):
            before = Letter.objects.filter(about="data_to_confirm").count()
            watch_terms(at=day(taken_on, ahead))
            if Letter.objects.filter(about="data_to_confirm").count() > before:
                told.append(ahead)
            taken_on.refresh_from_db()
            assert taken_on.status == ("limited" if ahead > 30 else "active"), ahead
        assert told == [-60, -30, -7, 0, 31]

    def test_the_first_page_asks_and_says_why_payouts_wait(self, lin, taken_on):
        portal, term = portal_of(lin), term_of(taken_on)
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

        say(lin, taken_on, at=timezone.now())
        assert "were to be confirmed" not in portal.get("/portal/").content.decode()


class TestThoseOfBefore:
    """Merchants that were taken on before anybody graded them confirm their data too."""

    @pytest.fixture
    def of_before(self, taken_on: Merchant) -> Merchant:
        taken_on.terms.filter(kind="review").delete()
        taken_on.applications.get().grades.all().delete()
        taken_on.applications.update(risk=None)
        Merchant.objects.update(risk=None)
        return taken_on

    @pytest.mark.parametrize(
        ("years", "day"), [(1, date(2029, 11, 23)), (3, date(2030, 1, 22)), (9, date(2036, 1, 22))]
    )
    def test_their_time_began_when_they_were_taken_on(self, of_before, years, day):
        at = NOON.replace(year=NOON.year + years)
        assert begin_missing_reviews(at=at) == 1
        assert begin_missing_reviews(at=at) == 0
        of_before.refresh_from_db()
        assert (term_of(of_before).last_day, of_before.risk) == (day, Grade.LOW)

    def test_the_task_does_it(self, of_before):
        assert watch_task() == 1
        assert term_of(of_before).last_day == date(2029, 11, 23)

    @pytest.mark.parametrize("status", ["applicant", "closed"])
    def test_who_does_no_business_is_left_alone(self, of_before, status):
        ended = NOON if status == "closed" else None
        Merchant.objects.update(status=status, closed_at=ended, may_live=False)
        assert begin_missing_reviews(at=LATER) == 0

    def test_who_was_never_looked_at_has_nothing_to_confirm(self):
        register_merchant(name="Shop", actor=SYSTEM, at=NOON)
        assert begin_missing_reviews(at=LATER) == 0


class TestAnswers:
    """Section by section; sealed; looked at by a reviewer."""

    def test_accepted_it_goes_on_is_graded_anew_and_asked_again_later(
        self, lin, taken_on, reviewer
    ):
        overdue = day(taken_on, 40)
        watch_terms(at=overdue)
        taken_on.refresh_from_db()
        assert taken_on.status == "limited"
        kept = say(lin, taken_on, at=overdue)
        with pytest.raises(RenewalRefused, match="waiting_already"):
            say(lin, taken_on, at=overdue)

        accept(kept, reviewer, at=overdue)

        taken_on.refresh_from_db()
        assert taken_on.status == "active"
        after = term_of(taken_on).last_day
        assert after == review_day(Grade(taken_on.risk), since=overdue.date())
        letter = Letter.objects.get(about="confirmation_decided")
        assert str(after) in unseal(letter.body_sealed, bound_to=f"letter:{letter.public_id}")

    def test_what_has_changed_is_sealed_and_the_trail_knows_only_where(self, lin, taken_on):
        told = "梅青 holds 60 percent now."
        kept = say(lin, taken_on, {**UNCHANGED, "shareholders": told})
        assert (kept.changed, Renewal.objects.get().statement["shareholders"]) == (
            ["shareholders"], told,
        )  # fmt: skip
        stored = Renewal.objects.values_list("statement_sealed", flat=True).get()
        assert "梅青" not in str(stored)
        entry = AuditEntry.objects.get(action="renewal.confirmed")
        assert entry.facts == {"renewal": kept.public_id, "changed": ["shareholders"]}

    @pytest.mark.parametrize("section", SECTIONS)
    def test_nothing_said_of_a_section_is_no_answer(self, lin, taken_on, section):
        answers = {name: "" for name in SECTIONS if name != section}
        with pytest.raises(RenewalRefused, match="statement_missing") as refused:
            say(lin, taken_on, answers)
        assert refused.value.facts == {"section": section}
        assert not Renewal.objects.exists()

    def test_who_has_no_shareholders_is_not_asked_for_them(self, lin, taken_on):
        taken_on.applications.update(entity="individual")
        assert sections_to_confirm(taken_on.pk) == (
            "entity", "licence", "legal_person", "account", "business",
        )  # fmt: skip

    def test_sent_back_with_a_reason_it_can_be_said_again(self, lin, taken_on, reviewer):
        kept = say(lin, taken_on, {**UNCHANGED, "licence": "New address."})
        refuse_renewal(
            renewal=kept.public_id, reason="Send the new licence.", by=reviewer,
            actor=actor_of(reviewer), at=LATER,
        )  # fmt: skip
        before = term_of(taken_on).last_day
        assert say(lin, taken_on).state == "waiting"
        assert term_of(taken_on).last_day == before

    def test_a_paper_is_no_confirmation_and_no_confirmation_is_a_paper(self, lin, taken_on):
        person = person_of(lin)
        access = by_member(person, None, address="198.51.100.7")
        with pytest.raises(RenewalRefused, match="term_unknown"):
            ask_for_renewal(
                access=access, by=person, term=term_of(taken_on).pk, upload=picture(),
                last_day=None, at=LATER,
            )  # fmt: skip
        licence = taken_on.terms.get(kind="licence")
        with pytest.raises(RenewalRefused, match="term_unknown"):
            confirm_data(access=access, by=person, term=licence.pk, answers=UNCHANGED, at=LATER)

    def test_the_database_wants_a_paper_or_a_word(self, lin, taken_on):
        with pytest.raises(IntegrityError, match="has_paper_or_state"), transaction.atomic():
            Renewal.objects.create(
                public_id="ren_1", term=term_of(taken_on), asked_by=person_of(lin), asked_at=LATER
            )


class TestThePages:
    """The merchant answers in the portal, a reviewer looks in the administration."""

    def test_all_unchanged(self, lin, taken_on, reviewer):
        portal = portal_of(lin)
        assert "please confirm by 2029-11-23" in portal.get("/portal/papers/").content.decode()
        page = portal.get(CONFIRM).content.decode()
        assert page.count("All of it still holds") == len(SECTIONS)

        done = portal.post(CONFIRM, form_of(taken_on), follow=True).content.decode()

        assert "Your word is with our reviewers." in done
        assert "All that we stated still holds." in done
        desk, kept = browser_of(reviewer), Renewal.objects.get()
        assert "all unchanged" in desk.get("/admin/merchants/renewal/").content.decode()
        assert desk.get(f"/admin/merchants/renewal/{kept.pk}/paper/").status_code == 404
        desk.post(f"/admin/merchants/renewal/{kept.pk}/decide/", {"deed": "accept"})
        kept.refresh_from_db()
        assert kept.state == "accepted"

    def test_what_changed_reaches_the_reviewer_and_nobody_else(self, lin, taken_on, reviewer):
        told = {"said-licence": "changed", "told-licence": "We moved to 二号."}
        portal_of(lin).post(CONFIRM, form_of(taken_on, **told))
        page = f"/admin/merchants/renewal/{Renewal.objects.get().pk}/change/"
        assert "We moved to 二号." in browser_of(reviewer).get(page).content.decode()
        auditor = browser_of(hire("auditor", roles=["auditor"]).user)
        assert "二号" not in auditor.get(page).content.decode()

    @pytest.mark.parametrize(
        "wrong",
        [{"said-owners": ""}, {"said-owners": "changed", "told-owners": "  "}],
    )
    def test_what_is_missing_is_marked_and_nothing_typed_is_lost(self, lin, taken_on, wrong):
        typed = {"said-licence": "changed", "told-licence": "We moved.", **wrong}
        answer = portal_of(lin).post(CONFIRM, form_of(taken_on, **typed))
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "We moved." in text
        owners = text[text.index("<legend>Beneficial owners") - 60 :]
        assert 'aria-invalid="true"' in owners[:60]

    def test_whoever_was_never_taken_on_has_nothing_to_confirm(self, lin):
        assert portal_of(lin).get(CONFIRM)["Location"] == "/portal/papers/"
