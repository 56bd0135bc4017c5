"""Second factors beside the app: passkeys and recovery codes, and how a phone is replaced."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import has_device, remove_all_devices
from compliance.identity.errors import PasskeyRefused
from compliance.identity.letters import send_letters
from compliance.identity.models import Authenticator, RecoverySheet
from compliance.identity.passkeys import remove_passkey
from compliance.identity.recovery import codes_left, make_codes, use_code
from compliance.identity.stepup import Deed, want
from tests.compliance.people import code_now, confirm, hire
from tests.compliance.softkey import PRESENT, SoftKey

pytestmark = pytest.mark.django_db

ORIGIN = "http://localhost:8000"
JSON = "application/json"


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


@pytest.fixture
def lin():
    return hire("lin")


@pytest.fixture
def mine(lin):
    client = browser()
    lin.sign_in(client)
    return client


def actions(user) -> list[str]:
    entries = AuditEntry.objects.filter(subject_id=str(user.pk)).order_by("pk")
    return list(entries.values_list("action", flat=True))


def question(client: Client, page: str) -> dict[str, Any]:
    asked = client.post(page)
    assert asked.status_code == 200, asked.content
    found: dict[str, Any] = asked.json()
    return found


def enrolled(client: Client, key: SoftKey | None = None, name: str = "laptop") -> SoftKey:
    """Through the step-up to a new passkey."""
    key = key or SoftKey(ORIGIN)
    page = confirm(client, client.post("/account/passkeys/new/", {"name": name}))
    assert page.status_code == 200
    credential = key.enrol(question(client, "/account/passkeys/ask/"))
    kept = client.post("/account/passkeys/", {"credential": credential}, content_type=JSON)
    assert kept.status_code == 200, kept.content
    return key


def sign_in(client: Client, key: SoftKey, *, page: str = "", **how: int):
    credential = key.sign(question(client, "/signin/passkey/ask/"), **how)
    said = {"credential": credential, "next": page}
    return client.post("/signin/passkey/", said, content_type=JSON)


class TestPasskey:
    """One click, and both factors are shown."""

    def test_it_signs_in_alone(self, mine, lin):
        key = enrolled(mine)
        fresh = browser()
        answer = sign_in(fresh, key, page="/account/")
        assert answer.json() == {"to": "/account/"}
        assert "laptop" in fresh.get("/account/").content.decode()
        entry = AuditEntry.objects.filter(action="signin.succeeded").latest("pk")
        assert entry.facts["means"] == "passkey"
        assert fresh.session.session_key != mine.session.session_key

    @pytest.mark.parametrize("page", ["//evil.example/", "https://evil.example", "/\\evil"])
    def test_it_leads_nowhere_else(self, mine, page):
        assert sign_in(browser(), enrolled(mine), page=page).json()["to"].startswith("/portal")

    def test_adding_one_asks_for_the_second_factor(self, mine):
        assert mine.post("/account/passkeys/ask/").status_code == 404
        asked = mine.post("/account/passkeys/new/", {"name": "laptop"})
        assert asked["Location"].startswith("/confirm/")
        assert mine.post("/account/passkeys/ask/").status_code == 404
        assert not WebAuthnCredential.objects.exists()

    def test_the_permission_to_add_one_ends(self, mine):
        confirm(mine, mine.post("/account/passkeys/new/", {"name": "laptop"}))
        with after(minutes=6):
            assert mine.post("/account/passkeys/ask/").status_code == 404

    @pytest.mark.parametrize(
        "key",
        [SoftKey("http://evil.example"), SoftKey(ORIGIN, host="evil.example"),
         SoftKey("https://localhost:8000")],
        ids=["other origin", "other host", "other scheme"],
    )  # fmt: skip
    def test_a_device_that_was_asked_by_somebody_else_is_refused(self, mine, key):
        good = enrolled(mine)
        key.number, key.private = good.number, good.private
        key.count = 5
        answer = sign_in(browser(), key)
        assert answer.status_code == 400
        assert "did not do" in answer.json()["detail"]

    def test_a_device_that_did_not_ask_who_is_there_is_refused(self, mine):
        key = enrolled(mine)
        assert sign_in(browser(), key, flags=PRESENT).status_code == 400
        assert sign_in(browser(), key).status_code == 200

    def test_an_answer_counts_once(self, mine):
        key, first = enrolled(mine), browser()
        said = {"credential": key.sign(question(first, "/signin/passkey/ask/"))}
        assert first.post("/signin/passkey/", said, content_type=JSON).status_code == 200
        for thief in (first, browser()):
            thief.post("/signout/")
            assert thief.post("/signin/passkey/", said, content_type=JSON).status_code == 400
        other = browser()
        question(other, "/signin/passkey/ask/")
        assert other.post("/signin/passkey/", said, content_type=JSON).status_code == 400

    def test_an_answer_that_comes_late_is_refused(self, mine):
        key, fresh = enrolled(mine), browser()
        said = {"credential": key.sign(question(fresh, "/signin/passkey/ask/"))}
        with after(minutes=6):
            assert fresh.post("/signin/passkey/", said, content_type=JSON).status_code == 400

    def test_a_copied_key_is_noticed(self, mine):
        key = enrolled(mine)
        assert sign_in(browser(), key).status_code == 200
        key.count = 0
        assert sign_in(browser(), key).status_code == 400

    @pytest.mark.parametrize("said", [
        "", "[]", "{}", '{"credential": null}', '{"credential": {"id": 7}}', "\x00",
        '{"credential": {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}}',
    ])  # fmt: skip
    def test_nonsense_is_refused_in_words(self, said):
        client = browser()
        question(client, "/signin/passkey/ask/")
        answer = client.post("/signin/passkey/", said, content_type=JSON)
        assert answer.status_code == 400
        assert answer.json()["detail"]

    def test_whoever_is_switched_off_stays_out(self, mine, lin):
        key = enrolled(mine)
        lin.user.is_active = False
        lin.user.save()
        assert sign_in(browser(), key).status_code == 400

    def test_it_confirms_a_deed_of_its_owner_only(self, mine, lin):
        key = enrolled(mine)
        with after(minutes=2):
            wei = hire("wei")
            other = browser()
            wei.sign_in(other)
            with after(seconds=31):
                theirs = enrolled(other, name="wei's")
            with after(seconds=62):
                asked = mine.post("/account/recovery/")
                ask, send = f"{asked['Location']}passkey/ask/", f"{asked['Location']}passkey/"
                lie = {"credential": theirs.sign(question(mine, ask))}
                assert mine.post(send, lie, content_type=JSON).status_code == 400
                signin = {"credential": key.sign(question(mine, "/signin/passkey/ask/"))}
                assert mine.post(send, signin, content_type=JSON).status_code == 400
                true = {"credential": key.sign(question(mine, ask))}
                assert mine.post(send, true, content_type=JSON).json()["to"] == asked["Location"]
                assert mine.post("/account/recovery/").status_code == 201

    def test_the_last_factor_stays(self, mine, lin):
        enrolled(mine)
        passkey = WebAuthnCredential.objects.get().pk
        Authenticator.objects.filter(user=lin.user).delete()
        with pytest.raises(PasskeyRefused):
            remove_passkey(user=lin.user, passkey=passkey, actor=SYSTEM, at=timezone.now())
        assert has_device(lin.user)

    def test_nobody_removes_somebody_elses(self, mine):
        enrolled(mine)
        passkey = WebAuthnCredential.objects.get().pk
        with pytest.raises(PasskeyRefused):
            remove_passkey(user=hire("wei").user, passkey=passkey, actor=SYSTEM, at=timezone.now())

    def test_it_is_removed(self, mine, lin):
        key = enrolled(mine)
        passkey = WebAuthnCredential.objects.get()
        with after(seconds=61):
            confirm(mine, mine.post(f"/account/passkeys/{passkey.pk}/remove/"))
        assert not WebAuthnCredential.objects.exists()
        assert sign_in(browser(), key).status_code == 400
        assert actions(lin.user).count("second_factor.removed") == 1

    def test_a_lost_factor_taken_away_takes_all_of_them(self, mine, lin):
        enrolled(mine)
        make_codes(user=lin.user, actor=SYSTEM, at=timezone.now())
        remove_all_devices(user=lin.user, actor=SYSTEM, at=timezone.now())
        assert not has_device(lin.user)
        assert codes_left(lin.user) == 0
        assert lin.type_password(browser())["Location"] == "/signin/enrol/"


class TestRecoveryCodes:
    """For the day when the phone is gone."""

    @pytest.fixture
    def codes(self, mine) -> list[str]:
        page = confirm(mine, mine.post("/account/recovery/"))
        assert page.status_code == 201
        found = re.findall(r"<li>([A-Z2-7-]{19})</li>", page.content.decode())
        assert len(set(found)) == 10
        return found

    def test_one_opens_one_sign_in(self, codes, lin):
        fresh = browser()
        lin.type_password(fresh)
        assert fresh.post("/signin/code/", {"code": codes[3].lower()}).status_code == 302
        assert fresh.get("/account/").status_code == 200
        assert codes_left(lin.user) == 9
        again = browser()
        lin.type_password(again)
        told = again.post("/signin/code/", {"code": codes[3]})
        assert "none of your recovery codes" in told.content.decode()
        send_letters(at=timezone.now())
        assert mail.outbox[-1].to == [lin.user.email]
        assert {"recovery_codes.made", "recovery_codes.used"} <= set(actions(lin.user))

    def test_new_ones_kill_the_old(self, codes, lin):
        make_codes(user=lin.user, actor=SYSTEM, at=timezone.now())
        now = timezone.now()
        assert use_code(user=lin.user, code=codes[0], actor=SYSTEM, at=now) is None

    def test_they_are_kept_nowhere(self, codes, lin):
        held = str(RecoverySheet.objects.get().digests)
        assert not any(code in held for code in codes)
        told = str(list(AuditEntry.objects.values_list("facts", flat=True)))
        assert not any(code in told for code in codes)

    def test_somebody_elses_do_not_do(self, codes):
        wei = hire("wei").user
        make_codes(user=wei, actor=SYSTEM, at=timezone.now())
        assert use_code(user=wei, code=codes[0], actor=SYSTEM, at=timezone.now()) is None

    def test_they_change_factors_and_nothing_else(self, codes, lin, mine):
        asked = mine.post("/account/authenticator/")
        assert mine.post(asked["Location"], {"code": codes[0]}).status_code == 302
        other = want(
            user=lin.user, session=mine.session.session_key or "", path="/portal/keys/", form=[],
            deed=Deed("api_key.create", "Create an API key", ()), at=timezone.now(),
        )  # fmt: skip
        told = mine.post(f"/confirm/{other.public_id}/", {"code": codes[1]})
        assert told.status_code == 200
        assert told.context["form"].errors["code"]
        other.refresh_from_db()
        assert other.passed_at is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_one_code_at_once_one_gets_in():
    lin = hire("lin").user
    code = make_codes(user=lin, actor=SYSTEM, at=timezone.now())[0]

    def use(_: int) -> bool:
        try:
            return use_code(user=lin, code=code, actor=SYSTEM, at=timezone.now()) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == [False] * 7 + [True]


class TestAnotherPhone:
    """The app until now does until the new one's first code."""

    def secret(self, page: str) -> str:
        [shown] = re.findall(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", page)
        return str(shown).replace(" ", "")

    def test_from_the_old_app_to_the_new_one(self, mine, lin):
        other = browser()
        with after(seconds=31):
            lin.sign_in(other)
        with after(seconds=62):
            done = confirm(mine, mine.post("/account/authenticator/"))
            assert done["Location"] == "/account/authenticator/new/"
            page = mine.get("/account/authenticator/new/").content.decode()
            secret = self.secret(page)
            wrong = mine.post("/account/authenticator/new/", {"code": "000000"})
            assert wrong.status_code == 200
            with after(seconds=5):
                right = mine.post("/account/authenticator/new/", {"code": code_now(secret=secret)})
            assert right["Location"] == "/account/"
            assert mine.get("/account/").status_code == 200
            assert other.get("/account/").status_code == 302
            assert Authenticator.objects.filter(confirmed=True).get().secret == secret
            assert base64.b32decode(secret)

    def test_without_the_second_factor_nothing_is_enrolled(self, mine):
        assert mine.get("/account/authenticator/new/")["Location"] == "/account/"
        assert mine.post("/account/authenticator/new/", {"code": "1"})["Location"] == "/account/"
        assert Authenticator.objects.count() == 1
