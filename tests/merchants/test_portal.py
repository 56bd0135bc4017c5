"""The portal's pages of this storey: choice of the merchant, keys, team."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from merchants.access import by_api_key
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import add_member, register_merchant, suspend_merchant
from merchants.accounts.states import Role
from merchants.models import ApiKey, Member
from tests.compliance.people import confirm, hire

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def books():
    return register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)


def browser_of(username: str, *belongings) -> Client:
    """A signed-in person who belongs to merchants, each in a role."""
    person = hire(username)
    for merchant, role in belongings:
        add_member(merchant_id=merchant.pk, user=person.user, role=role, actor=SYSTEM, at=NOON)
    client = Client(headers={"accept-language": "en"})
    person.sign_in(client)
    return client


@pytest.fixture
def lin(tea):
    """Lin owns the tea shop."""
    return browser_of("lin", (tea, Role.OWNER))


def key_of(merchant) -> ApiKey:
    return create_api_key(
        merchant_id=merchant.pk, livemode=False, label="shop", scopes=["payments.read"],
        actor=SYSTEM, at=NOON,
    )[0]  # fmt: skip


class TestKeys:
    """Make, show once, revoke."""

    def test_lin_makes_a_key_and_sees_its_secret_once(self, lin, tea):
        form = {"label": "The shop", "scopes": ["payments.read", "payments.write"]}
        answer = confirm(lin, lin.post("/portal/keys/", form))

        secret = answer.context["secret"]
        assert answer.status_code == 201
        assert secret in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        assert by_api_key(secret, address="").merchant == tea.public_id
        later = lin.get("/portal/keys/").content.decode()
        assert "The shop" in later
        assert secret not in later
        assert secret[:14] in later

    def test_the_entry_names_the_person(self, lin):
        confirm(lin, lin.post("/portal/keys/", {"label": "The shop", "scopes": ["payments.read"]}))

        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.actor_label, entry.address) == (
            "api_key.created", "lin", "127.0.0.1",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "form",
        [
            {"label": "", "scopes": ["payments.read"]},
            {"label": "x" * 65, "scopes": ["payments.read"]},
            {"label": "x"},
            {"label": "x", "scopes": ["team.manage"]},
            {"label": "x\0", "scopes": ["payments.read"]},
        ],
    )
    def test_a_bad_form_makes_no_key_and_says_why(self, lin, form):
        answer = lin.post("/portal/keys/", form)

        assert answer.status_code == 200
        assert 'class="error"' in answer.content.decode()
        assert not ApiKey.objects.exists()

    def test_a_refusal_is_told_in_words_with_its_code(self, lin, monkeypatch):
        monkeypatch.setattr("merchants.accounts.keys.KEYS_MAX", 0)

        page = confirm(lin, lin.post("/portal/keys/", {"label": "x", "scopes": ["payments.read"]}))

        assert "There are too many keys." in page.content.decode()
        assert "too_many_keys" in page.content.decode()

    def test_a_key_is_revoked_and_the_page_says_so(self, lin, tea):
        key = key_of(tea)

        page = lin.post(f"/portal/keys/{key.public_id}/revoke/", {"why": "leaked"}, follow=True)

        key.refresh_from_db()
        assert key.revoked_at is not None
        assert key.revoked_for == "leaked"
        assert f"The key {key} is revoked." in page.content.decode()

    def test_another_merchants_key_cannot_be_seen_or_revoked(self, lin, books):
        key = key_of(books)

        assert str(key) not in lin.get("/portal/keys/").content.decode()
        assert lin.post(f"/portal/keys/{key.public_id}/revoke/").status_code == 404
        assert lin.post("/portal/keys/key_nothing/revoke/").status_code == 404
        assert lin.post("/portal/keys/%00/revoke/").status_code == 404
        key.refresh_from_db()
        assert key.revoked_at is None

    def test_revoking_takes_a_post(self, lin, tea):
        assert lin.get(f"/portal/keys/{key_of(tea).public_id}/revoke/").status_code == 405

    def test_the_list_takes_few_statements_whatever_its_length(
        self, lin, tea, django_assert_max_num_queries
    ):
        for _ in range(12):
            key_of(tea)

        with django_assert_max_num_queries(9):
            lin.get("/portal/keys/")


class TestRoles:
    """A role that may not, sees why."""

    @pytest.mark.parametrize("role", [Role.FINANCE, Role.OPERATOR, Role.READ_ONLY])
    def test_keys_are_for_owners_and_developers(self, tea, role):
        gu = browser_of("gu", (tea, role))
        key = key_of(tea)

        page = gu.get("/portal/keys/")

        assert page.status_code == 403
        assert "ability_missing" in page.content.decode()
        assert gu.post("/portal/keys/", {"label": "x", "scopes": []}).status_code == 403
        assert gu.post(f"/portal/keys/{key.public_id}/revoke/").status_code == 403

    def test_a_developer_manages_keys(self, tea):
        assert browser_of("dev", (tea, Role.DEVELOPER)).get("/portal/keys/").status_code == 200

    def test_everyone_sees_the_team(self, tea):
        gu = browser_of("gu", (tea, Role.READ_ONLY))

        page = gu.get("/portal/team/").content.decode()

        assert "Gu" in page
        assert "API keys" not in page
        assert "Read only" in page

    def test_the_team_of_a_suspended_merchant_can_be_read_and_its_keys_not_made(self, lin, tea):
        suspend_merchant(merchant_id=tea.pk, reason="review", actor=SYSTEM, at=NOON)

        assert lin.get("/portal/team/").status_code == 200
        page = lin.get("/portal/keys/")
        assert page.status_code == 403
        assert "merchant_suspended" in page.content.decode()


class TestChoosing:
    """Who works for several merchants says for which."""

    def test_a_person_of_two_chooses_and_goes_on(self, tea, books):
        ming = browser_of("ming", (tea, Role.OWNER), (books, Role.READ_ONLY))

        sent = ming.get("/portal/keys/")
        page = ming.get(sent["Location"]).content.decode()
        chosen = ming.post("/portal/choose/", {"merchant": tea.public_id, "next": "/portal/keys/"})

        assert sent["Location"] == "/portal/choose/?next=%2Fportal%2Fkeys%2F"
        assert "Mingshan Tea" in page
        assert "Yunjian Books" in page
        assert chosen["Location"] == "/portal/keys/"
        assert "Mingshan Tea" in ming.get("/portal/keys/").content.decode()

    def test_the_choice_can_be_changed_and_rights_change_with_it(self, tea, books):
        ming = browser_of("ming", (tea, Role.OWNER), (books, Role.READ_ONLY))
        ming.post("/portal/choose/", {"merchant": tea.public_id})
        ming.post("/portal/choose/", {"merchant": books.public_id})

        assert ming.get("/portal/keys/").status_code == 403
        assert "Yunjian Books" in ming.get("/portal/team/").content.decode()

    def test_only_who_has_a_choice_is_offered_to_change_it(self, lin, tea, books):
        ming = browser_of("ming", (tea, Role.OWNER), (books, Role.OWNER))
        ming.post("/portal/choose/", {"merchant": tea.public_id})

        assert "Change merchant" in ming.get("/portal/team/").content.decode()
        assert "Change merchant" not in lin.get("/portal/team/").content.decode()

    def test_a_merchant_one_does_not_belong_to_cannot_be_chosen(self, lin, books):
        for merchant in (books.public_id, "mch_nothing", "", "\0"):
            assert lin.post("/portal/choose/", {"merchant": merchant}).status_code == 404

    def test_the_choice_does_not_lead_elsewhere(self, lin, tea):
        answer = lin.post("/portal/choose/", {"merchant": tea.public_id, "next": "//evil.example/"})

        assert answer.url == "/portal/"

    def test_who_left_the_chosen_merchant_has_to_choose_again(self, tea, books):
        ming = browser_of("ming", (tea, Role.OWNER), (books, Role.OWNER))
        ming.post("/portal/choose/", {"merchant": tea.public_id})
        Member.objects.filter(merchant=tea).delete()

        assert ming.get("/portal/team/")["Location"].startswith("/portal/choose/")
        assert "Yunjian Books" in ming.get("/portal/team/").content.decode()

    def test_who_belongs_to_no_merchant_is_told_what_to_do(self):
        nobody = browser_of("nobody")

        page = nobody.get("/portal/team/")

        assert page.status_code == 403
        assert "You belong to no merchant" in page.content.decode()
        assert "You belong to no merchant" in nobody.get("/portal/choose/").content.decode()

    @pytest.mark.parametrize("page", ["keys/", "team/", "choose/"])
    def test_a_stranger_is_sent_to_the_sign_in(self, client, page):
        assert (
            client.get(f"/portal/{page}")["Location"] == f"/signin/?next=%2Fportal%2F{page[:-1]}%2F"
        )


def test_the_admin_shows_a_merchant_with_people_and_keys_and_changes_nothing(tea):
    admin = Client(headers={"accept-language": "en"})
    hire("he", is_staff=True, is_superuser=True).sign_in(admin)
    key = key_of(tea)

    page = admin.get(f"/admin/merchants/merchant/{tea.pk}/change/").content.decode()

    assert key.prefix in page
    assert "callback_secret" not in page
    assert admin.get("/admin/merchants/merchant/?q=Mingshan").status_code == 200
    assert admin.get("/admin/merchants/merchant/add/").status_code == 403
    assert admin.post(f"/admin/merchants/merchant/{tea.pk}/delete/").status_code == 403
