"""Staff roles: what each may do, which exclude each other, and that nobody helps themselves."""

from io import StringIO
from itertools import combinations

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.errors import RoleRefused
from compliance.identity.models import RoleGrant, User
from compliance.identity.roles import (
    ABILITIES,
    ADMIN_PAGES,
    EXCLUDED,
    Ability,
    grant_role,
    may,
    revoke_role,
    roles_of,
)
from compliance.identity.states import StaffRole
from tests.compliance.people import NOON, hire

pytestmark = pytest.mark.django_db


def give(user: User, role: str) -> None:
    grant_role(user=user, role=StaffRole(role), actor=SYSTEM, at=NOON)


def constraint_of(error: IntegrityError) -> str:
    cause = error.__cause__
    assert isinstance(cause, psycopg.Error)
    return str(cause.diag.constraint_name)


def at_work(role: str, username: str = "wei") -> Client:
    client = Client(headers={"accept-language": "en"})
    hire(username, roles=[role]).sign_in(client)
    return client


class TestTheTable:
    """What the roles say."""

    def test_every_role_has_abilities_and_pages(self):
        assert set(ABILITIES) == set(ADMIN_PAGES) == set(StaffRole)

    def test_no_role_asks_for_what_it_also_approves(self):
        for abilities in ABILITIES.values():
            asked = {one.removesuffix(".request") for one in abilities if one.endswith("request")}
            decided = {one.removesuffix(".approve") for one in abilities if one.endswith("approve")}
            assert asked & decided == set()

    def test_every_ability_belongs_to_somebody(self):
        assert set().union(*ABILITIES.values()) == set(Ability)

    def test_the_auditor_reads(self):
        assert all(one.endswith(("view", "export")) for one in ABILITIES[StaffRole.AUDITOR])
        assert all(".view" in page for page in ADMIN_PAGES[StaffRole.AUDITOR])

    @pytest.mark.parametrize("pair", list(combinations(StaffRole, 2)), ids="-".join)
    def test_the_verb_and_the_database_exclude_the_same_pairs(self, pair):
        first, second = pair
        is_excluded = frozenset(pair) in EXCLUDED

        by_verb = hire("lin", has_device=False, roles=[first]).user
        by_hand = hire("yun", has_device=False, roles=[first]).user
        refused = set()
        try:
            give(by_verb, second)
        except RoleRefused as refusal:
            refused.add(refusal.code)
        try:
            with transaction.atomic():
                RoleGrant.objects.create(user=by_hand, role=second, granted_at=NOON)
        except IntegrityError as error:
            refused.add(constraint_of(error))

        assert refused == ({"role_excluded", "roles_exclude"} if is_excluded else set())


class TestGranting:
    """Roles come and go, and the trail tells."""

    def test_a_role_opens_the_admin_and_its_end_closes_it(self):
        lin = hire("lin").user

        give(lin, "operator")
        lin.refresh_from_db()
        assert (lin.is_staff, may(lin, Ability.REFUNDS_REQUEST)) == (True, True)
        assert not may(lin, Ability.REFUNDS_APPROVE)

        revoke_role(user=lin, role=StaffRole.OPERATOR, actor=SYSTEM, at=NOON)
        lin.refresh_from_db()
        assert (lin.is_staff, roles_of(lin)) == (False, frozenset())

        told = AuditEntry.objects.filter(subject_kind="user", subject_id=str(lin.pk))
        assert [entry.action for entry in told.order_by("pk")][-2:] == [
            "role.granted", "role.revoked",
        ]  # fmt: skip
        assert told.latest("pk").facts == {"username": "lin", "role": "operator"}

    def test_a_role_is_held_once_and_taken_once(self):
        lin = hire("lin", roles=["finance"]).user

        with pytest.raises(RoleRefused, match="role_held"):
            give(lin, "finance")
        with pytest.raises(RoleRefused, match="role_not_held"):
            revoke_role(user=lin, role=StaffRole.RISK, actor=SYSTEM, at=NOON)

    def test_who_left_gets_no_role_and_has_no_ability(self):
        gone = hire("lin", roles=["finance"]).user
        User.objects.filter(pk=gone.pk).update(is_active=False)
        gone.refresh_from_db()

        assert not may(gone, Ability.PAYMENTS_VIEW)
        with pytest.raises(RoleRefused, match="person_inactive"):
            give(gone, "risk")

    def test_a_second_account_of_the_same_human_is_the_same_person(self):
        hire("lin", roles=["operator"], person_ref="E1024")
        other = hire("lin2", person_ref="E1024").user

        with pytest.raises(RoleRefused, match="role_excluded") as refusal:
            give(other, "operator_checker")
        assert refusal.value.other == "operator"
        with pytest.raises(IntegrityError, match="excludes"), transaction.atomic():
            RoleGrant.objects.create(user=other, role="operator_checker", granted_at=NOON)

    def test_an_account_never_becomes_another_humans(self):
        lin = hire("lin").user

        with pytest.raises(IntegrityError, match="person_ref"), transaction.atomic():
            User.objects.filter(pk=lin.pk).update(person_ref="E1")
        with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE compliance_user SET person_ref = 'E1'")

    def test_people_without_a_number_are_different_humans(self):
        one, other = hire("lin", person_ref="").user, hire("yun").user
        other.refresh_from_db()

        assert "" not in {one.person_ref, other.person_ref}
        assert one.person_ref != other.person_ref

    def test_being_superuser_gives_no_ability(self):
        assert not any(
            may(hire("root", is_superuser=True, is_staff=True).user, ability)
            for ability in [Ability.ROLES_APPROVE]
        )


