"""What an application keeps: masked, shown for a reason, and destroyed at its time."""

from datetime import timedelta

import pytest
from django.test import Client

from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from compliance.identity.reveal import RevealRefused
from compliance.protection.vault.models import StoredFile
from compliance.retention.classes import find_class
from merchants.models import Application, Diligence, Draft, Merchant, Renewal, Term
from merchants.onboarding.confirming import confirm_data
from merchants.onboarding.diligence import note_diligence
from merchants.onboarding.grading import Grade
from merchants.onboarding.masks import KIND_OF
from merchants.onboarding.refusals import ApplicationNotFound
from merchants.onboarding.retention import UNFINISHED
from merchants.onboarding.revealing import reveal_field
from merchants.onboarding.sections import SECTIONS
from merchants.onboarding.states import ApplicationState
from merchants.terms.watch import begin_terms
from tests.cast import NOON, later
from tests.compliance.people import Person, confirm, hire
from tests.merchants.applying import (
    LIN,
    MEI,
    STRANGER,
    actor_of,
    add,
    application_of,
    apply,
    fill,
    hand_in,
    person_of,
    picture,
    write,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin():
    return apply()


@pytest.fixture
def officer() -> User:
    return hire("qin", roles=["compliance_officer"]).user


def test_every_secret_field_has_its_mask():
    secret = {
        field.name for section in SECTIONS.values() for field in section.fields if field.is_secret
    }
    assert secret == set(KIND_OF)


class TestReveal:
    """One value, for a reason, on record."""

    def show(self, number: str, person: User, **more) -> str:
        asked = {
            "target": "owners.identity_number", "place": 1, "reason": "report of 23 November",
            **more,
        }  # fmt: skip
        return reveal_field(
            application=number, person=person, actor=actor_of(person), at=NOON, **asked
        )

    def test_an_officer_sees_it_and_the_trail_says_which_and_why(self, lin, officer):
        number = fill(lin).public_id
        assert self.show(number, officer) == MEI
        entry = AuditEntry.objects.get(action="data.revealed")
        assert entry.facts["what"] == "owners.identity_number.1"
        assert (entry.subject_id, entry.reason) == (number, "report of 23 November")
        assert MEI not in str(entry.facts)

    def test_a_reviewer_does_not_and_that_is_on_record_too(self, lin):
        number = fill(lin).public_id
        reviewer = hire("chen", has_device=False, roles=["operator"]).user
        with pytest.raises(RevealRefused, match="ability_missing"):
            self.show(number, reviewer)
        with pytest.raises(RevealRefused, match="reason_missing"):
            self.show(number, hire("q2", roles=["compliance_officer"]).user, reason=" ")
        assert AuditEntry.objects.filter(action="data.reveal_refused").count() == 2

    @pytest.mark.parametrize(
        "more",
        [
            {"target": "owners.name"}, {"target": "owners"}, {"target": ""}, {"place": 2},
            {"place": -1}, {"target": "nothing.identity_number"},
        ],
    )  # fmt: skip
    def test_what_is_not_masked_or_not_there(self, lin, officer, more):
        number = fill(lin).public_id
        with pytest.raises(ApplicationNotFound):
            self.show(number, officer, **more)

    def test_the_page_asks_for_the_second_factor_and_shows_it_once(self, lin, officer):
        application = fill(lin)
        browser = Client(headers={"accept-language": "en"})
        Person(officer).sign_in(browser)
        page = f"/admin/merchants/application/{application.pk}/"
        before = browser.get(f"{page}change/").content.decode()
        assert LIN not in before
        assert "110***********002X" in before
        form = {"target": "legal_person.identity_number", "place": "0", "reason": "report"}
        shown = confirm(browser, browser.post(f"{page}reveal/", form))
        assert LIN in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        assert browser.post(f"{page}reveal/", {**form, "place": "x"}).status_code in {302, 404}


class TestRetention:
    """Never handed in: ninety days."""

    def due(self, days: int) -> list[str]:
        kind = find_class("unfinished_applications")
        assert kind is not None
        assert kind.due is not None
        return list(kind.due(NOON + timedelta(days=days) - UNFINISHED))

    def erase(self, numbers: list[str]) -> None:
        kind = find_class("unfinished_applications")
        assert kind is not None
        assert kind.erase is not None
        kind.erase(numbers, STRANGER, later(60), "request apv_x")

    def test_forgotten_drafts_and_their_papers_go_and_the_row_stays(self, lin):
        write(lin, "legal_person")
        add(lin, "licence")
        number = application_of(lin).public_id
        assert self.due(90) == []
        assert self.due(91) == [number]
        self.erase([number])
        assert Draft.objects.get().typed == []
        assert StoredFile.objects.get().state == "erased"
        assert application_of(lin).state == "withdrawn"
        assert self.due(91) == []
        self.erase([number])
        assert AuditEntry.objects.filter(action="application.erased").count() == 1

    def test_papers_of_a_merchant_are_due_ten_years_after_its_end(self, lin):
        application = fill(lin)
        hand_in(lin)
        application.refresh_from_db()
        application.move(ApplicationState.APPROVED, at=NOON)
        Merchant.objects.update(status="closed", closed_at=NOON)
        kind = find_class("merchant_papers")
        assert kind is not None
        assert kind.due is not None
        assert list(kind.due(NOON)) == []
        assert list(kind.due(later(1))) == [application.public_id]

    def test_with_the_papers_go_notes_of_reviewers_and_what_was_confirmed_since(self, lin):
        fill(lin)
        row, reviewer = hand_in(lin), hire("rui", has_device=False, roles=["operator"]).user
        Application.objects.update(risk=Grade.HIGH)
        note_diligence(
            application=row.public_id, measure="site_visit", note="梅青 was there", by=reviewer,
            actor=actor_of(reviewer), at=NOON, upload=picture(),
        )  # fmt: skip
        row.refresh_from_db()
        row.move(ApplicationState.APPROVED, at=NOON)
        merchant = Merchant.objects.get()
        begin_terms(
            merchant=merchant, actor=STRANGER, at=NOON,
            terms=[Term(kind="review", last_day=NOON.date())],
        )  # fmt: skip
        confirm_data(
            access=lin, by=person_of(lin), term=merchant.terms.get().pk, at=NOON,
            answers={**dict.fromkeys(SECTIONS, ""), "owners": "梅青 has left."},
        )  # fmt: skip
        kind = find_class("merchant_papers")
        assert kind is not None
        assert kind.erase is not None

        kind.erase([row.public_id], STRANGER, later(60), "request apv_x")

        assert Diligence.objects.get().note_sealed.open() == ""
        assert Renewal.objects.get().statement == {}
        assert StoredFile.objects.get(purpose="diligence").state == "erased"

    def test_what_was_written_in_lately_or_handed_in_stays(self, lin):
        fill(lin)
        hand_in(lin)
        assert self.due(1000) == []
        yun = apply("yun@books.example", "Yunjian Books")
        write(yun, "entity", at=NOON + timedelta(days=80))
        assert self.due(91) == []
