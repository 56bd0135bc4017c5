"""Papers run out: letters, a limit, a stop; a renewal lets the shop go on."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import Letter, User
from compliance.protection.fields import unseal
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.access import KEY_STANDS, MerchantAccess, by_api_key, by_member, confirm, require
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import (
    add_member,
    register_merchant,
    resume_merchant,
    suspend_merchant,
)
from merchants.accounts.states import Role
from merchants.errors import AccessRefused, IllegalMove
from merchants.models import Merchant, Renewal, Term
from merchants.tasks import watch_terms as watch_task
from merchants.terms.renewing import (
    RenewalRefused,
    accept_renewal,
    ask_for_renewal,
    refuse_renewal,
)
from merchants.terms.watch import begin_terms, current_terms, watch_terms
from payments.acquiring.models import Payment
from tests.cast import NOON, Shop
from tests.compliance.people import Person, hire
from tests.merchants.applying import actor_of, picture

pytestmark = pytest.mark.django_db
LAST = date(2027, 3, 1)


def on(days_after: int) -> datetime:
    """Noon there, so many days after the last day of the licence."""
    return datetime(2027, 3, 1, 4, 0, tzinfo=NOON.tzinfo) + timedelta(days=days_after)


@pytest.fixture
def tea() -> Merchant:
    merchant = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    begin_terms(
        merchant=merchant, actor=SYSTEM, at=NOON,
        terms=[Term(kind="licence", last_day=LAST), Term(kind="identity", last_day=None)],
    )  # fmt: skip
    return merchant


@pytest.fixture
def lin(tea) -> User:
    user = hire("lin").user
    add_member(merchant_id=tea.pk, user=user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return user


@pytest.fixture
def reviewer() -> User:
    return hire("reviewer", has_device=False, roles=["operator"]).user


def at_work(user: User) -> MerchantAccess:
    return by_member(user, None, address="198.51.100.7")


def status(tea: Merchant) -> tuple[str, str]:
    tea.refresh_from_db()
    return tea.status, tea.suspended_for


def renew(user: User, tea: Merchant, last_day: date | None, **more: Any) -> Renewal:
    renewal = ask_for_renewal(
        access=at_work(user), by=user, term=current_terms(tea).get(kind="licence").pk,
        upload=picture(), last_day=last_day, at=more.pop("at", on(-10)),
    )  # fmt: skip
    assert renewal.file_id is not None
    StoredFile.objects.filter(pk=renewal.file_id).update(state=FileState.CLEAN, scan_at=None)
    return renewal


def accept(renewal: Renewal, by: User, at: datetime | None = None) -> Renewal:
    return accept_renewal(renewal=renewal.public_id, by=by, actor=actor_of(by), at=at or on(-9))


def refuse(renewal: Renewal, by: User, reason: str) -> Renewal:
    return refuse_renewal(
        renewal=renewal.public_id, reason=reason, by=by, actor=actor_of(by), at=on(-9)
    )


class TestTheWatch:
    """Once about each stage, and never back and forth."""

    def test_a_letter_at_sixty_thirty_and_seven_days_and_each_once(self, tea, lin):
        told: list[int] = []
        for days in range(-70, 1):
            watch_terms(at=on(days))
            watch_terms(at=on(days))
            if Letter.objects.filter(about="paper_runs_out").count() > len(told):
                told.append(days)
        assert told == [-60, -30, -7]
        assert status(tea) == ("active", "")

    def test_the_day_after_it_is_limited_and_fifteen_days_later_stopped(self, tea, lin):
        watch_terms(at=on(0))
        assert status(tea) == ("active", "")
        watch_terms(at=on(1))
        assert status(tea) == ("limited", "")
        watch_terms(at=on(15))
        assert status(tea) == ("limited", "")
        watch_terms(at=on(16))
        assert status(tea) == ("suspended", "papers")
        letter = Letter.objects.latest("pk")
        text = unseal(letter.body_sealed, bound_to=f"letter:{letter.public_id}")
        assert "2027-03-01" in text
        assert [entry.action for entry in AuditEntry.objects.filter(
            action__in=["merchant.limited", "merchant.suspended"]).order_by("pk")] == [
            "merchant.limited", "merchant.suspended",
        ]  # fmt: skip

    def test_the_task_looks_at_today_and_finds_nothing_to_do(self, tea, lin):
        begin_terms(merchant=tea, actor=SYSTEM, at=NOON, terms=[
            Term(kind="licence", last_day=date(2999, 1, 1)),
        ])  # fmt: skip
        assert watch_task() == 0

    def test_found_late_it_stops_at_once_with_one_letter(self, tea, lin):
        watch_terms(at=on(100))
        assert status(tea) == ("suspended", "papers")
        assert Letter.objects.filter(about="paper_runs_out").count() == 1

    def test_whom_the_staff_suspended_stays_so(self, tea, lin, reviewer):
        suspend_merchant(merchant_id=tea.pk, reason="fraud", actor=SYSTEM, at=NOON)
        watch_terms(at=on(100))
        assert status(tea) == ("suspended", "staff")
        # The staff let it go on: the papers are looked at in the next hour.
        resume_merchant(merchant_id=tea.pk, reason="cleared", actor=SYSTEM, at=on(101))
        watch_terms(at=on(101))
        assert status(tea) == ("suspended", "papers")

    def test_a_suspended_shop_says_why(self, tea):
        why = pytest.raises(IntegrityError, match="merchant_status_has_its_time")
        with why, transaction.atomic():
            Merchant.objects.update(status="suspended", suspended_at=NOON)

    def test_one_term_of_a_kind(self, tea):
        with pytest.raises(IntegrityError, match="term_one_of_a_kind"), transaction.atomic():
            Term.objects.create(merchant=tea, kind="licence", begun_at=NOON)


class TestStopped:
    """No new payments; what was paid can be given back."""

    @pytest.fixture
    def stopped(self, tea, lin) -> Shop:
        _, secret = create_api_key(
            merchant_id=tea.pk, livemode=False, label="", actor=SYSTEM, at=NOON,
            scopes=["payments.read", "payments.write", "refunds.write"],
        )  # fmt: skip
        watch_terms(at=on(16))
        return Shop(tea, secret)

    def test_the_key_refunds_and_takes_nothing(self, stopped):
        access = by_api_key(stopped.api_key, address="")
        require(access, "refunds.write")
        require(access, "payments.read")
        with pytest.raises(AccessRefused, match="merchant_suspended"):
            require(access, "payments.write")
        with pytest.raises(AccessRefused, match="merchant_suspended"):
            confirm(access)
        assert "suspended" in KEY_STANDS

    def test_an_order_is_refused_with_a_stable_code_and_leaves_none(self, stopped):
        answer = Client().post(
            "/api/v1/payments",
            {"merchant_order_no": "T1", "amount": 1, "currency": "CNY", "subject": "tea"},
            content_type="application/json",
            headers={"authorization": f"Bearer {stopped.api_key}"},
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (403, "merchant_suspended")
        assert not Payment.objects.exists()

    def test_the_owner_still_renews(self, stopped, lin):
        require(at_work(lin), "application.write")
        with pytest.raises(AccessRefused, match="merchant_suspended"):
            require(at_work(lin), "payments.write")


class TestRenewal:
    """A new paper, one pair of eyes of the staff, and business goes on."""

    def test_accepted_before_the_end_nothing_happens_to_the_shop(self, tea, lin, reviewer):
        accept(renew(lin, tea, date(2037, 3, 1)), reviewer)
        watch_terms(at=on(100))
        assert status(tea) == ("active", "")
        assert current_terms(tea).get(kind="licence").last_day == date(2037, 3, 1)
        assert Term.objects.filter(kind="licence").count() == 2
        assert Letter.objects.latest("pk").about == "renewal_decided"

    @pytest.mark.parametrize("late", [1, 16, 400])
    def test_accepted_late_the_shop_goes_on_by_itself(self, tea, lin, reviewer, late):
        watch_terms(at=on(late))
        assert status(tea)[0] != "active"
        renewal = renew(lin, tea, date(2037, 3, 1), at=on(late))
        accept(renewal, reviewer, at=on(late))
        assert status(tea) == ("active", "")

    def test_another_paper_that_is_over_still_stops(self, tea, lin, reviewer):
        begin_terms(merchant=tea, actor=SYSTEM, at=NOON, terms=[Term(kind="permit", last_day=LAST)])
        watch_terms(at=on(16))
        accept(renew(lin, tea, date(2037, 3, 1), at=on(16)), reviewer, at=on(16))
        assert status(tea) == ("suspended", "papers")

    def test_refused_with_a_reason_and_asked_again(self, tea, lin, reviewer):
        renewal = renew(lin, tea, date(2037, 3, 1))
        with pytest.raises(RenewalRefused, match="reason_missing"):
            refuse(renewal, reviewer, "")
        refuse(renewal, reviewer, "blurred")
        with pytest.raises(IllegalMove):
            accept(renewal, reviewer)
        renew(lin, tea, date(2037, 3, 1))
        assert status(tea) == ("active", "")

    def test_what_cannot_be_asked(self, tea, lin):
        for last_day in (LAST, date(2020, 1, 1), date(2027, 2, 1)):
            with pytest.raises(RenewalRefused, match="ends_too_early"):
                renew(lin, tea, last_day)
        renew(lin, tea, None)
        with pytest.raises(RenewalRefused, match="waiting_already"):
            renew(lin, tea, None)
        assert StoredFile.objects.count() == 1

    def test_another_shops_paper_does_not_exist(self, tea, lin):
        books = register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)
        yun = hire("yun", has_device=False).user
        add_member(merchant_id=books.pk, user=yun, role=Role.OWNER, actor=SYSTEM, at=NOON)
        with pytest.raises(RenewalRefused, match="term_unknown"):
            renew(yun, tea, None)

    def test_who_may_not_decide(self, tea, lin, reviewer):
        renewal = renew(lin, tea, None)
        with pytest.raises(RenewalRefused, match="ability_missing"):
            accept(renewal, hire("su", has_device=False, roles=["auditor"]).user)
        cousin = hire("cousin", has_device=False, person_ref=reviewer.person_ref).user
        add_member(merchant_id=tea.pk, user=cousin, role=Role.READ_ONLY, actor=SYSTEM, at=NOON)
        with pytest.raises(RenewalRefused, match="own_merchant"):
            accept(renewal, reviewer)

    def test_nobody_accepts_what_nobody_could_look_at(self, tea, lin, reviewer):
        renewal = renew(lin, tea, None)
        StoredFile.objects.update(state=FileState.QUARANTINED, scan_at=NOON)
        with pytest.raises(RenewalRefused, match="paper_waits"):
            accept(renewal, reviewer)


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    Person(user).sign_in(client)
    return client


def test_from_the_portal_to_the_admin(tea, lin):
    owner = signed_in(lin)
    page = owner.get("/portal/papers/").content.decode()
    assert "Business licence" in page
    term = current_terms(tea).get(kind="licence").pk
    upload = picture()

    def send(**more: Any) -> Any:
        paper = upload_of(upload)
        return owner.post("/portal/papers/", {"term": term, "file": paper, **more})

    assert "Until when is it good?" in send().content.decode()
    assert send(last_day="2027-02-01").status_code == 422
    assert send(last_day="2037-03-01").status_code == 302
    renewal = Renewal.objects.get()
    StoredFile.objects.update(state=FileState.CLEAN, scan_at=None)
    staff = hire("chen", roles=["operator"])
    desk = signed_in(staff.user)
    change = f"/admin/merchants/renewal/{renewal.pk}/change/"
    assert "Accept" in desk.get(change).content.decode()
    looked = desk.get(f"/admin/merchants/renewal/{renewal.pk}/paper/")
    assert looked["Content-Type"] == "image/jpeg"
    assert "no-store" in looked["Cache-Control"]
    assert AuditEntry.objects.filter(action="file.viewed").count() == 1
    told = desk.post(
        f"/admin/merchants/renewal/{renewal.pk}/decide/", {"deed": "accept"}, follow=True
    )
    assert "The new paper counts from now on." in told.content.decode()
    assert "2037-03-01" in owner.get("/portal/papers/").content.decode()


def upload_of(upload: Any) -> Any:
    return SimpleUploadedFile(upload.name, upload.content, upload.media_type)