class TestTheFirstPeople:
    """`grant_role` founds an installation and then closes itself."""

    def test_it_gives_roles_until_two_people_can_do_it_by_approval(self):
        hire("lin")
        hire("he")
        told = StringIO()
        call_command("grant_role", "lin", "administrator", stdout=told)
        call_command("grant_role", "he", "compliance_approver", stdout=told)

        with pytest.raises(CommandError, match="ask them"):
            call_command("grant_role", "lin", "finance")
        assert "lin is now administrator" in told.getvalue()
        assert AuditEntry.objects.filter(action="role.granted").count() == 2

    def test_it_says_why_not(self):
        hire("lin", roles=["operator"])

        with pytest.raises(CommandError, match="role_excluded operator"):
            call_command("grant_role", "lin", "operator_checker")
        with pytest.raises(CommandError, match="Nobody"):
            call_command("grant_role", "nobody", "risk")


class TestTheAdmin:
    """Each role sees what it may, and nobody makes themselves more."""

    @pytest.mark.parametrize(
        ("role", "page", "status"),
        [
            ("administrator", "compliance/user/", 200),
            ("administrator", "payments/payment/", 200),
            ("administrator", "compliance/auditentry/", 403),
            ("operator", "payments/payment/", 200),
            ("operator", "compliance/user/", 403),
            ("finance", "compliance/auditentry/", 403),
            ("auditor", "compliance/auditentry/", 200),
            ("auditor", "compliance/user/", 200),
            ("auditor", "compliance/user/add/", 403),
            ("compliance_officer", "compliance/user/add/", 403),
        ],
    )
    def test_pages_open_by_role(self, role, page, status):
        assert at_work(role).get(f"/admin/{page}").status_code == status

    def test_groups_and_single_rights_count_for_nothing(self):
        lin = hire("lin", roles=["finance"]).user

        assert lin.has_perm("payments.view_payment")
        assert not lin.has_perm("compliance.change_user")
        assert "payments.view_payment" in lin.get_all_permissions()
        assert lin.get_group_permissions() == set()
        assert at_work("administrator").get("/admin/auth/group/").status_code == 404

    def test_an_administrator_cannot_make_a_superuser_or_give_rights(self):
        admin = at_work("administrator")
        me = User.objects.get(username="wei")
        form = {
            "username": "wei", "display_name": "Wei", "email": "wei@example.com", "language": "",
            "is_active": "on", "is_staff": "on", "is_superuser": "on", "person_ref": "E9",
            "groups": "1", "user_permissions": "1",
            "role_grants-TOTAL_FORMS": "1", "role_grants-INITIAL_FORMS": "0",
            "role_grants-0-role": "risk", "role_grants-0-user": me.pk,
        }  # fmt: skip

        for user in (me, hire("yun").user):
            names = {"username": user.username, "email": user.email}
            admin.post(f"/admin/compliance/user/{user.pk}/change/", {**form, **names})
            user.refresh_from_db()
            assert not user.is_superuser
            assert user.person_ref != "E9"
            assert user.user_permissions.count() == 0
            assert not roles_of(user) - {StaffRole.ADMINISTRATOR}
        assert not User.objects.get(username="yun").is_staff
        new = {
            "username": "gu", "display_name": "Gu", "email": "gu@example.com", "is_superuser": "on",
            "is_staff": "on", "password1": "a long enough phrase",
            "password2": "a long enough phrase",
        }  # fmt: skip
        assert admin.post("/admin/compliance/user/add/", new).status_code == 302
        assert not User.objects.get(username="gu").is_superuser

    def test_an_administrator_cannot_touch_a_superusers_account(self):
        root = hire("root", is_superuser=True, is_staff=True).user
        admin = at_work("administrator")
        page = f"/admin/compliance/user/{root.pk}"
        assert admin.post(f"{page}/link/").status_code == 403
        assert admin.post(f"{page}/sessions/", {"reason": "mine"}).status_code == 403
        assert admin.post(f"{page}/change/", {"username": "mine"}).status_code == 403

    def test_a_change_of_roles_ends_the_sessions_of_that_person_alone(self):
        lin, yun = at_work("operator", "lin"), at_work("operator", "yun")
        give(User.objects.get(username="lin"), "risk")

        assert lin.get("/admin/").status_code == 302
        assert yun.get("/admin/").status_code == 200

    def test_a_superuser_signing_in_is_an_alarm(self):
        hire("root", is_superuser=True, is_staff=True).sign_in(Client())

        alarm = AuditEntry.objects.get(action="alarm.superuser_signed_in")
        assert alarm.actor_label == "root"
