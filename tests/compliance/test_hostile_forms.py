"""What strangers plant in forms, addresses and cookies of the pages on which people sign in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponseRedirect
from django.test import Client
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from compliance.audit.actor import SYSTEM
from compliance.identity.models import RoleGrant, User
from compliance.identity.people import invite
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import Role
from merchants.models import Member
from tests.compliance.people import NOON, PASSWORD, SECRET, Person, code_now, confirm, hire
from tests.compliance.softkey import SoftKey
from tests.compliance.test_factors import JSON, enrolled, question, sign_in
from tests.compliance.test_joining import GOOD, INVITATION, after, browser, mailed
from tests.compliance.test_signin import EVIL

pytestmark = pytest.mark.django_db

PLANTED_KEY = "0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def lin():
    """Lin, who owns a tea shop."""
    person = hire("lin")
    tea = register_merchant(name="Mingshan Tea", actor=SYSTEM, at=NOON)
    add_member(merchant_id=tea.pk, user=person.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    return person


def signed_in(person: Person) -> Client:
    client = browser()
    person.sign_in(client)
    return client


# --- addresses ------------------------------------------------------------------------------------


def at_the_password(lin: Person, evil: str) -> Any:
    client = browser()
    lin.type_password(client, page=evil)
    return client.post("/signin/code/", {"code": code_now(), "next": evil})


def at_the_password_by_query(lin: Person, evil: str) -> Any:
    client = browser()
    client.post("/signin/", {"username": "lin", "password": PASSWORD}, query_params={"next": evil})
    return client.post("/signin/code/", {"code": code_now()}, query_params={"next": evil})


def at_the_sign_in_of_whoever_is_in(lin: Person, evil: str) -> Any:
    return signed_in(lin).get("/signin/", {"next": evil})


def at_the_admins_door(lin: Person, evil: str) -> Any:
    return browser().get("/admin/login/", {"next": evil})


def at_the_admins_door_of_the_staff(lin: Person, evil: str) -> Any:
    return signed_in(hire("wei", roles=["administrator"])).get("/admin/login/", {"next": evil})


def at_sign_out(lin: Person, evil: str) -> Any:
    return signed_in(lin).post("/signout/", {"next": evil}, query_params={"next": evil})


def at_the_choice_of_a_merchant(lin: Person, evil: str) -> Any:
    number = Member.objects.get().merchant.public_id
    form = {"merchant": number, "next": evil}
    return signed_in(lin).post("/portal/choose/", form, query_params={"next": evil})


def at_the_language(lin: Person, evil: str) -> Any:
    line = re.sub(r"[\r\n]", "", evil)  # No header holds the end of a line.
    form = {"language": "en", "next": evil}
    return browser().post("/i18n/setlang/", form, headers={"referer": line})


def at_the_own_password(lin: Person, evil: str) -> Any:
    form = {"old": PASSWORD, "password": GOOD, "again": GOOD, "code": code_now(steps=1)}
    form |= {"next": evil}
    return signed_in(lin).post("/account/password/", form, query_params={"next": evil})


def behind_a_link(lin: Person, evil: str) -> Any:
    client = browser()
    client.post("/signin/forgotten/", {"email": lin.user.email, "next": evil})
    client.get(mailed(), query_params={"next": evil})
    return client.post("/link/", {"password": GOOD, "again": GOOD, "next": evil})


def behind_a_link_that_signs_in(lin: Person, evil: str) -> Any:
    client = browser()
    asked = {"email": lin.user.email, "kind": "signin", "next": evil}
    client.post("/signin/forgotten/", asked)
    client.get(mailed())
    client.post("/link/", {"next": evil}, query_params={"next": evil})
    return client.post("/signin/code/", {"code": code_now(), "next": evil})


def at_the_passkey(lin: Person, evil: str) -> Any:
    key = enrolled(signed_in(lin))
    said = sign_in(browser(), key, page=evil).json()
    return HttpResponseRedirect(said["to"])


def at_the_second_look(lin: Person, evil: str) -> Any:
    client = signed_in(lin)
    key = {"label": "till", "scopes": ["payments.read"], "next": evil, "back": evil}
    asked: Any = client.post("/portal/keys/", key, query_params={"next": evil, "back": evil})
    passed: Any = client.post(asked.url, {"code": code_now(steps=1), "next": evil, "back": evil})
    ready = client.get(passed.url)
    assert ready.context["wanted"].path.startswith("/portal/keys/?next=")
    assert ready.context["wanted"].back.startswith("/portal/keys/?next=")
    return passed


DOORS: list[Callable[[Person, str], Any]] = [
    at_the_password, at_the_password_by_query, at_the_sign_in_of_whoever_is_in, at_the_admins_door,
    at_the_admins_door_of_the_staff, at_sign_out, at_the_choice_of_a_merchant, at_the_language,
    at_the_own_password, behind_a_link, behind_a_link_that_signs_in, at_the_passkey,
    at_the_second_look,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("evil", [one for one in EVIL if 0 < len(one) < 200])
@pytest.mark.parametrize("door", DOORS)
def test_no_page_leads_away_from_here(lin, door, evil):
    answer = door(lin, evil)
    assert answer.status_code in {204, 302}
    assert leads_here(answer.headers.get("Location", "/"))


def leads_here(location: str) -> bool:
    """As browsers read it: they drop line ends and tabs, and take a backslash for a slash."""
    read = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    return not re.match(r"//|[a-z][a-z0-9+.-]*:", read, re.IGNORECASE)


# --- cookies --------------------------------------------------------------------------------------


def by_password(client: Client, lin: Person) -> None:
    lin.sign_in(client)


def by_enrolling(client: Client, lin: Person) -> None:
    fresh = hire("fresh", has_device=False)
    fresh.type_password(client)
    secret = client.get("/signin/enrol/").context["secret"].replace(" ", "")
    client.post("/signin/enrol/", {"code": code_now(secret=secret)})


def by_link(client: Client, lin: Person) -> None:
    client.post("/signin/forgotten/", {"email": lin.user.email, "kind": "signin"})
    client.get(mailed())
    client.post("/link/")
    client.post("/signin/code/", {"code": code_now()})


def by_passkey(client: Client, lin: Person) -> None:
    with after(seconds=-120):
        key = enrolled(signed_in(lin))
    sign_in(client, key)


@pytest.mark.parametrize("way", [by_password, by_enrolling, by_link, by_passkey])
class TestAPlantedSession:
    """Whoever planted a session's key in a browser does not get in with its owner."""

    def test_a_key_from_nowhere_is_not_taken(self, lin, way):
        mine, thief = browser(), browser()
        for client in (mine, thief):
            client.cookies["sessionid"] = PLANTED_KEY
        way(mine, lin)
        assert mine.get("/account/").status_code == 200
        assert mine.cookies["sessionid"].value != PLANTED_KEY
        assert thief.get("/account/").status_code == 302

    def test_a_key_that_the_thief_got_from_here_is_not_taken(self, lin, way):
        thief, mine = browser(), browser()
        thief.get("/link/signin/anything/")
        planted = thief.cookies["sessionid"].value
        mine.cookies["sessionid"] = planted
        way(mine, lin)
        assert mine.get("/account/").status_code == 200
        assert mine.cookies["sessionid"].value != planted
        assert thief.get("/account/").status_code == 302
        assert thief.get("/signin/code/").status_code == 302

    def test_the_session_between_the_steps_is_another_one_too(self, lin, way):
        mine = browser()
        keys = []
        send = mine.request

        def follow(**request: Any) -> Any:
            answer = send(**request)
            if "sessionid" in mine.cookies:
                keys.append(mine.cookies["sessionid"].value)
            return answer

        mine.request = follow  # type: ignore[method-assign]
        way(mine, lin)
        assert mine.get("/account/").status_code == 200
        for key in set(keys) - {mine.cookies["sessionid"].value}:
            thief = browser()
            thief.cookies["sessionid"] = key
            assert thief.get("/account/").status_code == 302


