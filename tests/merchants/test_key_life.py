"""A key's life: a new secret beside the old one, another list of networks, an end, a reason."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.models import Letter
from merchants.access import by_api_key, by_member, by_recent_api_key, confirm
from merchants.accounts.key_changes import KeyOver, KeyReplaced, allow_key_from, end_key_at
from merchants.accounts.key_ends import watch_key_ends
from merchants.accounts.key_rotation import (
    NotReplaced,
    OverlapRuns,
    OverlapTooLong,
    end_overlap,
    rotate_api_key,
)
from merchants.accounts.key_stages import STAGES, stage_of
from merchants.accounts.keys import (
    ExpiryUnfit,
    KeyNotFound,
    NoteMissing,
    create_api_key,
    revoke_api_key,
)
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import RevocationReason, Role
from merchants.errors import AccessRefused
from merchants.models import ApiKey
from tests.cast import NOON
from tests.compliance.people import confirm as confirm_page
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db

HERE = "203.0.113.9"
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def person(tea):
    lin = hire("lin")
    add_member(merchant_id=tea.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return lin


@pytest.fixture
def lin(person):
    return by_member(person.user, None, address=HERE)


@pytest.fixture
def old(tea):
    return create_api_key(
        merchant_id=tea.pk, livemode=False, label="shop", actor=SYSTEM, at=NOON,
        scopes=["payments.read", "payments.write"], allowed_from=[HERE],
    )  # fmt: skip


def code_of(secret: str, address: str = HERE) -> str:
    try:
        by_api_key(secret, address=address)
    except AccessRefused as refusal:
        return refusal.code
    return "let in"


def last_entry(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("pk")


class TestRotating:
    """Two secrets for a while, then one."""

    def test_both_open_the_same_and_the_old_one_ends_by_itself(self, lin, old, now):
        key, secret = old

        made, new_secret = rotate_api_key(
            access=lin, key=key.public_id, until=now + 2 * DAY, ends_at=None, at=now
        )

        assert (code_of(secret), code_of(new_secret)) == ("let in", "let in")
        assert (made.scopes, made.allowed_from, made.label) == (
            key.scopes, key.allowed_from, key.label,
        )  # fmt: skip
        assert code_of(new_secret, "198.51.100.7") == "address_not_allowed"
        ApiKey.objects.filter(pk=key.pk).update(ends_at=now)
        assert (code_of(secret), code_of(new_secret)) == ("key_unknown", "let in")

    def test_over_the_api_the_ended_secret_is_like_none_that_ever_was(self, lin, old, now):
        key, secret = old
        rotate_api_key(access=lin, key=key.public_id, until=None, ends_at=None, at=now)
        ApiKey.objects.update(allowed_from=[])

        def answer(bearer: str):
            return Client().get("/api/v1/balance", headers={"authorization": f"Bearer {bearer}"})

        ended, unknown = answer(secret), answer("sk_test_" + "a" * 32)
        assert ended.status_code == unknown.status_code == 401
        told = [
            {k: v for k, v in one.json().items() if k != "instance"} for one in (ended, unknown)
        ]
        assert told[0] == told[1]

    def test_a_key_found_lately_ends_as_well(self, lin, old, now):
        key, secret = old
        by_recent_api_key(secret, address=HERE)
        rotate_api_key(access=lin, key=key.public_id, until=None, ends_at=None, at=now)

        with pytest.raises(AccessRefused) as refusal:
            confirm(by_recent_api_key(secret, address=HERE))

        assert refusal.value.code == "key_unknown"

    @pytest.mark.parametrize("overlap", [timedelta(days=7, seconds=1), -timedelta(seconds=1)])
    def test_the_old_one_works_for_seven_days_at_most(self, lin, old, now, overlap):
        with pytest.raises(OverlapTooLong):
            rotate_api_key(
                access=lin, key=old[0].public_id, until=now + overlap, ends_at=None, at=now
            )
        assert ApiKey.objects.count() == 1

    def test_an_end_chosen_before_is_not_put_off(self, lin, old, now):
        key, _ = old
        end_key_at(access=lin, key=key.public_id, ends_at=now + DAY, at=now)

        rotate_api_key(access=lin, key=key.public_id, until=now + 5 * DAY, ends_at=None, at=now)

        key.refresh_from_db()
        assert key.ends_at == now + DAY

    def test_one_overlap_at_a_time(self, lin, old, now):
        key, _ = old
        made, _ = rotate_api_key(
            access=lin, key=key.public_id, until=now + DAY, ends_at=None, at=now
        )
        again = {"access": lin, "until": now + DAY, "ends_at": None, "at": now}

        with pytest.raises(OverlapRuns):
            rotate_api_key(key=made.public_id, **again)
        with pytest.raises(KeyReplaced):
            rotate_api_key(key=key.public_id, **again)
        end_overlap(access=lin, key=key.public_id, at=now)
        assert rotate_api_key(key=made.public_id, **again)

    def test_it_can_be_ended_at_once_and_once(self, lin, old, now):
        key, secret = old
        rotate_api_key(access=lin, key=key.public_id, until=now + DAY, ends_at=None, at=now)

        end_overlap(access=lin, key=key.public_id, at=now)

        assert code_of(secret) == "key_unknown"
        with pytest.raises(KeyOver):
            end_overlap(access=lin, key=key.public_id, at=now)
        assert last_entry("api_key.overlap_ended").facts["key"] == key.public_id

    def test_a_key_without_a_newer_secret_is_not_ended_so(self, lin, old, now):
        with pytest.raises(NotReplaced):
            end_overlap(access=lin, key=old[0].public_id, at=now)

    def test_a_revoked_key_gets_no_new_secret(self, lin, tea, old, now):
        revoke_api_key(merchant_id=tea.pk, key=old[0].public_id, actor=SYSTEM, at=now)

        with pytest.raises(KeyOver):
            rotate_api_key(access=lin, key=old[0].public_id, until=None, ends_at=None, at=now)

    def test_another_merchants_key_is_like_none(self, old, now):
        books = register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)
        yun = hire("yun")
        add_member(merchant_id=books.pk, user=yun.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        access = by_member(yun.user, None, address=HERE)

        for number in (old[0].public_id, "key_nothing"):
            with pytest.raises(KeyNotFound):
                rotate_api_key(access=access, key=number, until=None, ends_at=None, at=now)
            with pytest.raises(KeyNotFound):
                allow_key_from(access=access, key=number, networks=[], at=now)

    def test_the_trail_and_the_owners_are_told_without_a_secret(self, lin, old, now):
        key, secret = old
        _, new_secret = rotate_api_key(
            access=lin, key=key.public_id, until=now + DAY, ends_at=None, at=now
        )

        entry = last_entry("api_key.rotated")
        assert entry.facts["old_valid_until"] == (now + DAY).isoformat()
        assert entry.after["allowed_from"] == [f"{HERE}/32"]
        assert secret not in str(entry.__dict__)
        assert new_secret not in str(entry.__dict__)
        assert Letter.objects.get().about == "key_rotated"

    def test_a_replaced_key_has_its_end_in_the_database_too(self, lin, old, now):
        rotate_api_key(access=lin, key=old[0].public_id, until=None, ends_at=None, at=now)

        with pytest.raises(IntegrityError, match="replaced_has_its_end"), transaction.atomic():
            ApiKey.objects.update(ends_at=None)


class TestNetworks:
    """Changed later, and at once."""

    def test_the_next_request_is_held_to_the_new_list(self, lin, old, now):
        key, secret = old

        allow_key_from(access=lin, key=key.public_id, networks=["10.0.0.0/8"], at=now)

        assert (code_of(secret), code_of(secret, "10.1.2.3")) == ("address_not_allowed", "let in")
        entry = last_entry("api_key.networks_changed")
        assert (entry.before, entry.after) == (
            {"allowed_from": [f"{HERE}/32"]}, {"allowed_from": ["10.0.0.0/8"]},
        )  # fmt: skip

    def test_an_old_secret_that_still_works_is_held_to_it_too(self, lin, old, now):
        key, secret = old
        made, _ = rotate_api_key(
            access=lin, key=key.public_id, until=now + DAY, ends_at=None, at=now
        )

        allow_key_from(access=lin, key=made.public_id, networks=["10.0.0.0/8"], at=now)

        assert code_of(secret) == "address_not_allowed"

    def test_the_same_list_again_is_not_told(self, lin, old, now):
        allow_key_from(access=lin, key=old[0].public_id, networks=[HERE], at=now)

        assert not AuditEntry.objects.filter(action="api_key.networks_changed").exists()


class TestEnds:
    """A key that ends by itself, and those who hear of it."""

    def test_it_opens_until_then_and_says_why_not_afterwards(self, tea, now):
        key, secret = create_api_key(
            merchant_id=tea.pk, livemode=False, label="x", scopes=["payments.read"],
            ends_at=now + DAY, actor=SYSTEM, at=now,
        )  # fmt: skip
        assert code_of(secret) == "let in"

        ApiKey.objects.filter(pk=key.pk).update(ends_at=now)

        assert code_of(secret) == "key_expired"

    @pytest.mark.parametrize("ends", [timedelta(0), -DAY, timedelta(days=5 * 366 + 1)])
    def test_an_unfit_end_is_refused(self, lin, old, now, ends):
        with pytest.raises(ExpiryUnfit):
            end_key_at(access=lin, key=old[0].public_id, ends_at=now + ends, at=now)

    def test_letters_come_14_and_3_days_before_and_once_each(self, lin, old, now):
        end_key_at(access=lin, key=old[0].public_id, ends_at=now + 30 * DAY, at=now)

        told = [watch_key_ends(at=now + day * DAY) for day in (0, 15, 16, 16, 20, 27, 28, 31)]

        assert told == [0, 0, 1, 0, 0, 1, 0, 0]
        assert [row.about for row in Letter.objects.all()] == ["key_ends", "key_ends"]

    def test_who_chooses_a_near_end_knows_of_it(self, lin, old, now):
        end_key_at(access=lin, key=old[0].public_id, ends_at=now + 10 * DAY, at=now)

        assert watch_key_ends(at=now) == 0
        assert watch_key_ends(at=now + 8 * DAY) == 1

    def test_nobody_is_told_of_a_secret_that_was_replaced(self, lin, old, now):
        rotate_api_key(access=lin, key=old[0].public_id, until=now + 2 * DAY, ends_at=None, at=now)

        assert watch_key_ends(at=now) == 0

    @given(st.integers(min_value=-5, max_value=60 * 24))
    def test_the_stage_is_the_nearest_that_has_begun(self, hours):
        stage = stage_of(NOON + timedelta(hours=hours), at=NOON)

        assert stage == next((days for days in sorted(STAGES) if hours <= 24 * days), None)


class TestRevoking:
    """With a reason."""

    def test_another_reason_says_which(self, tea, old, now):
        why = RevocationReason.OTHER
        with pytest.raises(NoteMissing):
            revoke_api_key(
                merchant_id=tea.pk, key=old[0].public_id, why=why, note=" ", actor=SYSTEM, at=now
            )

        revoke_api_key(
            merchant_id=tea.pk, key=old[0].public_id, why=why, note="moved", actor=SYSTEM, at=now
        )

        entry = last_entry("api_key.revoked")
        assert (entry.facts["why"], entry.reason) == ("other", "moved")


def test_the_last_use_says_from_where(old):
    key, secret = old

    by_api_key(secret, address=f"::ffff:{HERE}")

    key.refresh_from_db()
    assert key.last_used_from == HERE


class TestInThePortal:
    """Lin at the key's page."""

    @pytest.fixture
    def browser(self, person):
        client = Client(headers={"accept-language": "en"})
        person.sign_in(client)
        return client

    def test_lin_makes_a_new_secret_and_ends_the_old_one(self, browser, old, now):
        key, secret = old
        until = timezone.localtime(now + DAY).strftime("%Y-%m-%dT%H:%M")

        page = confirm_page(
            browser, browser.post(f"/portal/keys/{key.public_id}/rotate/", {"until": until})
        )

        assert page.status_code == 201
        assert code_of(page.context["secret"]) == "let in"
        assert "Old secret, until" in browser.get("/portal/keys/").content.decode()
        done = browser.post(f"/portal/keys/{key.public_id}/end-old/", follow=True)
        assert "The old secret" in done.content.decode()
        assert code_of(secret) == "key_unknown"

    def test_without_the_second_factor_nothing_changes(self, browser, old):
        key, secret = old
        for deed, form in (
            ("rotate", {"until": ""}), ("networks", {"allowed_from": ""}), ("end", {"ends_at": ""}),
        ):  # fmt: skip
            answer = browser.post(f"/portal/keys/{key.public_id}/{deed}/", form)
            assert answer.url.startswith("/confirm/"), deed
        assert code_of(secret, "198.51.100.7") == "address_not_allowed"
        assert ApiKey.objects.count() == 1

    def test_lin_changes_the_list(self, browser, old):
        key, secret = old
        page = browser.post(
            f"/portal/keys/{key.public_id}/networks/", {"allowed_from": "198.51.100.0/24"}
        )

        assert confirm_page(browser, page).status_code == 302
        assert code_of(secret, "198.51.100.7") == "let in"

    def test_a_refusal_is_told_with_its_code(self, browser, old, now):
        until = timezone.localtime(now + 9 * DAY).strftime("%Y-%m-%dT%H:%M")
        path = f"/portal/keys/{old[0].public_id}/rotate/"

        page = confirm_page(browser, browser.post(path, {"until": until}))

        assert "overlap_too_long" in page.content.decode()

    def test_the_pages_of_another_merchants_key_are_not_there(self, browser, now):
        books = register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)
        key, _ = create_api_key(
            merchant_id=books.pk, livemode=False, label="x", scopes=["payments.read"],
            actor=SYSTEM, at=NOON,
        )  # fmt: skip
        assert browser.get(f"/portal/keys/{key.public_id}/").status_code == 404
        for deed in ("networks", "end", "rotate", "end-old", "revoke"):
            assert browser.post(f"/portal/keys/{key.public_id}/{deed}/").status_code == 404

    def test_a_revocation_without_a_reason_is_asked_for_one(self, browser, old):
        page = browser.post(f"/portal/keys/{old[0].public_id}/revoke/", {"why": "other"})

        assert "note_missing" in page.content.decode()
        assert code_of(old[1]) == "let in"
