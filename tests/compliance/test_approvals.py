"""Maker and checker: what one person asks for, another agrees to, and nobody does alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from compliance.approvals import registry
from compliance.approvals.decide import approve, break_glass, cancel, reject, review_glass
from compliance.approvals.errors import TOLD, ApprovalRefused
from compliance.approvals.expiry import expire_requests
from compliance.approvals.models import Approval, Vote
from compliance.approvals.queries import staff_reader, waiting_for
from compliance.approvals.registry import Kind, Order
from compliance.approvals.request import request_approval
from compliance.approvals.role_changes import GRANT, REVOKE, request_role
from compliance.approvals.states import ApprovalState
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from compliance.identity.roles import Ability, grant_role, revoke_role, roles_of
from compliance.identity.states import StaffRole
from compliance.tasks import expire_requests as expire_task
from tests.compliance.people import NOON, hire

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
DAYS_LATER = NOON + timedelta(hours=48)


def actor(user: User) -> Actor:
    return Actor("user", str(user.pk), user.username, "198.51.100.9")


@pytest.fixture
def wei() -> User:
    """An administrator, who asks."""
    return hire("wei", has_device=False, roles=["administrator"]).user


@pytest.fixture
def he() -> User:
    """A compliance approver, who decides."""
    return hire("he", has_device=False, roles=["compliance_approver"]).user


@pytest.fixture
def yun() -> User:
    """Somebody new."""
    return hire("yun", has_device=False).user


def ask(maker: User, about: User, role: str = "operator", **more: Any) -> Approval:
    known: dict[str, Any] = {"kind": GRANT, "reason": "joins the team", "at": NOON, **more}
    return request_role(user=about, role=StaffRole(role), maker=maker, actor=actor(maker), **known)


def agree(request: Approval, checker: User, at: Any = LATER) -> Approval:
    return approve(number=request.public_id, checker=checker, actor=actor(checker), at=at)


def refused(code: str) -> Any:
    return pytest.raises(ApprovalRefused, match=f"^{code}")


def told(request: Approval) -> list[str]:
    rows = AuditEntry.objects.filter(subject_kind="approval", subject_id=request.public_id)
    return list(rows.order_by("pk").values_list("action", flat=True))


def constraint_of(error: IntegrityError) -> str:
    return str(getattr(error.__cause__, "diag").constraint_name)  # noqa: B009  psycopg's own


@contextmanager
def broken(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        yield
    assert constraint_of(error.value) == constraint


@contextmanager
def triggers_asleep() -> Iterator[Any]:
    """What somebody with all power over the database can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor
        cursor.execute("SET session_replication_role = origin")


@pytest.fixture
def tea_kind(monkeypatch) -> list[Order]:
    """A kind that takes two people for much tea, and none for a cup."""
    poured: list[Order] = []

    def pour_it(order: Order) -> dict[str, int]:
        poured.append(order)
        return {"poured": len(poured)}

    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    registry.register(
        Kind(
            name="tea.pour", label="Pour tea", maker=Ability.BOOKS_REQUEST,
            checker=Ability.ROLES_APPROVE, look=lambda subject, payload: {},
            needed=lambda payload: min(2, payload["pots"]),
            execute=pour_it,
        )
    )  # fmt: skip
    return poured


def pour(maker: User, pots: int, pot: str = "1") -> Approval:
    return request_approval(
        kind="tea.pour", subject=("pot", pot), payload={"pots": pots}, reason="thirst",
        maker=maker, actor=actor(maker), at=NOON,
    )  # fmt: skip