# --- fields ---------------------------------------------------------------------------------------

EXTRA = {
    "is_staff": "on", "is_superuser": "on", "is_verified": "on", "is_active": "", "user": "1",
    "username": "root", "email": "thief@example.com", "new_email": "thief@example.com",
    "display_name": "Thief", "person_ref": "another human", "session_epoch": "0", "id": "1",
    "pk": "1", "role": "administrator", "roles": "administrator", "groups": "1",
    "user_permissions": "1", "merchant": "1", "otp_device": "1", "confirmed": "on",
    "secret": SECRET, "password1": "thief thief thief", "password2": "thief thief thief",
    "usable_password": "false", "language": "en", "kind": "password", "date_joined": "2020-01-01",
}  # fmt: skip


def facts_of(user: User) -> dict[str, Any]:
    """All that a row says of a person but what signing in itself changes."""
    row = User.objects.filter(pk=user.pk).values().get()
    return {name: value for name, value in row.items() if name != "last_login"}


def extra(**form: Any) -> dict[str, Any]:
    return {**EXTRA, **form}


class TestFieldsThatNoFormHas:
    """A form sets what it shows, and nothing else."""

    @pytest.fixture(autouse=True)
    def nobody_gets_more(self, lin):
        """Whatever a story posts, no role, right or second account comes of it."""
        yield
        assert not User.objects.filter(is_superuser=True).exists()
        assert not User.objects.filter(username="root").exists()
        assert not User.objects.filter(email="thief@example.com").exists()
        assert not RoleGrant.objects.exclude(user__username="wei").exists()
        assert not User.objects.exclude(username="wei").filter(is_staff=True).exists()

    def test_signing_in(self, lin):
        before, client = facts_of(lin.user), browser()
        client.post("/signin/", extra(username="lin", password=PASSWORD))
        client.post("/signin/code/", extra(code=code_now()))
        assert client.get("/account/").status_code == 200
        assert facts_of(lin.user) == before

    def test_enrolling(self):
        fresh, client = hire("fresh", has_device=False), browser()
        before = facts_of(fresh.user)
        fresh.type_password(client)
        client.get("/signin/enrol/")
        answer = client.post("/signin/enrol/", extra(code=code_now(secret=SECRET)))
        assert answer.status_code == 200, "the thief's own secret is none"
        assert client.get("/account/").status_code == 302
        assert facts_of(fresh.user) == before

    def test_asking_for_a_link(self, lin):
        before = facts_of(lin.user)
        browser().post("/signin/forgotten/", extra(email=lin.user.email))
        assert facts_of(lin.user) == before

    def test_choosing_a_password(self, lin):
        before, client = facts_of(lin.user), browser()
        client.post("/signin/forgotten/", {"email": lin.user.email})
        client.get(mailed())
        client.post("/link/", extra(password=GOOD, again=GOOD))
        after_it = facts_of(lin.user)
        changed = {name for name in before if before[name] != after_it[name]}
        assert changed == {"password", "session_epoch"}
        lin.user.refresh_from_db()
        assert lin.user.check_password(GOOD)

    def test_accepting_an_invitation(self):
        yun = invite(
            username="yun", display_name="云舒", email="yun@example.com", actor=SYSTEM,
            at=timezone.now(),
        )  # fmt: skip
        before, client = facts_of(yun), browser()
        client.get(mailed())
        client.post("/link/", extra(password=GOOD, again=GOOD))
        after_it = facts_of(yun)
        changed = {name for name in before if before[name] != after_it[name]}
        assert changed == {"password", "session_epoch"}

    def test_changing_the_own_password(self, lin):
        before, client = facts_of(lin.user), signed_in(lin)
        form = extra(old=PASSWORD, password=GOOD, again=GOOD, code=code_now(steps=1))
        assert client.post("/account/password/", form).status_code == 302
        changed = {name for name, value in facts_of(lin.user).items() if value != before[name]}
        assert changed == {"password"}

    def test_ending_sessions(self, lin):
        before, client = facts_of(lin.user), signed_in(lin)
        client.post("/account/sessions/end/", extra(session="others"))
        client.post("/account/session/", EXTRA)
        client.post("/signout/", EXTRA)
        assert facts_of(lin.user) == before

    def test_showing_the_second_factor_again(self, lin):
        before, client = facts_of(lin.user), signed_in(lin)
        key = extra(label="till", scopes=["payments.read"], livemode="on", secret="sk_live_mine")
        answer = confirm(client, client.post("/portal/keys/", key))
        assert answer.status_code == 201
        made = Member.objects.get().merchant.api_keys.get()
        assert (made.label, made.livemode, made.scopes) == ("till", False, ["payments.read"])
        assert "sk_live_mine" not in answer.content.decode()
        assert facts_of(lin.user) == before

    def test_adding_a_passkey_and_signing_in_with_it(self, lin):
        yun, before, client = hire("yun").user, facts_of(lin.user), signed_in(lin)
        theirs = {"user": yun.pk, "user_id": yun.pk, "username": "yun", "sign_count": 9}
        asked = client.post("/account/passkeys/new/", extra(name="laptop"))
        confirm(client, asked)
        key = SoftKey("http://localhost:8000")
        credential = {**key.enrol(question(client, "/account/passkeys/ask/")), **theirs}
        kept = {**EXTRA, **theirs, "credential": credential}
        assert client.post("/account/passkeys/", kept, content_type=JSON).status_code == 200
        assert WebAuthnCredential.objects.get().user == lin.user

        fresh = browser()
        shown = {**key.sign(question(fresh, "/signin/passkey/ask/")), **theirs}
        said = {**EXTRA, **theirs, "credential": shown}
        assert fresh.post("/signin/passkey/", said, content_type=JSON).status_code == 200
        assert fresh.get("/account/").context["person"] == lin.user
        assert facts_of(lin.user) == before

    def test_the_administrators_forms_of_a_person(self, lin):
        office = signed_in(hire("wei", roles=["administrator"]))
        before = facts_of(lin.user)
        person = f"/admin/compliance/user/{lin.user.pk}"
        grants = {
            "role_grants-TOTAL_FORMS": "1", "role_grants-INITIAL_FORMS": "0",
            "role_grants-0-role": "administrator", "role_grants-0-user": str(lin.user.pk),
        }  # fmt: skip
        form = extra(username="lin", display_name="Lin Two", is_active="on", language="en")
        assert office.post(f"{person}/change/", form | grants).status_code == 302
        changed = {name: value for name, value in facts_of(lin.user).items()
                   if value != before[name]}  # fmt: skip
        assert changed == {"display_name": "Lin Two", "language": "en"}

    def test_the_administrators_other_doors_to_a_person(self, lin):
        office = signed_in(hire("wei", roles=["administrator"]))
        before = facts_of(lin.user)
        person = f"/admin/compliance/user/{lin.user.pk}"
        for page in ("password", "delete", "link"):
            office.post(f"{person}/{page}/", extra(post="yes"))
        office.post(f"{person}/sessions/", dict.fromkeys(EXTRA, "x"))
        office.post("/admin/compliance/user/", extra(action="delete_selected", post="yes"))
        office.post("/admin/compliance/user/?_to_field=id&_popup=1", EXTRA)
        office.post("/admin/compliance/user/", {
            **EXTRA, "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id":
            str(lin.user.pk), "form-0-is_superuser": "on", "_save": "Save",
        })  # fmt: skip
        assert facts_of(lin.user) == before

    def test_sending_a_link_sends_it_where_it_belongs(self, lin):
        office = signed_in(hire("wei", roles=["administrator"]))
        before = facts_of(lin.user)
        sent = office.post(f"/admin/compliance/user/{lin.user.pk}/link/", EXTRA)
        assert confirm(office, sent).status_code == 302
        mailed()
        assert mail.outbox[-1].to == [lin.user.email]
        assert facts_of(lin.user) == before

    def test_the_administrators_own_person(self):
        wei = hire("wei", roles=["administrator"])
        office = signed_in(wei)
        office.post(f"/admin/compliance/user/{wei.user.pk}/change/", extra(
            username="wei", display_name="Wei", is_active="on",
            **{"role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0"},
        ))  # fmt: skip
        wei.user.refresh_from_db()
        assert not wei.user.is_superuser
        assert wei.user.email == "wei@example.com"
        assert list(wei.user.role_grants.values_list("role", flat=True)) == ["administrator"]

    def test_an_invitation_names_no_role(self, lin):
        office = signed_in(hire("wei", roles=["administrator"]))
        made = {**EXTRA, **INVITATION, "role_grants-TOTAL_FORMS": "1",
                "role_grants-INITIAL_FORMS": "0", "role_grants-0-role": "auditor"}  # fmt: skip
        assert office.post("/admin/compliance/user/add/", made).status_code == 302
        yun = User.objects.get(username="yun")
        assert (yun.is_active, yun.is_staff, yun.has_usable_password()) == (True, False, False)

    def test_asking_for_another_address_changes_none(self, lin):
        office = signed_in(hire("wei", roles=["administrator"]))
        before = facts_of(lin.user)
        with after(seconds=31):
            page = f"/admin/compliance/approval/email/{lin.user.pk}/"
            wish = {**EXTRA, "email": "lin.new@example.com", "reason": "married",
                    "state": "executed", "checker": "1"}  # fmt: skip
            assert office.post(page, wish).status_code == 302
        assert facts_of(lin.user) == before
