"""The team changes by its owners: alone where nothing is at stake, else two of them."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from compliance.approvals.decide import approve, break_glass, cancel, reject
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.frozen import is_as_asked
from compliance.approvals.models import Approval
from compliance.approvals.queries import Reader, staff_reader, visible_to, waiting_for
from compliance.approvals.request import request_approval
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity.models import Letter, MailedLink, User
from compliance.identity.roles import grant_role
from compliance.identity.states import StaffRole
from compliance.protection.fields import unseal
from merchants.access import MerchantAccess, by_member
from merchants.accounts.abilities import OF_ROLE
from merchants.accounts.register import add_member, register_merchant, suspend_merchant
from merchants.accounts.states import Role
from merchants.accounts.team import LastOwner, change_member_role, remove_member
from merchants.accounts.team_requests import (
    ask_for_role,
    ask_to_invite,
    ask_to_remove,
    must_agree,
)
from merchants.errors import AccessRefused
from merchants.models import Member, Merchant
from tests.cast import NOON, later
from tests.compliance.people import Person, confirm, hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea() -> Merchant:
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def books() -> Merchant:
    return register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)


def join(merchant: Merchant, name: str, role: Role = Role.OWNER, **more: Any) -> Member:
    person = hire(name, has_device=more.pop("has_device", False), **more)
    return add_member(merchant_id=merchant.pk, user=person.user, role=role, actor=SYSTEM, at=NOON)


def at_work(member: Member) -> MerchantAccess:
    return by_member(member.user, member.merchant.public_id, address="198.51.100.7")


def actor(user: User) -> Actor:
    return Actor("user", str(user.pk), user.username, "198.51.100.9")


def invite(owner: Member, role: Role = Role.FINANCE, username: str = "tao") -> Approval:
    return ask_to_invite(
        access=at_work(owner), maker=owner.user, username=username, display_name="Tao",
        email=f"{username}@example.com", role=role, reason="joins us", at=NOON,
    )  # fmt: skip


def promote(owner: Member, other: Member, role: Role) -> Approval:
    return ask_for_role(
        access=at_work(owner), maker=owner.user, member=other.pk, role=role, reason="grows",
        at=NOON,
    )  # fmt: skip


def dismiss(owner: Member, other: Member) -> Approval:
    return ask_to_remove(
        access=at_work(owner), maker=owner.user, member=other.pk, reason="leaves", at=NOON
    )


def agree(request: Approval, checker: User) -> Approval:
    return approve(number=request.public_id, checker=checker, actor=actor(checker), at=later(60))


def refused(code: str) -> Any:
    return pytest.raises(ApprovalRefused, match=f"^{code}")


def role_of(member: Member) -> str:
    member.refresh_from_db()
    return member.role if member.removed_at is None else ""


class TestTwoOwners:
    """Lin and Mei own the tea shop."""

    def test_lin_invites_somebody_who_touches_money_and_mei_agrees(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        request = invite(lin)
        assert (request.state, request.needed, request.merchant) == ("pending", 1, tea.public_id)
        assert not User.objects.filter(username="tao").exists()

        done = agree(request, mei.user)

        assert done.state == "executed"
        tao = Member.objects.get(user__username="tao")
        assert (tao.merchant, tao.role, tao.user.has_usable_password()) == (tea, "finance", False)
        assert Letter.objects.filter(user=tao.user, about="invitation").count() == 1
        told = AuditEntry.objects.filter(subject_id=request.public_id).order_by("pk")
        assert [entry.action for entry in told] == [
            "approval.requested", "approval.agreed", "approval.executed",
        ]  # fmt: skip

    def test_the_letter_to_the_checker_leads_to_the_portal(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        wen = join(tea, "wen", Role.FINANCE)
        request = invite(lin)
        letter = Letter.objects.get(about="approval_waiting")
        assert letter.user == mei.user != wen.user
        text = unseal(letter.body_sealed, bound_to=f"letter:{letter.public_id}")
        assert f"/portal/approvals/{request.public_id}/" in text

    def test_nobody_agrees_to_their_own_request(self, tea):
        lin = join(tea, "lin")
        join(tea, "mei")
        with refused("own_request"):
            agree(invite(lin), lin.user)

    def test_finance_cannot_agree_and_cannot_ask(self, tea):
        lin, wen = join(tea, "lin"), join(tea, "wen", Role.FINANCE)
        join(tea, "mei")
        request = invite(lin)
        with refused("ability_missing"):
            agree(request, wen.user)
        with pytest.raises(AccessRefused, match="ability_missing"):
            invite(wen, username="bao")

    def test_an_owner_of_another_shop_and_the_staff_cannot_agree(self, tea, books):
        lin = join(tea, "lin")
        join(tea, "mei")
        yun = join(books, "yun")
        chief = hire("chief", has_device=False, roles=["administrator"]).user
        request = invite(lin)
        for stranger in (yun.user, chief):
            with refused("ability_missing"):
                agree(request, stranger)

    def test_a_superuser_breaks_no_glass_of_a_merchant(self, tea):
        lin = join(tea, "lin")
        join(tea, "mei")
        request = invite(lin)
        root = hire("root", has_device=False, is_superuser=True).user
        with refused("ability_missing"):
            break_glass(
                number=request.public_id, person=root, reason="fire", actor=actor(root),
                at=later(60),
            )  # fmt: skip
        broken = pytest.raises(IntegrityError, match="approval_glass_is_of_staff")
        with broken, transaction.atomic():
            Approval.objects.filter(pk=request.pk).update(
                state="executed", ended_at=NOON, ended_by=root, ending="fire", glass_at=NOON,
                needed=1,
            )  # fmt: skip

    def test_mei_rejects_and_lin_takes_back(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        first = invite(lin)
        reject(
            number=first.public_id, checker=mei.user, reason="who?", actor=actor(mei.user),
            at=later(60),
        )  # fmt: skip
        second = invite(lin)
        cancel(
            number=second.public_id, maker=lin.user, reason="", actor=actor(lin.user), at=later(60)
        )
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == ("rejected", "cancelled")
        assert not User.objects.filter(username="tao").exists()

    def test_the_maker_is_no_owner_any_more_so_the_request_is_void(self, tea):
        lin, mei, bao = join(tea, "lin"), join(tea, "mei"), join(tea, "bao")
        request = invite(lin)
        agree(dismiss(mei, lin), bao.user)
        with refused("maker_unable"):
            agree(request, mei.user)
        request.refresh_from_db()
        assert request.state == "void"

    def test_a_suspended_shop_does_not_change_its_team(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        request = invite(lin)
        suspend_merchant(merchant_id=tea.pk, reason="papers", actor=SYSTEM, at=NOON)
        with refused("ability_missing"):
            agree(request, mei.user)

    def test_the_name_was_taken_meanwhile(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        request = invite(lin)
        hire("tao", has_device=False)
        with override("en"), refused("not_executable") as refusal:
            agree(request, mei.user)
        assert "Somebody has this user name already" in refusal.value.told
        request.refresh_from_db()
        assert request.state == "pending"

    def test_the_role_changed_meanwhile_so_the_request_is_stale(self, tea):
        lin, mei, wen = join(tea, "lin"), join(tea, "mei"), join(tea, "wen", Role.FINANCE)
        request = promote(lin, wen, Role.OWNER)
        change_member_role(
            merchant_id=tea.pk, member=wen.pk, role=Role.READ_ONLY, reason="x", actor=SYSTEM,
            at=NOON,
        )  # fmt: skip
        with refused("stale"):
            agree(request, mei.user)
        assert role_of(wen) == "read_only"

    def test_an_owner_goes_only_by_their_own_agreement(self, tea):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        request = dismiss(lin, mei)
        assert (request.state, role_of(mei)) == ("pending", "owner")
        agree(request, mei.user)
        assert role_of(mei) == ""
        with pytest.raises(AccessRefused, match="membership_missing"):
            by_member(mei.user, None, address="")

    def test_the_merchant_of_a_request_is_frozen_and_sealed(self, tea, books):
        lin = join(tea, "lin")
        join(tea, "mei")
        request = invite(lin)
        with pytest.raises(IntegrityError, match="what was asked for"), transaction.atomic():
            Approval.objects.filter(pk=request.pk).update(merchant=books.public_id)
        assert is_as_asked(request)
        request.merchant = books.public_id
        assert not is_as_asked(request)

    def test_a_kind_is_decided_on_its_own_side_of_the_house(self, tea):
        lin = join(tea, "lin")
        with pytest.raises(ValueError, match="other side"):
            request_approval(
                kind="team.invite", subject=("username", "x"), payload={"must_agree": 0},
                reason="x", maker=lin.user, actor=actor(lin.user), at=NOON,
            )  # fmt: skip
        chief = hire("chief", has_device=False, roles=["administrator"]).user
        with pytest.raises(ValueError, match="other side"):
            request_approval(
                kind="role.grant", subject=("user", str(lin.user.pk)), payload={},
                reason="x", maker=chief, actor=actor(chief), merchant=tea.public_id, at=NOON,
            )  # fmt: skip


class TestAlone:
    """What takes one owner only."""

    def test_who_only_reads_is_invited_by_one(self, tea):
        lin = join(tea, "lin")
        join(tea, "mei")
        assert invite(lin, Role.READ_ONLY).state == "executed"
        assert Member.objects.get(user__username="tao").role == "read_only"

    def test_the_only_owner_decides_alone_and_an_invited_one_does_not_count(self, tea):
        lin = join(tea, "lin")
        assert invite(lin, Role.OWNER, "tao").state == "executed"
        assert invite(lin, Role.OWNER, "bao").state == "executed"

    def test_a_leaver_is_out_at_once_and_signed_out(self, tea):
        lin, wen = join(tea, "lin"), join(tea, "wen", Role.FINANCE, has_device=True)
        join(tea, "mei")
        browser = signed_in(wen)
        assert browser.get("/portal/").status_code == 200
        assert dismiss(lin, wen).state == "executed"
        assert browser.get("/portal/")["Location"].startswith("/signin/")
        entry = AuditEntry.objects.get(action="member.removed")
        assert (entry.subject_id, entry.facts["username"]) == (tea.public_id, "wen")

    def test_taking_out_who_has_not_come_yet_takes_the_invitation_back(self, tea):
        lin = join(tea, "lin")
        invite(lin)
        tao = Member.objects.get(user__username="tao")
        assert MailedLink.objects.filter(user=tao.user, ended_at__isnull=True).exists()
        dismiss(lin, tao)
        assert not MailedLink.objects.filter(user=tao.user, ended_at__isnull=True).exists()
        assert AuditEntry.objects.filter(action="person.invitation_taken_back").count() == 1

    def test_who_left_may_come_again(self, tea):
        lin, wen = join(tea, "lin"), join(tea, "wen", Role.FINANCE)
        dismiss(lin, wen)
        again = add_member(
            merchant_id=tea.pk, user=wen.user, role=Role.READ_ONLY, actor=SYSTEM, at=NOON
        )
        assert by_member(wen.user, None, address="").actor.role == "read_only"
        assert Member.objects.filter(user=wen.user).count() == 2
        assert again.pk != wen.pk

    def test_the_last_owner_stays(self, tea):
        lin = join(tea, "lin")
        invite(lin, Role.OWNER)
        with override("en"), refused("not_executable") as refusal:
            dismiss(lin, lin)
        assert "last owner" in refusal.value.told
        with refused("not_executable"):
            promote(lin, lin, Role.FINANCE)
        with pytest.raises(LastOwner):
            remove_member(merchant_id=tea.pk, member=lin.pk, reason="x", actor=SYSTEM, at=NOON)
        assert role_of(lin) == "owner"

    def test_a_role_that_somebody_has_is_no_change(self, tea):
        lin, wen = join(tea, "lin"), join(tea, "wen", Role.FINANCE)
        with refused("no_change"):
            promote(lin, wen, Role.FINANCE)


ROLES = st.sampled_from([None, *Role])


@given(before=ROLES, after=ROLES)
def test_no_owner_alone_gives_a_right_beyond_reading_or_takes_one_from_an_owner(before, after):
    had = OF_ROLE[before] if before else frozenset()
    has = OF_ROLE[after] if after else frozenset()
    if not must_agree(before=before, after=after):
        assert has - had <= OF_ROLE[Role.READ_ONLY]
        assert before is not Role.OWNER


def signed_in(member: Member) -> Client:
    browser = Client(headers={"accept-language": "en"})
    Person(member.user).sign_in(browser)
    return browser


class TestSeeing:
    """Whose requests somebody sees."""

    def test_owners_see_their_shops_requests_and_nobody_elses(self, tea, books):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        yun, wen = join(books, "yun"), join(tea, "wen", Role.FINANCE)
        request = invite(lin)

        def seen(member: Member) -> list[int]:
            access = at_work(member)
            reader = Reader(member.user, access.abilities, access.merchant)
            return [row.pk for row in visible_to(reader)]

        assert seen(lin) == seen(mei) == [request.pk]
        assert seen(yun) == seen(wen) == []
        access = at_work(mei)
        waiting = waiting_for(Reader(mei.user, access.abilities, access.merchant))
        assert [row.pk for row in waiting] == [request.pk]

    def test_staff_who_read_the_trail_see_them_and_others_do_not(self, tea):
        lin = join(tea, "lin")
        join(tea, "mei")
        request = invite(lin)
        checker = hire("he", has_device=False, roles=["operator_checker"]).user
        officer = hire("qin", has_device=False, roles=["compliance_officer"]).user
        assert list(visible_to(staff_reader(checker))) == []
        assert [row.pk for row in visible_to(staff_reader(officer))] == [request.pk]
        assert list(waiting_for(staff_reader(officer))) == []

    def test_one_person_of_two_shops_and_the_staff_keeps_them_apart(self, tea, books):
        lin, mei = join(tea, "lin"), join(tea, "mei")
        add_member(merchant_id=books.pk, user=mei.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        grant_role(user=mei.user, role=StaffRole.OPERATOR, actor=SYSTEM, at=NOON)
        invite(lin)
        at_books = by_member(mei.user, books.public_id, address="")
        assert list(waiting_for(Reader(mei.user, at_books.abilities, books.public_id))) == []
        assert list(visible_to(staff_reader(mei.user))) == []


class TestPages:
    """What people click."""

    FORM = {
        "display_name": "Tao", "username": "tao", "email": "tao@example.com", "role": "finance",
        "reason": "joins us",
    }  # fmt: skip

    def test_lin_asks_and_mei_agrees_with_her_second_factor(self, tea):
        lin, mei = join(tea, "lin", has_device=True), join(tea, "mei", has_device=True)
        lins, meis = signed_in(lin), signed_in(mei)
        asked = confirm(lins, lins.post("/portal/team/invite/", self.FORM))
        number = asked.url.split("/")[-2]
        assert "Another owner must agree" in lins.get(asked.url).content.decode()

        inbox = meis.get("/portal/approvals/").content.decode()
        assert "Waiting for you" in inbox
        assert number in inbox
        page = meis.get(asked.url).content.decode()
        assert "Finance" in page
        assert "tao@example.com" in page
        agreed = confirm(meis, meis.post(f"{asked.url}decide/", {"deed": "approve"}))
        assert agreed.url == asked.url
        assert "You agreed." in meis.get(asked.url).content.decode()
        assert "Invited" in lins.get("/portal/team/").content.decode()

    def test_without_the_second_factor_nothing_happens(self, tea):
        lin, mei = join(tea, "lin", has_device=True), join(tea, "mei", has_device=True)
        request = invite(lin)
        browser = signed_in(mei)
        answer = browser.post(f"/portal/approvals/{request.public_id}/decide/", {"deed": "approve"})
        assert answer["Location"].startswith("/confirm/")
        request.refresh_from_db()
        assert request.state == "pending"
        assert browser.post("/portal/team/invite/", self.FORM)["Location"].startswith("/confirm/")
        assert Approval.objects.count() == 1

    def test_the_maker_is_told_no(self, tea):
        lin = join(tea, "lin", has_device=True)
        join(tea, "mei")
        request = invite(lin)
        browser = signed_in(lin)
        page = f"/portal/approvals/{request.public_id}/"
        answer = browser.post(f"{page}decide/", {"deed": "approve"}, follow=True)
        assert "Somebody else must decide it" in answer.content.decode()
        browser.post(f"{page}decide/", {"deed": "cancel"})
        request.refresh_from_db()
        assert request.state == "cancelled"

    def test_an_unknown_deed_and_anothers_number(self, tea, books):
        lin, yun = join(tea, "lin", has_device=True), join(books, "yun", has_device=True)
        join(tea, "mei")
        request = invite(lin)
        page = f"/portal/approvals/{request.public_id}/"
        assert signed_in(lin).post(f"{page}decide/", {"deed": "burn"}).status_code == 400
        browser = signed_in(yun)
        assert browser.get(page).status_code == 404
        assert browser.post(f"{page}decide/", {"deed": "approve"}).status_code == 404

    def test_a_member_page_changes_and_removes(self, tea):
        lin, wen = join(tea, "lin", has_device=True), join(tea, "wen", Role.FINANCE)
        browser = signed_in(lin)
        page = f"/portal/team/{wen.pk}/"
        form = {"role": "read_only", "reason": "studies"}
        confirm(browser, browser.post(f"{page}role/", form))
        assert role_of(wen) == "read_only"
        again = browser.post(f"{page}role/", {"role": "read_only", "reason": ""})
        assert "This field is required." in again.content.decode()
        dismiss(lin, wen)
        assert browser.get(page).status_code == 404

    def test_the_invitation_goes_out_again_and_only_the_last_link_opens(self, tea):
        lin = join(tea, "lin", has_device=True)
        invite(lin)
        tao = Member.objects.get(user__username="tao")
        browser = signed_in(lin)
        browser.post(f"/portal/team/{tao.pk}/invite-again/")
        assert Letter.objects.filter(user=tao.user, about="invitation").count() == 2
        assert MailedLink.objects.filter(user=tao.user, ended_at__isnull=True).count() == 1
        assert browser.post(f"/portal/team/{lin.pk}/invite-again/").status_code == 404

    def test_another_shops_member_is_not_there(self, tea, books):
        lin, yun = join(tea, "lin", has_device=True), join(books, "yun")
        browser = signed_in(lin)
        for path in ("", "role/", "remove/", "invite-again/"):
            url = f"/portal/team/{yun.pk}/{path}"
            answer = browser.post(url, {"role": "owner"}) if path else browser.get(url)
            assert answer.status_code == 404
        assert role_of(yun) == "owner"


def test_a_request_that_nobody_decides_expires(tea):
    lin, mei = join(tea, "lin"), join(tea, "mei")
    request = invite(lin)
    with refused("expired"):
        approve(
            number=request.public_id, checker=mei.user, actor=actor(mei.user),
            at=NOON + timedelta(hours=49),
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_two_who_agree_to_each_others_requests_at_once_do_not_wait_for_ever(tea):
    lin, mei = join(tea, "lin"), join(tea, "mei")
    request = invite(lin)
    outcomes = []

    def press() -> None:
        try:
            outcomes.append(agree(request, mei.user).state)
        finally:
            connection.close()

    thread = Thread(target=press)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=min(lin.user_id, mei.user_id))
        thread.start()
        while not is_somebody_waiting():
            thread.join(timeout=0.05)
            assert thread.is_alive()
        # Mei waits for the first of the two rows, and so holds none that others wait for.
        User.objects.select_for_update(nowait=True).get(pk=max(lin.user_id, mei.user_id))
    thread.join()
    assert outcomes == ["executed"]


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks"
            " WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return bool(cursor.fetchone()[0])