class TestTwoPeople:
    """The way it is meant to go."""

    def test_wei_asks_he_agrees_and_yun_is_an_operator(self, wei, he, yun):
        request = ask(wei, yun)
        assert roles_of(yun) == frozenset()

        done = agree(request, he)

        assert (done.state, done.ended_by, done.ended_at) == ("executed", he, LATER)
        assert roles_of(yun) == {StaffRole.OPERATOR}
        assert yun.role_grants.get().granted_by == wei
        assert told(request) == ["approval.requested", "approval.agreed", "approval.executed"]
        granted = AuditEntry.objects.filter(action="role.granted").latest("pk")
        assert granted.actor_label == "he"
        assert request.public_id in granted.reason

    def test_a_role_is_taken_away_in_the_same_way(self, wei, he):
        lin = hire("lin", has_device=False, roles=["finance"]).user

        agree(ask(wei, lin, "finance", kind=REVOKE), he)

        assert roles_of(lin) == frozenset()

    def test_before_and_payload_are_kept_as_they_were(self, wei, yun):
        request = ask(wei, yun)

        assert json.loads(request.before) == {"is_active": True, "roles": [], "username": "yun"}
        assert json.loads(request.payload)["role"] == "operator"

    def test_he_rejects_with_a_reason(self, wei, he, yun):
        request = ask(wei, yun)

        with refused("reason_missing"):
            reject(number=request.public_id, checker=he, reason=" ", actor=actor(he), at=LATER)
        done = reject(
            number=request.public_id, checker=he, reason="not yet", actor=actor(he), at=LATER
        )

        assert (done.state, done.ending) == ("rejected", "not yet")
        assert roles_of(yun) == frozenset()
        with refused("not_pending"):
            agree(request, he)

    def test_wei_takes_it_back_and_nobody_else_does(self, wei, he, yun):
        request = ask(wei, yun)

        with refused("not_maker"):
            cancel(number=request.public_id, maker=he, reason="", actor=actor(he), at=LATER)
        done = cancel(number=request.public_id, maker=wei, reason="", actor=actor(wei), at=LATER)

        assert done.state == "cancelled"

    def test_thresholds_ask_for_nobody_one_or_two(self, tea_kind, he):
        gu = hire("gu", has_device=False, roles=["finance"]).user
        shen = hire("shen", has_device=False, roles=["compliance_approver"]).user

        assert pour(gu, 0).state == "executed"
        one, two = pour(gu, 1, "2"), pour(gu, 2, "3")
        assert agree(one, he).state == "executed"
        assert agree(two, he).state == "pending"
        with refused("voted_already"):
            agree(two, he)
        assert agree(two, shen).result == '{"poured":3}'
        assert len(tea_kind) == 3

    def test_waiting_lists_show_what_one_can_decide(self, wei, he, yun):
        request = ask(wei, yun)

        assert [row.pk for row in waiting_for(staff_reader(he))] == [request.pk]
        assert list(waiting_for(staff_reader(wei))) == list(waiting_for(staff_reader(yun))) == []

    def test_kinds_have_one_name_each(self, tea_kind):
        with pytest.raises(ImproperlyConfigured, match=r"tea\.pour"):
            registry.register(
                Kind(
                    name="tea.pour", label="", maker=Ability.BOOKS_REQUEST,
                    checker=Ability.BOOKS_APPROVE, look=lambda subject, payload: {},
                    execute=lambda order: None,
                )
            )  # fmt: skip


class TestNobodyAlone:
    """The maker tries every door."""

    def test_the_maker_does_not_approve(self, wei, yun):
        request = ask(wei, yun)

        with refused("own_request"):
            agree(request, wei)
        with refused("own_request"):
            reject(number=request.public_id, checker=wei, reason="x", actor=actor(wei), at=LATER)
        assert told(request)[-1] == "approval.refused"

    def test_nor_with_another_account(self, yun):
        maker = hire("wei", has_device=False, roles=["administrator"], person_ref="E7").user
        # The database itself refuses such a pair of roles, unless somebody goes around it.
        other = hire("wei2", has_device=False, person_ref="E7").user
        request = ask(maker, yun)
        with triggers_asleep() as cursor:
            cursor.execute(
                "INSERT INTO compliance_rolegrant (user_id, role, granted_at)"
                " VALUES (%s, 'compliance_approver', now())", [other.pk],
            )  # fmt: skip

        with refused("own_request"):
            agree(request, other)
        with broken("vote_checker_is_not_maker"):
            request.votes.create(checker=other, maker_person="a", checker_person="b", at=LATER)

    def test_nor_past_the_verb(self, wei, yun):
        request = ask(wei, yun)

        with broken("vote_checker_is_not_maker"):
            Vote.objects.create(
                approval=request, checker=wei, maker_person="x", checker_person="y", at=LATER
            )
        with broken("approval_has_votes"):
            Approval.objects.filter(pk=request.pk).update(state="executed", ended_at=LATER)

    def test_who_it_is_about_does_not_decide(self, wei, he):
        with refused("own_affair"):
            agree(ask(wei, he, "risk"), he)

    def test_who_has_no_such_role_neither_asks_nor_decides(self, wei, yun):
        lin = hire("lin", has_device=False, roles=["operator_checker"]).user

        with refused("ability_missing"):
            ask(lin, yun)
        with refused("ability_missing"):
            agree(ask(wei, yun), lin)

    def test_a_checker_who_lost_the_role_is_stopped_even_with_an_old_page(self, wei, he, yun):
        request = ask(wei, yun)
        revoke_role(user=he, role=StaffRole.COMPLIANCE_APPROVER, actor=SYSTEM, at=NOON)

        with refused("ability_missing"):
            agree(request, he)

    def test_one_request_at_a_time(self, wei, yun):
        ask(wei, yun)

        with refused("pending_already"):
            ask(wei, yun, "risk")
        first = Approval.objects.get()
        first.pk, first.public_id = None, "apv_other"
        with broken("approval_one_pending"):
            first.save(force_insert=True)

    def test_what_is_so_already_is_not_asked_for(self, wei, he, yun):
        with refused("no_change"):
            ask(wei, wei, "administrator")
        with refused("no_change"):
            ask(wei, yun, "risk", kind=REVOKE)
        with refused("reason_missing"):
            ask(wei, yun, reason=" ")

    def test_numbers_of_nothing_are_refused(self, he):
        with refused("unknown"):
            approve(number="apv_nothing", checker=he, actor=actor(he), at=LATER)


