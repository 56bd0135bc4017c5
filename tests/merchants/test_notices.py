"""What Lin finds behind the bell: the same news as in letters, with the page to act on it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from compliance.audit.actor import SYSTEM, Actor
from compliance.identity.letter_kinds import letter_kinds
from compliance.identity.letters import write_letter
from compliance.identity.models import Letter
from compliance.identity.notice_models import Notice
from compliance.identity.notices import forget_old_notices
from compliance.protection.fields import unseal
from merchants.access import by_member
from merchants.accounts.key_rotation import rotate_api_key
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import add_member, invite_member, register_merchant
from merchants.accounts.states import Role
from merchants.accounts.team import change_member_role, remove_member
from merchants.models import Term
from merchants.support.answering import answer
from merchants.support.asking import open_ticket
from merchants.support.sides import side_of_staff
from merchants.terms.states import TermKind
from merchants.terms.watch import watch_terms
from tests.cast import NOON
from tests.compliance.people import Person, hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea():
    return register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)


@pytest.fixture
def lin(tea) -> Person:
    person = hire("lin")
    add_member(merchant_id=tea.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return person


@pytest.fixture
def browser(lin) -> Client:
    client = Client(headers={"accept-language": "en"})
    lin.sign_in(client)
    return client


def lay(person: Person, merchant: str = "", *, template: str = "key_ends", at=NOON) -> Notice:
    write_letter(
        person.user, template, at=at, merchant=merchant, business="Mingshan Tea", key="sk_test_x…",
        label="shop", ends_at=at, when=at,
    )  # fmt: skip
    return Notice.objects.latest("pk")


def text_of(row: Letter) -> str:
    return unseal(row.body_sealed, bound_to=f"letter:{row.public_id}")


class TestThePage:
    """Unread ones stand out, and lead on."""

    def test_the_bell_counts_and_reading_quietens_it(self, browser, lin, tea):
        notice = lay(lin, tea.public_id)
        page = browser.get("/portal/notices/").content.decode()
        assert "An API key of Mingshan Tea ends soon" in page
        assert "data-unread>1<" in page

        assert browser.post(f"/portal/notices/{notice.public_id}/").url == "/portal/keys/"

        assert "data-unread" not in browser.get("/portal/notices/").content.decode()
        assert "Nothing unread" in browser.get("/portal/notices/?show=unread").content.decode()

    def test_it_is_read_in_the_readers_language(self, lin, tea):
        notice = lay(lin, tea.public_id)

        with override("zh-hans"):
            chinese = str(notice)
        with override("en"):
            assert str(notice) == "An API key of Mingshan Tea ends soon"
        assert chinese == notice.subjects["zh-hans"]

    def test_all_are_read_at_once(self, browser, lin, tea):
        for _ in range(3):
            lay(lin, tea.public_id)

        page = browser.post("/portal/notices/read/", follow=True).content.decode()

        assert "3 notices are read." in page
        assert not Notice.objects.filter(read_at=None).exists()

    def test_the_bell_costs_no_statement_of_its_own(
        self, browser, lin, tea, django_assert_max_num_queries
    ):
        for _ in range(40):
            lay(lin, tea.public_id)

        with django_assert_max_num_queries(9):
            page = browser.get("/portal/notices/").content.decode()
        assert "data-unread>40<" in page
        assert page.count("Look at it") == 30
        assert 'rel="next"' in page

    def test_the_bell_counts_no_further_than_99(self, browser, lin, tea):
        Notice.objects.bulk_create(
            Notice(
                public_id=f"ntc_{n}", user=lin.user, merchant=tea.public_id, about="key_ends",
                subjects={"zh-hans": "x", "en": "x"}, page="/portal/", created_at=NOON,
            )
            for n in range(120)
        )  # fmt: skip

        assert "data-unread>99+<" in browser.get("/portal/team/").content.decode()


class TestWhoseTheyAre:
    """Nobody reads another's, and one merchant's not at another."""

    def test_a_colleagues_notice_is_not_there(self, browser, tea):
        mei = hire("mei")
        add_member(merchant_id=tea.pk, user=mei.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        notice = lay(mei, tea.public_id)

        assert notice.subjects["en"] not in browser.get("/portal/notices/").content.decode()
        assert browser.post(f"/portal/notices/{notice.public_id}/").status_code == 404
        browser.post("/portal/notices/read/")
        notice.refresh_from_db()
        assert notice.read_at is None

    def test_of_two_merchants_each_shows_its_own_and_what_concerns_the_person(self, lin, tea):
        books = register_merchant(name="Yunjian Books", actor=SYSTEM, at=NOON)
        add_member(merchant_id=books.pk, user=lin.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        of_tea = lay(lin, tea.public_id)
        lay(lin, template="password_changed")
        client = Client(headers={"accept-language": "en"})
        lin.sign_in(client)
        client.post("/portal/choose/", {"merchant": books.public_id})

        page = client.get("/portal/notices/").content.decode()

        assert of_tea.subjects["en"] not in page
        assert "Your password for" in page
        assert client.post(f"/portal/notices/{of_tea.public_id}/").status_code == 404
        for number in ("ntc_nothing", "%00"):
            assert client.post(f"/portal/notices/{number}/").status_code == 404

    def test_they_go_after_a_year(self, lin, tea):
        lay(lin, tea.public_id)
        lay(lin, tea.public_id, at=NOON + timedelta(days=1))

        assert forget_old_notices(at=NOON + timedelta(days=365, seconds=1)) == 1
        assert Notice.objects.count() == 1


class TestWhatBecomesOne:
    """One place makes notices of letters."""

    def test_papers_keys_and_tickets(self, lin, tea):
        now = timezone.now()
        access = by_member(lin.user, None, address="")
        Term.objects.create(
            merchant=tea, kind=TermKind.LICENCE, last_day=now.date() + timedelta(days=20),
            begun_at=now,
        )  # fmt: skip
        key, _ = create_api_key(
            merchant_id=tea.pk, livemode=False, label="x", scopes=["payments.read"], actor=SYSTEM,
            at=now,
        )  # fmt: skip
        ticket = open_ticket(access=access, by=lin.user, subject="Hm", text="Why?", at=now)

        watch_terms(at=now)
        rotate_api_key(access=access, key=key.public_id, until=None, ends_at=None, at=now)
        gao = hire("gao", roles=["operator"]).user
        answer(side=side_of_staff(gao), ticket=ticket.public_id, text="So.", actor=SYSTEM, at=now)

        assert [(row.about, row.page, row.merchant) for row in Notice.objects.order_by("pk")] == [
            ("paper_runs_out", "/portal/papers/", tea.public_id),
            ("key_rotated", "/portal/keys/", tea.public_id),
            ("ticket_answered", f"/portal/tickets/{ticket.public_id}/", tea.public_id),
        ]

    def test_owners_hear_of_changes_of_the_team_unless_they_did_it(self, lin, tea):
        mei = hire("mei")
        add_member(merchant_id=tea.pk, user=mei.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
        doer = Actor("user", str(mei.user.pk), "mei", "", person=mei.user.pk)
        of_tea = {"merchant_id": tea.pk, "actor": doer, "at": NOON}

        member = invite_member(
            username="wen", display_name="Wen", email="wen@example.com", role=Role.FINANCE,
            **of_tea,
        )  # fmt: skip
        change_member_role(member=member.pk, role=Role.READ_ONLY, reason="x", **of_tea)
        remove_member(member=member.pk, reason="x", **of_tea)

        rows = Notice.objects.filter(about="team_changed")
        assert [row.user_id for row in rows] == [lin.user.pk] * 3
        letters = Letter.objects.filter(about="team_changed").order_by("pk")
        lin.user.language = "en"
        assert len({text_of(row) for row in letters}) == 3


@pytest.mark.parametrize(
    ("language", "doers", "paper"),
    [("en", "zh-hans", "Business licence"), ("zh-hans", "en", "营业执照"), ("", "en", "营业执照")],
)
def test_a_paper_is_named_in_the_readers_language(lin, tea, language, doers, paper):
    """The worker's and the reviewer's language is another than the reader's."""
    now = timezone.now()
    lin.user.language = language
    lin.user.save()
    Term.objects.create(
        merchant=tea, kind=TermKind.LICENCE, last_day=now.date() + timedelta(days=5), begun_at=now
    )

    with override(doers):
        watch_terms(at=now)

    assert paper in text_of(Letter.objects.get())
    assert paper in Notice.objects.get().subjects[language or "zh-hans"]


def test_every_letter_has_a_name_and_every_name_a_letter():
    written = {path.stem for path in Path("templates/letters").glob("*.txt")}

    assert {kind.template for kind in letter_kinds()} == written


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_letter_can_be_written_and_has_a_subject_of_one_line(language):
    for kind in letter_kinds():
        with override(language):
            text = render_to_string(f"letters/{kind.template}.txt", {"numbers": [], "count": 1})
        subject, _, body = text.strip().partition("\n\n")
        assert "\n" not in subject.strip(), kind.template
        assert subject, kind.template
        assert body, kind.template
