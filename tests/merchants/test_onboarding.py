"""A business applies, is reviewed, mends what was rejected, and is taken on by two people."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.approvals.decide import approve
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import Letter, User
from compliance.protection.vault.files import Upload
from compliance.protection.vault.kinds import FileRefused
from compliance.protection.vault.models import StoredFile
from merchants.access import by_api_key, by_member
from merchants.accounts.keys import LiveNotAllowed, create_api_key
from merchants.errors import AccessRefused, IllegalMove
from merchants.models import Member, Merchant
from merchants.onboarding.applying import open_application
from merchants.onboarding.approving import recommend
from merchants.onboarding.drafting import find_application, remove_document
from merchants.onboarding.models import Application, Consent, Draft
from merchants.onboarding.reading import standing_of
from merchants.onboarding.refusals import (
    AgreementChanged,
    ApplicationNotFound,
    CodeTaken,
    Incomplete,
    NotWritable,
    Overtaken,
    TooManyFiles,
    VerdictRefused,
)
from merchants.onboarding.reviewing import (
    Word,
    ask_for_changes,
    give_verdicts,
    reject_application,
)
from merchants.onboarding.states import ApplicationState
from merchants.onboarding.submitting import submit, withdraw
from merchants.screening.decide import dismiss_hit
from merchants.screening.load import define_list, load_list
from merchants.screening.models import ScreeningCheck
from merchants.screening.queries import open_hits
from merchants.screening.rescreen import go_on_screening
from merchants.screening.states import ListKind
from tests.cast import NOON, later
from tests.compliance.people import hire
from tests.merchants.applying import (
    CODE,
    LIN,
    OTHER_CODE,
    SECRETS,
    STRANGER,
    actor_of,
    add,
    application_of,
    apply,
    fill,
    hand_in,
    judge_all,
    person_of,
    picture,
    register,
    write,
    write_rows,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin():
    return apply()


@pytest.fixture
def reviewer() -> User:
    return hire("operator", has_device=False, roles=["operator"]).user


@pytest.fixture
def checker() -> User:
    return hire("checker", has_device=False, roles=["operator_checker"]).user


def faults_of(access) -> set[tuple[str, str, str]]:
    standing = standing_of(application_of(access), on=NOON.date())
    return {(fault.section, fault.field, fault.code) for fault in standing.faults}


def agree(request: Approval, checker: User, at=None) -> Approval:
    return approve(
        number=request.public_id, checker=checker, actor=actor_of(checker), at=at or later(60)
    )


def load_names(*rows: str) -> None:
    """A list of the staff's own comes into use."""
    define_list(code="own", kind=ListKind.OWN, name="Own", actor=SYSTEM, at=NOON)
    head = "kind,name,aliases,identity_number,born,reference"
    load_list(code="own", data="\n".join((head, *rows)).encode(), actor=SYSTEM, at=NOON)


def suggest(application: Application, by: User, at=NOON) -> Approval:
    return recommend(
        application=application.public_id, reason="all papers fit", by=by, actor=actor_of(by),
        at=at,
    )  # fmt: skip


class TestRegistering:
    """Anybody may; nobody is told who is here already."""

    def test_a_business_registers_and_is_an_applicant_in_test_mode(self, lin):
        merchant = Merchant.objects.get()
        assert (merchant.status, merchant.may_live) == ("applicant", False)
        assert Member.objects.get().role == "owner"
        assert Letter.objects.get().about == "invitation"
        assert application_of(lin).state == "draft"

    def test_once_more_sends_the_link_again_and_makes_nothing(self):
        register()
        register(business="Another name")
        assert (Merchant.objects.count(), User.objects.count()) == (1, 1)
        assert [row.about for row in Letter.objects.all()] == ["invitation", "invitation"]

    def test_who_has_an_account_is_told_by_letter(self, lin):
        register()
        assert Letter.objects.latest("pk").about == "registered_already"
        assert Merchant.objects.count() == 1

    def test_a_switched_off_account_gets_no_letter(self, lin):
        User.objects.update(is_active=False)
        register()
        assert Letter.objects.count() == 1

    def test_an_applicant_tries_out_test_mode_and_gets_no_live_key(self, lin):
        made: dict[str, Any] = {
            "merchant_id": lin.merchant_id, "label": "", "scopes": ["payments.write"],
            "actor": STRANGER, "at": NOON,
        }  # fmt: skip
        _, secret = create_api_key(livemode=False, **made)
        assert "payments.write" in by_api_key(secret, address="").abilities
        with pytest.raises(LiveNotAllowed):
            create_api_key(livemode=True, **made)

    def test_no_row_of_an_applicant_is_live(self, lin):
        with pytest.raises(IntegrityError, match="merchant_live_is_approved"), transaction.atomic():
            Merchant.objects.update(may_live=True)


