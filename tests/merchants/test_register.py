"""Merchants, their people, and the secret of their callbacks."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.links import make_link
from compliance.identity.models import Letter
from compliance.identity.people import choose_password
from compliance.identity.states import LinkKind
from compliance.protection.errors import Tampered
from merchants.access import by_member, require
from merchants.accounts.callback_secret import (
    callback_secret_of,
    callback_secrets_of,
    rotate_callback_secret,
)
from merchants.accounts.queries import list_team
from merchants.accounts.register import (
    InvitationRefused,
    MemberExists,
    add_member,
    invite_member,
    register_merchant,
    resume_merchant,
    suspend_merchant,
)
from merchants.accounts.states import Role
from merchants.errors import AccessRefused, IllegalMove
from merchants.models import Member, Merchant
from merchants.words import refusal_text
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HERE = "203.0.113.9"


@pytest.fixture
def tea():
    return register_merchant(
        name="Mingshan Tea", short_name="Mingshan",
        actor=SYSTEM, at=NOON,
    )  # fmt: skip


@pytest.fixture
def books():
    return register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)


def join(merchant, user, role=Role.OWNER) -> Member:
    return add_member(merchant_id=merchant.pk, user=user, role=role, actor=SYSTEM, at=NOON)


class TestRegistering:
    """A merchant begins active, in test mode, with a secret of its own."""

    def test_a_merchant_is_registered_and_recorded(self, tea):
        assert tea.public_id.startswith("mch_")
        assert (tea.status, tea.may_live, tea.shown_name) == ("active", False, "Mingshan")
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.subject_id) == ("merchant.registered", tea.public_id)

    def test_without_a_short_name_the_name_is_shown(self, books):
        assert books.shown_name == "Yunjian Books"

    def test_a_merchant_needs_a_name(self):
        with pytest.raises(IntegrityError, match="merchant_has_name"), transaction.atomic():
            register_merchant(name="", actor=SYSTEM, at=NOON)

    def test_suspending_and_resuming_leave_their_reasons(self, tea):
        suspended = suspend_merchant(merchant_id=tea.pk, reason="papers", actor=SYSTEM, at=NOON)
        assert suspended.suspended_at == NOON

        resumed = resume_merchant(merchant_id=tea.pk, reason="papers came", actor=SYSTEM, at=NOON)
        assert (resumed.status, resumed.suspended_at) == ("active", None)

        told = AuditEntry.objects.filter(action__in=["merchant.suspended", "merchant.active"])
        assert [entry.reason for entry in told.order_by("pk")] == ["papers", "papers came"]

    def test_a_state_is_not_moved_to_itself(self, tea):
        with pytest.raises(IllegalMove):
            resume_merchant(merchant_id=tea.pk, reason="", actor=SYSTEM, at=NOON)

    def test_the_database_keeps_status_and_time_together(self, tea):
        with (
            pytest.raises(IntegrityError, match="merchant_status_has_its_time"),
            transaction.atomic(),
        ):
            Merchant.objects.update(status="suspended")


class TestCallbackSecret:
    """Kept sealed, shown to its owner, replaced without a gap."""

    def test_it_is_in_the_form_that_standard_webhooks_takes(self, tea):
        secret = callback_secret_of(tea.pk)

        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32

    def test_every_merchant_has_another_and_the_database_hides_it(self, tea, books):
        assert callback_secret_of(tea.pk) != callback_secret_of(books.pk)
        assert callback_secret_of(tea.pk) not in str(list(Merchant.objects.values()))

    def test_copied_into_another_merchants_row_it_does_not_open(self, tea, books):
        Merchant.objects.filter(pk=books.pk).update(
            callback_secret_sealed=tea.callback_secret_sealed
        )

        with pytest.raises(Tampered):
            callback_secret_of(books.pk)

    def test_for_a_day_the_replaced_one_signs_along(self, tea):
        before = callback_secret_of(tea.pk)
        now = datetime.now(UTC)

        after = rotate_callback_secret(merchant_id=tea.pk, actor=SYSTEM, at=now)

        assert callback_secrets_of(tea.pk) == [after, before]
        assert AuditEntry.objects.latest("pk").action == "callback_secret.rotated"

    def test_after_the_day_only_the_new_one_signs(self, tea):
        long_ago = datetime.now(UTC) - timedelta(hours=25)

        after = rotate_callback_secret(merchant_id=tea.pk, actor=SYSTEM, at=long_ago)

        assert callback_secrets_of(tea.pk) == [after]

    def test_a_secret_is_in_no_entry(self, tea):
        secret = rotate_callback_secret(merchant_id=tea.pk, actor=SYSTEM, at=NOON)

        assert secret not in str(list(AuditEntry.objects.values()))


class TestMembers:
    """A person may what their role says, at the merchants they belong to."""

    def test_a_person_of_one_merchant_need_not_name_it(self, tea):
        lin = hire("lin", has_device=False).user
        join(tea, lin, Role.FINANCE)

        access = by_member(lin, None, address=HERE)

        assert (access.merchant, access.livemode) == (tea.public_id, False)
        require(access, "refunds.write")
        assert (access.actor.kind, access.actor.id, access.actor.label) == (
            "user", str(lin.pk), "lin",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("role", "ability", "may"),
        [
            (Role.OWNER, "team.manage", True),
            (Role.OWNER, "keys.manage", True),
            (Role.DEVELOPER, "keys.manage", True),
            (Role.DEVELOPER, "refunds.write", False),
            (Role.DEVELOPER, "balance.read", False),
            (Role.FINANCE, "keys.manage", False),
            (Role.OPERATOR, "payments.write", True),
            (Role.OPERATOR, "team.manage", False),
            (Role.READ_ONLY, "payments.read", True),
            (Role.READ_ONLY, "payments.write", False),
        ],
    )
    def test_a_role_says_what_one_may(self, tea, role, ability, may):
        lin = hire("lin", has_device=False).user
        join(tea, lin, role)

        assert (ability in by_member(lin, None, address=HERE).abilities) is may

    def test_who_is_invited_belongs_to_the_team_and_cannot_do_anything_yet(self, tea):
        owner = hire("lin").user
        join(tea, owner)
        invited = invite_member(
            merchant_id=tea.pk, username="yun", display_name="云舒", email="yun@example.com",
            role=Role.FINANCE, actor=SYSTEM, at=NOON,
        )  # fmt: skip
        team = list_team(by_member(owner, None, address=HERE))
        assert [(one.username, one.is_invited) for one in team] == [("lin", False), ("yun", True)]
        assert Letter.objects.get(about="invitation").to == "yun@example.com"
        assert not invited.user.has_usable_password()

        link, _until = make_link(user=invited.user, kind=LinkKind.INVITATION, at=NOON)
        choose_password(
            secret=link.strip("/").rpartition("/")[2], kind=LinkKind.INVITATION,
            password="seven herons over the paddy", actor=SYSTEM, at=NOON,
        )  # fmt: skip
        team = list_team(by_member(owner, None, address=HERE))
        assert not any(one.is_invited for one in team)
        require(by_member(invited.user, None, address=HERE), "refunds.write")

    @pytest.mark.parametrize(
        ("username", "email", "code"),
        [("LIN", "new@example.com", "username_taken"), ("new", "Lin@Example.com", "email_taken")],
    )
    def test_a_name_and_an_address_are_one_persons(self, tea, username, email, code):
        join(tea, hire("lin").user)
        with pytest.raises(InvitationRefused) as refusal:
            invite_member(
                merchant_id=tea.pk, username=username, display_name="X", email=email,
                role=Role.OWNER, actor=SYSTEM, at=NOON,
            )  # fmt: skip
        assert refusal.value.code == code
        assert refusal_text(refusal.value).endswith(f"({code})")
        assert not Letter.objects.exists()

    def test_a_person_of_several_merchants_has_to_choose(self, tea, books):
        lin = hire("lin", has_device=False).user
        join(tea, lin, Role.OWNER)
        join(books, lin, Role.READ_ONLY)

        with pytest.raises(AccessRefused) as refusal:
            by_member(lin, None, address=HERE)
        assert refusal.value.code == "merchant_not_chosen"
        assert by_member(lin, books.public_id, address=HERE).abilities < (
            by_member(lin, tea.public_id, address=HERE).abilities
        )

    def test_another_merchant_is_like_one_that_does_not_exist(self, tea, books):
        lin = hire("lin", has_device=False).user
        join(tea, lin)

        for merchant in (books.public_id, "mch_nothing", ""):
            with pytest.raises(AccessRefused) as refusal:
                by_member(lin, merchant, address=HERE)
            assert refusal.value.code == "merchant_unknown"

    def test_who_belongs_to_none_is_refused(self):
        with pytest.raises(AccessRefused) as refusal:
            by_member(hire("lin", has_device=False).user, None, address=HERE)
        assert refusal.value.code == "membership_missing"

    def test_a_deactivated_person_is_refused(self, tea):
        lin = hire("lin", has_device=False).user
        join(tea, lin)
        lin.is_active = False

        with pytest.raises(AccessRefused):
            by_member(lin, tea.public_id, address=HERE)

    def test_a_person_joins_once(self, tea):
        lin = hire("lin", has_device=False).user
        join(tea, lin)

        with pytest.raises(MemberExists):
            join(tea, lin, Role.READ_ONLY)

    def test_a_merchant_with_real_money_is_shown_it_outside_a_demo(self, settings):
        books = register_merchant(name="Books", may_live=True, actor=SYSTEM, at=NOON)
        lin = hire("lin", has_device=False).user
        join(books, lin)

        settings.DEMO = True
        assert by_member(lin, None, address=HERE).livemode is False
        settings.DEMO = False
        assert by_member(lin, None, address=HERE).livemode is True