class TestTooLate:
    """A request does not outlive what it was made for."""

    def test_after_two_days_it_is_over(self, wei, he, yun):
        request = ask(wei, yun)

        with refused("expired"):
            agree(request, he, DAYS_LATER)

        request.refresh_from_db()
        assert (request.state, roles_of(yun)) == ("expired", frozenset())
        assert ask(wei, yun, at=DAYS_LATER).state == "pending"

    def test_the_sweeper_finds_it(self, wei, yun):
        ask(wei, yun)

        assert expire_requests(at=DAYS_LATER - timedelta(microseconds=1)) == 0
        assert expire_requests(at=DAYS_LATER) == 1
        assert expire_task() == 0
        assert Approval.objects.get().state == "expired"

    def test_an_old_one_that_was_not_swept_up_stands_in_nobodys_way(self, wei, yun):
        old = ask(wei, yun)

        assert ask(wei, yun, at=DAYS_LATER).state == "pending"
        old.refresh_from_db()
        assert old.state == "expired"

    def test_it_is_stale_once_its_subject_has_changed(self, wei, he, yun):
        request = ask(wei, yun)
        grant_role(user=yun, role=StaffRole.RISK, actor=SYSTEM, at=NOON)

        with refused("stale"):
            agree(request, he)

        request.refresh_from_db()
        assert (request.state, set(roles_of(yun))) == ("stale", {StaffRole.RISK})

    @pytest.mark.parametrize("how", ["disabled", "role taken"])
    def test_it_is_void_once_its_maker_may_not_ask_any_more(self, wei, he, yun, how):
        request = ask(wei, yun)
        if how == "disabled":
            User.objects.filter(pk=wei.pk).update(is_active=False)
        else:
            revoke_role(user=wei, role=StaffRole.ADMINISTRATOR, actor=SYSTEM, at=NOON)

        with refused("maker_unable"):
            agree(request, he)

        request.refresh_from_db()
        assert (request.state, roles_of(yun)) == ("void", frozenset())

    def test_a_rule_of_the_target_says_no_and_nothing_happens(self, wei, he):
        lin = hire("lin", has_device=False, roles=["finance"]).user
        request = ask(wei, lin, "operator_checker")

        with refused("not_executable") as refusal:
            agree(request, he)

        assert "nobody holds both" in refusal.value.told or "两者" in refusal.value.told
        request.refresh_from_db()
        assert (request.state, request.votes.count()) == ("pending", 0)