class TestDrafts:
    """Saved as typed; nothing is ever written over unseen."""

    def test_what_is_wrong_is_kept_and_told(self, lin):
        write(lin, "licence", credit_code="91350100M000100Y44", valid_to="2020-01-01")
        assert ("licence", "credit_code", "credit_code_check") in faults_of(lin)
        assert ("licence", "valid_to", "expired") in faults_of(lin)
        draft = Draft.objects.get()
        assert draft.typed[0]["credit_code"] == "91350100M000100Y44"

    def test_two_tabs_and_the_second_is_told_what_stands_there(self, lin):
        first = write(lin, "licence")
        write(lin, "licence", version=first, address="二号")
        with pytest.raises(Overtaken) as overtaken:
            write(lin, "licence", version=first, address="三号")
        assert (overtaken.value.version, overtaken.value.typed[0]["address"]) == (2, "二号")
        assert Draft.objects.get().typed[0]["address"] == "二号"

    def test_the_same_again_changes_nothing(self, lin):
        assert write(lin, "licence") == write(lin, "licence", version=0) == 1
        assert AuditEntry.objects.filter(action="application.section_saved").count() == 1

    def test_only_the_fields_of_the_section_are_kept(self, lin):
        write(lin, "licence", may_live="true", state="approved")
        assert "may_live" not in Draft.objects.get().typed[0]

    def test_the_trail_names_fields_and_never_values(self, lin):
        write(lin, "legal_person")
        entry = AuditEntry.objects.get(action="application.section_saved")
        assert entry.facts["fields"] == [
            "identity_number", "mobile", "name", "valid_from", "valid_to",
        ]  # fmt: skip
        told = str(entry.facts)
        assert not any(secret in told for secret in SECRETS)

    def test_nothing_typed_lies_open_in_the_database(self, lin):
        fill(lin)
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(d::text, '') FROM merchants_draft d")
            dump = cursor.fetchone()[0]
        assert not any(secret in dump for secret in (*SECRETS, CODE, "茗山"))

    def test_another_shops_application_does_not_exist(self, lin):
        yun = apply("yun@books.example", "Yunjian Books")
        file = add(lin, "licence").file.public_id
        with pytest.raises(ApplicationNotFound):
            remove_document(access=yun, file=file, at=NOON)
        assert find_application(yun).merchant_id == yun.merchant_id

    def test_colleagues_without_the_ability_neither_read_nor_write(self, lin):
        gu = hire("gu", has_device=False).user
        Member.objects.create(user=gu, merchant_id=lin.merchant_id, role="finance", created_at=NOON)
        with pytest.raises(AccessRefused, match="ability_missing"):
            find_application(by_member(gu, None, address=""))


class TestPapers:
    """Files of the vault with a kind."""

    def test_ten_of_a_kind_and_no_eleventh(self, lin):
        for number in range(10):
            add(lin, "premises", upload=picture(f"rgb({number},0,0)"))
        with pytest.raises(TooManyFiles):
            add(lin, "premises")
        assert StoredFile.objects.count() == 10

    def test_a_kind_that_is_not_asked_for(self, lin):
        with pytest.raises(NotWritable):
            add(lin, "charter")

    def test_a_permit_by_category_with_its_term(self, lin):
        write(lin, "business", category="groceries")
        assert ("documents", "permit", "document_missing") in faults_of(lin)
        paper = add(lin, "permit")
        assert ("documents", "permit", "document_term_missing") in faults_of(lin)
        remove_document(access=lin, file=paper.file.public_id, at=NOON)
        add(lin, "permit", valid_to=date(2026, 11, 22))
        assert ("documents", "permit", "document_expired") in faults_of(lin)
        remove_document(
            access=lin, file=application_of(lin).documents.latest("pk").file.public_id, at=NOON
        )
        add(lin, "permit", valid_to=date(2027, 11, 22))
        assert not [fault for fault in faults_of(lin) if fault[1] == "permit"]

    def test_what_no_reviewer_saw_is_destroyed_when_taken_back(self, lin):
        paper = add(lin, "licence")
        remove_document(access=lin, file=paper.file.public_id, at=NOON)
        assert StoredFile.objects.get().state == "erased"

    def test_a_refused_file_leaves_no_paper(self, lin):
        with pytest.raises(FileRefused):
            add(lin, "licence", upload=Upload("a.png", "image/png", b"MZ"))
        assert not application_of(lin).documents.exists()


