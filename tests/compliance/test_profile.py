"""What everybody sets for themselves: name, language, time zone, letters, and no phone any more."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.models import AuditEntry
from compliance.identity.letter_kinds import letter_kinds, optional_kinds
from compliance.identity.letters import write_letter
from compliance.identity.models import Letter, Phone, SentCode, User
from compliance.identity.notice_models import Notice
from compliance.identity.zones import zone_names, zone_of
from compliance.protection.fields import unseal
from tests.compliance.people import NOON, confirm, hire

pytestmark = pytest.mark.django_db

BERLIN = {"display_name": "Lin Lan", "language": "en", "time_zone": "Europe/Berlin"}


@pytest.fixture
def lin():
    return hire("lin")


@pytest.fixture
def browser(lin):
    client = Client()
    lin.sign_in(client)
    return client


def text_of(row: Letter) -> str:
    return unseal(row.body_sealed, bound_to=f"letter:{row.public_id}")


class TestProfile:
    """Lin moves to Berlin."""

    def test_pages_and_letters_tell_times_there_and_in_english(self, lin, browser):
        answer = browser.post("/account/profile/", BERLIN)

        assert answer.url == "/account/"
        page = browser.get("/account/").content.decode()
        here = timezone.now().astimezone(ZoneInfo("Europe/Berlin"))
        assert f"since {here:%Y-%m-%d %H}" in page
        lin.user.refresh_from_db()
        at = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
        write_letter(lin.user, "password_changed", at=at, when=at)
        assert "2026-11-23 05:00" in text_of(Letter.objects.get())

    def test_the_zone_of_one_page_is_not_that_of_the_next_reader(self, browser):
        browser.post("/account/profile/", BERLIN)
        browser.get("/account/")

        assert timezone.get_current_timezone_name() == "Asia/Shanghai"

    def test_the_language_holds_unless_the_browser_has_chosen(self, browser):
        browser.post("/account/profile/", BERLIN)
        assert "My account" in browser.get("/account/").content.decode()

        browser.cookies.pop("django_language")
        page = browser.get("/account/")
        assert "My account" in page.content.decode()
        assert page["Content-Language"] == "en"
        browser.cookies["django_language"] = "zh-hans"
        assert "我的账户" in browser.get("/account/").content.decode()

    def test_the_trail_has_the_change_and_no_name(self, lin, browser):
        browser.post("/account/profile/", BERLIN)

        entry = AuditEntry.objects.get(action="person.changed")
        assert entry.facts["fields"] == ["display_name", "language", "time_zone"]
        assert (entry.before["time_zone"], entry.after["time_zone"]) == ("", "Europe/Berlin")
        assert "Lin Lan" not in str(entry.after)

    def test_the_same_again_is_not_told(self, browser):
        browser.post("/account/profile/", BERLIN)
        browser.post("/account/profile/", BERLIN)

        assert AuditEntry.objects.filter(action="person.changed").count() == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"time_zone": "Mars/Olympus"}, {"language": "tlh"}, {"display_name": ""},
         {"time_zone": "../../etc/passwd"}, {"display_name": "x" * 101}],
    )  # fmt: skip
    def test_a_wrong_form_changes_nothing(self, lin, browser, wrong):
        page = browser.post("/account/profile/", {**BERLIN, **wrong})

        assert 'class="error"' in page.content.decode()
        assert User.objects.get(pk=lin.user.pk).display_name == "Lin"

    def test_the_platforms_own_zone_is_kept_as_none(self, lin, browser):
        browser.post("/account/profile/", BERLIN)
        browser.post("/account/profile/", {**BERLIN, "time_zone": "Asia/Shanghai"})

        lin.user.refresh_from_db()
        assert (lin.user.time_zone, str(zone_of(lin.user))) == ("", "Asia/Shanghai")

    def test_a_zone_that_is_gone_is_the_platforms(self, lin):
        lin.user.time_zone = "Europe/Atlantis"

        assert str(zone_of(lin.user)) == "Asia/Shanghai"

    @given(st.sampled_from(zone_names()))
    def test_every_zone_that_is_offered_is_known(self, name):
        assert str(zone_of(User(time_zone=name))) == name


class TestLetters:
    """Which come."""

    def test_what_is_switched_off_comes_no_more_and_stands_in_the_portal(self, lin, browser):
        keep = [kind.template for kind in optional_kinds(is_staff=False)]
        keep.remove("paper_runs_out")
        browser.post("/account/letters/", {"wanted": keep})
        lin.user.refresh_from_db()

        write_letter(
            lin.user, "paper_runs_out", at=NOON, merchant="mch_x", paper="x", last_day=NOON
        )
        write_letter(lin.user, "renewal_decided", at=NOON, merchant="mch_x", paper="x")

        assert [row.about for row in Letter.objects.all()] == ["renewal_decided"]
        assert [row.about for row in Notice.objects.order_by("pk")] == [
            "paper_runs_out", "renewal_decided",
        ]  # fmt: skip

    def test_letters_about_security_always_come(self, lin, browser):
        browser.post("/account/letters/", {"wanted": []})
        User.objects.update(letters_off=[kind.template for kind in letter_kinds()])
        lin.user.refresh_from_db()

        for template in ("password_changed", "key_rotated", "team_changed", "password"):
            write_letter(lin.user, template, at=NOON, when=NOON)

        assert Letter.objects.count() == 4

    def test_nobody_switches_off_what_is_not_offered(self, lin, browser):
        page = browser.post("/account/letters/", {"wanted": ["password_changed"]})

        assert 'class="error"' in page.content.decode()
        lin.user.refresh_from_db()
        assert lin.user.letters_off == []


class TestPhone:
    """Taken away, with the second factor."""

    @pytest.fixture
    def phone(self, lin):
        return Phone.objects.create(
            public_id="phn_1", user=lin.user, number_sealed="13800005678", created_at=NOON,
            confirmed_at=NOON,
        )  # fmt: skip

    def test_it_goes_and_lin_is_told(self, lin, browser, phone):
        SentCode.objects.create(
            name="x", user=lin.user, means="sms", purpose="signin", session=b"s", digest=b"d",
            created_at=NOON,
        )  # fmt: skip

        confirm(browser, browser.post("/account/phone/remove/"))

        assert not Phone.objects.exists()
        assert SentCode.objects.get().used_at is not None
        assert Letter.objects.get().about == "phone_removed"
        assert (
            AuditEntry.objects.get(action="person.phone_removed").facts["phone"].startswith("138**")
        )

    def test_not_without_the_second_factor(self, browser, phone):
        assert browser.post("/account/phone/remove/").url.startswith("/confirm/")
        assert Phone.objects.exists()

    def test_without_a_phone_the_page_says_so(self, browser):
        page = browser.post("/account/phone/remove/", follow=True)

        assert page.status_code == 200
        assert not AuditEntry.objects.filter(action="person.phone_removed").exists()


def test_a_person_of_the_staff_has_letters_and_no_notices():
    gao = hire("gao", roles=["operator"])

    write_letter(gao.user, "password_changed", at=NOON, when=NOON)

    assert (Letter.objects.count(), Notice.objects.count()) == (1, 0)