class TestTampering:
    """Somebody has all power over the database."""

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("payload", '{"person":"Yun","role":"administrator","username":"yun"}'),
            ("needed", 0),
            ("subject_id", "1"),
            ("before", "{}"),
            ("expires_at", NOON + timedelta(days=900)),
        ],
    )
    def test_what_was_asked_for_is_compared_with_its_seal(self, wei, he, yun, column, value):
        request = ask(wei, yun)
        with broken("approval_frozen"):
            Approval.objects.filter(pk=request.pk).update(**{column: value})
        with triggers_asleep():
            Approval.objects.filter(pk=request.pk).update(**{column: value})

        with refused("tampered"):
            agree(request, he)

        request.refresh_from_db()
        assert (request.state, roles_of(yun)) == ("void", frozenset())
        assert "alarm.request_tampered" in told(request)

    def test_a_new_plain_hash_does_not_help(self, wei, he, yun):
        request = ask(wei, yun)
        other = hire("lin", has_device=False).user
        donor = ask(wei, other, "administrator")
        with triggers_asleep():
            Approval.objects.filter(pk=request.pk).update(
                payload=donor.payload, payload_sha256=donor.payload_sha256, seal=donor.seal
            )

        with refused("tampered"):
            agree(request, he)

    def test_rows_stay_as_they_are(self, wei, he, yun):
        request = agree(ask(wei, yun), he)

        with broken("approval_final"):
            Approval.objects.filter(pk=request.pk).update(state="pending", ended_at=None)
        with broken("approval_stays"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM compliance_approval")
        with broken("vote_append_only"):
            Vote.objects.update(at=NOON)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with broken("vote_append_only"), connection.cursor() as cursor:
            cursor.execute("TRUNCATE compliance_vote")
        with broken("vote_on_pending"):
            request.votes.create(checker=yun, at=LATER)
        with broken("approval_begins_pending"):
            request.pk, request.public_id = None, "apv_other"
            request.save(force_insert=True)

    def test_a_request_does_not_move_twice(self, wei, he, yun):
        request = agree(ask(wei, yun), he)

        with pytest.raises(ValueError, match="executed"):
            request.move(ApprovalState.REJECTED, at=LATER)


class TestBrokenGlass:
    """One person alone, in an emergency, and what follows."""

    @pytest.fixture
    def root(self) -> User:
        return hire("root", has_device=False, is_superuser=True, is_staff=True).user

    def go(self, request: Approval, person: User, reason: str = "the checkers are ill") -> Approval:
        return break_glass(
            number=request.public_id, person=person, reason=reason, actor=actor(person), at=LATER
        )

    def look(self, request: Approval, person: User, note: str = "justified") -> Approval:
        return review_glass(
            number=request.public_id, reviewer=person, note=note, actor=actor(person), at=LATER
        )

    def test_it_is_done_at_once_alarmed_and_waits_for_its_review(self, root, he, yun):
        request = self.go(ask(root, yun), root)

        assert (request.state, request.glass_at) == ("executed", LATER)
        assert roles_of(yun) == {StaffRole.OPERATOR}
        assert "alarm.glass_broken" in told(request)
        assert [row.pk for row in waiting_for(staff_reader(he))] == [request.pk]

        reviewed = self.look(request, he)
        assert (reviewed.reviewed_by, reviewed.review) == (he, "justified")
        assert list(waiting_for(staff_reader(he))) == []
        with refused("review_done"):
            self.look(request, he)

    def test_only_a_superuser_breaks_it_and_says_why(self, root, wei, he, yun):
        request = ask(wei, yun)

        for person in (wei, he):
            with refused("ability_missing"):
                self.go(request, person)
        with refused("reason_missing"):
            self.go(request, root, " ")
        assert roles_of(yun) == frozenset()

    def test_a_superuser_approves_nothing_in_the_ordinary_way(self, root, wei, yun):
        with refused("ability_missing"):
            agree(ask(wei, yun), root)

    def test_neither_its_person_nor_a_stranger_reviews_it(self, root, wei, yun):
        request = self.go(ask(root, yun), root)

        with refused("ability_missing"):
            self.look(request, wei)
        grant_role(user=root, role=StaffRole.COMPLIANCE_APPROVER, actor=SYSTEM, at=NOON)
        with refused("own_request"):
            self.look(request, root)
        with broken("approval_review_by_another"):
            Approval.objects.filter(pk=request.pk).update(
                reviewed_at=LATER, reviewed_by=root, review="fine"
            )

    def test_an_ordinary_one_has_nothing_to_review(self, wei, he, yun):
        with refused("glass_missing"):
            self.look(agree(ask(wei, yun), he), he)


def test_every_refusal_is_told_in_words():
    codes = [
        "unknown", "ability_missing", "reason_missing", "pending_already", "no_change",
        "not_pending", "own_request", "own_affair", "voted_already", "not_maker", "expired",
        "stale", "maker_unable", "tampered", "not_executable", "glass_missing", "review_done",
        "email_taken",
    ]  # fmt: skip
    assert sorted(codes) == sorted(TOLD)
    assert all(ApprovalRefused(code).told for code in codes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_two_who_agree_at_the_same_moment_execute_it_once(wei, he, yun):
    shen = hire("shen", has_device=False, roles=["compliance_approver"]).user
    request = ask(wei, yun)
    start, outcomes = Barrier(2), []

    def press(checker: User) -> None:
        start.wait()
        try:
            outcomes.append(agree(request, checker).state)
        except ApprovalRefused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [Thread(target=press, args=[checker]) for checker in (he, shen)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["executed", "not_pending"]
    assert roles_of(yun) == {StaffRole.OPERATOR}
    assert AuditEntry.objects.filter(action="role.granted", subject_id=str(yun.pk)).count() == 1