class TestSubmitting:
    """Only what is whole, with the agreement that was shown."""

    def test_a_whole_application_goes_to_the_reviewers(self, lin):
        fill(lin)
        assert faults_of(lin) == set()
        application = hand_in(lin)
        assert (application.state, application.round) == ("in_review", 1)
        assert (application.name, application.credit_code) == ("茗山茶业有限公司", CODE)
        assert Merchant.objects.get().status == "in_review"
        consent = Consent.objects.get()
        assert (consent.by, consent.address, consent.round) == (person_of(lin), "198.51.100.7", 1)

    def test_every_fault_is_told_at_once(self, lin):
        write(lin, "entity")
        write(lin, "licence", name="")
        with pytest.raises(Incomplete) as incomplete:
            hand_in(lin)
        codes = {(fault.section, fault.code) for fault in incomplete.value.faults}
        assert {
            ("licence", "missing"),
            ("owners", "nobody_named"),
            ("documents", "document_missing"),
        } <= codes

    def test_expired_between_filling_and_submitting(self, lin):
        fill(lin)
        write(lin, "legal_person", valid_to="2026-12-01")
        with pytest.raises(Incomplete) as incomplete:
            hand_in(lin, at=NOON + timedelta(days=10))
        assert {fault.code for fault in incomplete.value.faults} == {"expired"}

    def test_another_merchants_credit_code(self, lin):
        fill(lin)
        hand_in(lin)
        yun = apply("yun@books.example", "Yunjian Books")
        fill(yun)
        with pytest.raises(CodeTaken):
            hand_in(yun)
        assert application_of(yun).state == "draft"
        write(yun, "licence", credit_code=OTHER_CODE)
        assert hand_in(yun).state == "in_review"

    def test_an_old_agreement(self, lin):
        fill(lin)
        with pytest.raises(AgreementChanged):
            submit(access=lin, by=person_of(lin), agreement="2020-01", language="en", at=NOON)

    def test_a_consent_is_never_changed(self, lin):
        fill(lin)
        hand_in(lin)
        for deed in (lambda: Consent.objects.update(version="x"), Consent.objects.all().delete):
            with pytest.raises(IntegrityError, match="append"), transaction.atomic():
                deed()

    def test_while_it_is_reviewed_nothing_is_written(self, lin):
        fill(lin)
        hand_in(lin)
        with pytest.raises(NotWritable):
            write(lin, "licence", address="二号")
        with pytest.raises(NotWritable):
            add(lin, "licence")
        with pytest.raises(NotWritable):
            hand_in(lin)

    def test_withdrawn_and_begun_anew(self, lin):
        fill(lin)
        withdraw(access=lin, reason="later", at=NOON)
        with pytest.raises(ApplicationNotFound):
            find_application(lin)
        merchant = Merchant.objects.get()
        again = open_application(merchant=merchant, actor=STRANGER, at=NOON)
        assert again == open_application(merchant=merchant, actor=STRANGER, at=NOON)
        assert (again.state, Application.objects.count()) == ("draft", 2)

    def test_one_open_application_at_a_time(self, lin):
        row = application_of(lin)
        with pytest.raises(IntegrityError, match="application_one_open"), transaction.atomic():
            Application.objects.create(
                public_id="apl_x", merchant_id=row.merchant_id, created_at=NOON
            )


class TestReview:
    """A word on each field and paper; back, no, or on to a second person."""

    @pytest.fixture
    def handed_in(self, lin) -> Application:
        fill(lin)
        return hand_in(lin)

    def test_back_with_reasons_and_only_these_are_open(self, lin, handed_in, reviewer):
        paper = handed_in.documents.get(kind="licence").file.public_id
        judge_all(handed_in, reviewer, wrong={"licence.address": "mismatch", paper: "unreadable"})
        ask_for_changes(
            application=handed_in.public_id, told="Nearly there.", by=reviewer,
            actor=actor_of(reviewer), at=NOON,
        )  # fmt: skip
        assert application_of(lin).state == "needs_changes"
        assert Merchant.objects.get().status == "applicant"
        assert Letter.objects.latest("pk").about == "application_changes"

        with pytest.raises(NotWritable):
            write(lin, "licence", name="另一家公司", address="二号")
        with pytest.raises(NotWritable):
            write(lin, "legal_person", name="别人")
        with pytest.raises(NotWritable):
            add(lin, "premises")
        write(lin, "licence", address="二号")
        with pytest.raises(Incomplete):
            hand_in(lin)
        remove_document(access=lin, file=paper, at=NOON)
        assert StoredFile.objects.get(public_id=paper).state == "clean"
        add(lin, "licence")
        again = hand_in(lin)
        assert (again.state, again.round, Consent.objects.count()) == ("in_review", 2, 2)

    def test_two_people_take_it_on_and_real_money_is_open(
        self, lin, handed_in, reviewer, checker, settings
    ):
        settings.DEMO = False
        judge_all(handed_in, reviewer)
        request = suggest(handed_in, reviewer)
        assert Merchant.objects.get().may_live is False
        agree(request, checker)
        merchant = Merchant.objects.get()
        assert (merchant.status, merchant.may_live) == ("active", True)
        assert merchant.name == "茗山茶业有限公司"
        assert application_of(lin).state == "approved"
        assert Letter.objects.latest("pk").about == "application_approved"
        key, _ = create_api_key(
            merchant_id=merchant.pk, livemode=True, label="", scopes=["payments.write"],
            actor=STRANGER, at=NOON,
        )  # fmt: skip
        assert key.livemode

    def test_nobody_agrees_to_their_own_recommendation(self, handed_in, reviewer):
        judge_all(handed_in, reviewer)
        request = suggest(handed_in, reviewer)
        other_account = hire(
            "operator2", has_device=False, roles=[], person_ref=reviewer.person_ref
        ).user
        for person in (reviewer, other_account):
            with pytest.raises(ApprovalRefused, match="own_request"):
                agree(request, person)

    def test_not_before_everything_was_found_right(self, handed_in, reviewer):
        with pytest.raises(VerdictRefused, match="not_all_right"):
            suggest(handed_in, reviewer)
        judge_all(handed_in, reviewer, wrong={"licence.name": "mismatch"})
        with pytest.raises(VerdictRefused, match="not_all_right"):
            suggest(handed_in, reviewer)

    def test_a_card_that_runs_out_before_the_second_person_agrees(self, lin, reviewer, checker):
        fill(lin)
        write(lin, "legal_person", valid_to="2026-11-24")
        application = hand_in(lin)
        judge_all(application, reviewer)
        request = suggest(application, reviewer)
        with pytest.raises(ApprovalRefused, match="not_executable"):
            agree(request, checker, at=NOON + timedelta(hours=37))  # Two in the morning there.
        assert Merchant.objects.get().may_live is False

    def test_a_word_after_the_recommendation_makes_it_stale(self, handed_in, reviewer, checker):
        judge_all(handed_in, reviewer)
        request = suggest(handed_in, reviewer)
        judge_all(handed_in, reviewer, wrong={"licence.name": "mismatch"})
        with pytest.raises(ApprovalRefused, match="stale"):
            agree(request, checker)

    def test_sent_back_after_the_recommendation_it_is_stale(self, handed_in, reviewer, checker):
        judge_all(handed_in, reviewer)
        request = suggest(handed_in, reviewer)
        reject_application(
            application=handed_in.public_id, told="no", by=reviewer, actor=actor_of(reviewer),
            at=NOON,
        )  # fmt: skip
        with pytest.raises(ApprovalRefused, match="stale"):
            agree(request, checker)
        assert Merchant.objects.get().status == "applicant"

    def test_rejected_for_good_and_the_code_is_free_again(self, lin, handed_in, reviewer):
        reject_application(
            application=handed_in.public_id, told="The business is not allowed.", by=reviewer,
            actor=actor_of(reviewer), at=NOON,
        )  # fmt: skip
        handed_in.refresh_from_db()
        with pytest.raises(IllegalMove):
            handed_in.move(ApplicationState.APPROVED, at=NOON)
        yun = apply("yun@books.example", "Yunjian Books")
        fill(yun)
        assert hand_in(yun).state == "in_review"

    def test_who_is_like_a_listed_name_waits_for_a_person(self, lin, reviewer, checker):
        load_names("person,梅青,,,,X-1")
        fill(lin)
        application = hand_in(lin)
        judge_all(application, reviewer)
        with pytest.raises(VerdictRefused, match="screening_open"):
            suggest(application, reviewer)
        for hit in open_hits():
            dismiss_hit(
                number=hit.public_id, reason="another person, born 1970", person=reviewer,
                actor=actor_of(reviewer), at=NOON,
            )  # fmt: skip
        agree(suggest(application, reviewer), checker)
        assert Merchant.objects.get().status == "active"

    def test_a_list_of_tomorrow_stops_what_was_recommended_today(
        self, handed_in, reviewer, checker
    ):
        judge_all(handed_in, reviewer)
        request = suggest(handed_in, reviewer)
        load_names(f"person,林岚,,{LIN},,X-2")
        assert go_on_screening(at=later(30)) > 0
        with pytest.raises(ApprovalRefused, match="not_executable"):
            agree(request, checker)
        assert Merchant.objects.get().may_live is False

    def test_everybody_in_an_application_is_compared_once(self, lin, handed_in):
        load_names("person,无此人,,,,X-3")
        go_on_screening(at=later(30))
        refs = ScreeningCheck.objects.filter(subject_kind="party").values_list(
            "subject_ref", flat=True
        )
        assert len(refs) == len(set(refs)) == 6
        assert all(ref.startswith(handed_in.public_id) for ref in refs)

    def test_who_belongs_to_the_merchant_does_not_review_it(self, lin, handed_in, reviewer):
        Member.objects.create(
            user=hire("cousin", has_device=False, person_ref=reviewer.person_ref).user,
            merchant_id=lin.merchant_id, role="read_only", created_at=NOON,
        )  # fmt: skip
        with pytest.raises(VerdictRefused, match="own_merchant"):
            judge_all(handed_in, reviewer)

    def test_who_may_not_review(self, handed_in, checker):
        for person in (checker, hire("su", has_device=False, roles=["auditor"]).user):
            with pytest.raises(VerdictRefused, match="ability_missing"):
                judge_all(handed_in, person)

    @pytest.mark.parametrize(
        ("word", "code"),
        [
            (Word("licence.nothing", True), "target_unknown"),
            (Word("doc_00000000000000000000000000", True), "target_unknown"),
            (Word("licence.name", False), "reason_missing"),
            (Word("licence.name", False, "because"), "reason_missing"),
            (Word("licence.name", False, "other"), "words_missing"),
        ],
    )
    def test_a_word_that_cannot_stand(self, handed_in, reviewer, word, code):
        with pytest.raises(VerdictRefused, match=code):
            give_verdicts(
                application=handed_in.public_id, words=[word], by=reviewer,
                actor=actor_of(reviewer), at=NOON,
            )  # fmt: skip
        assert not handed_in.verdicts.exists()

    def test_a_paper_that_nobody_could_look_at_is_not_right(self, handed_in, reviewer):
        file = handed_in.documents.first().file
        StoredFile.objects.filter(pk=file.pk).update(state="quarantined", scan_at=NOON)
        with pytest.raises(VerdictRefused, match="paper_waits"):
            judge_all(handed_in, reviewer)

    def test_nothing_rejected_is_nothing_to_mend(self, handed_in, reviewer):
        with pytest.raises(VerdictRefused, match="nothing_rejected"):
            ask_for_changes(
                application=handed_in.public_id, told="?", by=reviewer, actor=actor_of(reviewer),
                at=NOON,
            )  # fmt: skip

    def test_the_internal_note_is_in_no_letter(self, lin, handed_in, reviewer):
        give_verdicts(
            application=handed_in.public_id,
            words=[Word("licence.name", False, "other", "Please look.", "SMELLS FISHY")],
            by=reviewer, actor=actor_of(reviewer), at=NOON,
        )  # fmt: skip
        ask_for_changes(
            application=handed_in.public_id, told="Look.", by=reviewer, actor=actor_of(reviewer),
            at=NOON,
        )  # fmt: skip
        assert "FISHY" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))
        assert handed_in.verdicts.get().note == "SMELLS FISHY"


def test_the_number_of_an_identity_card_with_a_small_x(lin):
    write(lin, "legal_person", identity_number=LIN.lower())
    assert not [
        fault for fault in faults_of(lin) if fault[:2] == ("legal_person", "identity_number")
    ]


def test_a_missing_owner_of_a_quarter(lin):
    write(lin, "entity")
    write(lin, "shareholders")
    write_rows(
        lin, "owners", [{"basis": "share", "name": "林岚", "identity_number": LIN, "share": "60"}]
    )
    assert ("owners", "", "owner_missing") in faults_of(lin)
