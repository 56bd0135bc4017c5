"""Codes by e-mail and text message: for one person, one purpose, one session, ten minutes."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from alibabacloud_openapi_util.client import Client as Aliyun
from django.core import mail
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity import sms
from compliance.identity.letters import send_letters
from compliance.identity.models import Letter, MailedLink, Phone, SentCode
from compliance.identity.people import send_password_link
from compliance.identity.sent_codes import TRIES_MAX
from compliance.identity.sms import AliyunSms, SmsNotSent, signed_headers
from tests.compliance.people import PASSWORD, confirm, hire

pytestmark = pytest.mark.django_db

NUMBER = "13912345678"
OUTBOX: list[tuple[str, str]] = []


class Phones:
    """Keeps what is sent."""

    def send(self, *, number: str, code: str) -> None:
        OUTBOX.append((number, code))


@pytest.fixture(autouse=True)
def _phones(settings):
    settings.SMS_SENDER = "tests.compliance.test_sent_codes.Phones"
    OUTBOX.clear()


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


@pytest.fixture
def lin():
    return hire("lin")


def waiting(lin) -> Client:
    """A browser that has passed the password."""
    client = browser()
    client.post("/signin/", {"username": "lin", "password": PASSWORD})
    return client


def mailed() -> str:
    send_letters(at=timezone.now())
    found: list[str] = re.findall(r"\b(\d{6})\b", str(mail.outbox[-1].body))
    return found[0]


def ask(client: Client, means: str = "email") -> Any:
    return client.post("/signin/send/", {"means": means})


def try_code(client: Client, code: str) -> bool:
    return client.post("/signin/sent/", {"code": code}).status_code == 302


def with_phone(lin) -> None:
    Phone.objects.create(
        public_id="phn_00000000000000000000000000", user=lin.user, number_sealed=NUMBER,
        created_at=timezone.now(), confirmed_at=timezone.now(),
    )  # fmt: skip


class TestByEmail:
    """A second factor for the day without the app."""

    def test_it_opens_the_sign_in(self, lin):
        client = waiting(lin)
        assert "Send a code by e-mail" in client.get("/signin/code/").content.decode()
        assert ask(client)["Location"] == "/signin/sent/"
        code = mailed()
        assert try_code(client, code)
        assert client.get("/account/").status_code == 200
        entry = AuditEntry.objects.get(action="signin.succeeded")
        assert entry.facts["means"] == "password, code that was sent"
        assert code not in str(list(AuditEntry.objects.values_list("facts", flat=True)))

    def test_it_counts_once(self, lin):
        client = waiting(lin)
        ask(client)
        code = mailed()
        assert try_code(client, code)
        assert not try_code(waiting(lin), code)

    def test_another_browser_opens_nothing_with_it(self, lin):
        client, thief = waiting(lin), waiting(lin)
        ask(client)
        code = mailed()
        assert not try_code(thief, code)
        assert try_code(client, code)

    def test_it_lasts_ten_minutes(self, lin):
        with time_machine.travel(timezone.now()) as clock:
            client = waiting(lin)
            clock.shift(timedelta(seconds=5))
            ask(client)
            code = mailed()
            sent = SentCode.objects.get()
            SentCode.objects.update(created_at=sent.created_at - timedelta(minutes=10))
            assert not try_code(client, code)
            SentCode.objects.update(created_at=sent.created_at - timedelta(minutes=9, seconds=50))
            assert try_code(client, code)

    def test_guessing_kills_it(self, lin):
        client = waiting(lin)
        ask(client)
        code = mailed()
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        assert not any(try_code(client, wrong) for _ in range(TRIES_MAX))
        assert not try_code(client, code)
        deeds = AuditEntry.objects.filter(action="second_factor.refused")
        assert deeds.count() == TRIES_MAX

    def test_the_next_one_kills_the_last_one(self, lin):
        client = waiting(lin)
        ask(client)
        first = mailed()
        with after(seconds=61):
            ask(client)
            second = mailed()
            assert first == second or not try_code(client, first)
            assert try_code(client, second)

    def test_one_a_minute_five_an_hour_ten_a_day(self, lin):
        answers = []
        hour = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        for minute in (0, 0.5, 2, 4, 6, 8, 10):  # Limits count in windows of the clock.
            with time_machine.travel(hour + timedelta(minutes=minute)):
                answers.append(ask(waiting(lin)).status_code)
        assert answers.count(302) == 5
        assert answers[1] == answers[-1] == 429

    def test_before_the_password_nothing_is_sent(self, lin):
        assert ask(browser())["Location"] == "/signin/"
        assert not Letter.objects.exists()

    def test_a_mailbox_alone_opens_no_account(self, lin):
        asked = browser()
        asked.post("/signin/forgotten/", {"email": lin.user.email, "kind": "signin"})
        send_letters(at=timezone.now())
        [path] = re.findall(r"http://[^/\s]+(/link/\S+)", str(mail.outbox[-1].body))
        asked.get(path)
        asked.post("/link/")
        assert "Send a code by e-mail" not in asked.get("/signin/code/").content.decode()
        assert ask(asked).status_code == 404

    def test_nor_after_a_password_that_came_by_mail(self, lin):
        send_password_link(user=lin.user, actor=SYSTEM, at=timezone.now())
        MailedLink.objects.update(ended_at=timezone.now(), is_used=True)
        assert ask(waiting(lin)).status_code == 404
        with after(hours=25):
            assert ask(waiting(lin)).status_code == 302

    def test_a_stranger_who_asks_for_links_takes_nobodys_codes_away(self, lin):
        for _ in range(2):
            browser().post("/signin/forgotten/", {"email": lin.user.email, "kind": "password"})
        assert ask(waiting(lin)).status_code == 302


class TestByText:
    """To the phone that its owner has confirmed."""

    def test_a_phone_is_set_and_a_code_to_it_opens_the_sign_in(self, lin):
        client = browser()
        lin.sign_in(client)
        sent = confirm(client, client.post("/account/phone/", {"number": "+86 139 1234 5678"}))
        assert sent["Location"] == "/account/phone/confirm/"
        send_letters(at=timezone.now())
        [(number, code)] = OUTBOX
        assert number == NUMBER
        wrong = client.post(
            "/account/phone/confirm/", {"code": "000000" if code != "000000" else "1"}
        )
        assert wrong.status_code == 200
        assert client.post("/account/phone/confirm/", {"code": code}).status_code == 302
        page = client.get("/account/").content.decode()
        assert NUMBER not in page
        assert "139******78" in page
        with after(seconds=61):
            other = waiting(lin)
            assert "139******78" in other.get("/signin/code/").content.decode()
            ask(other, "sms")
            send_letters(at=timezone.now())
            assert try_code(other, OUTBOX[-1][1])

    def test_a_code_to_sign_in_never_goes_to_a_phone_that_is_only_offered(self, lin):
        with_phone(lin)
        Phone.objects.create(
            public_id="phn_00000000000000000000000001", user=lin.user,
            number_sealed="13800000000", created_at=timezone.now(),
        )  # fmt: skip
        ask(waiting(lin), "sms")
        send_letters(at=timezone.now())
        assert [number for number, _code in OUTBOX] == [NUMBER]

    def test_a_code_for_the_phone_does_not_sign_in(self, lin):
        client = browser()
        lin.sign_in(client)
        confirm(client, client.post("/account/phone/", {"number": NUMBER}))
        send_letters(at=timezone.now())
        assert not try_code(waiting(lin), OUTBOX[-1][1])

    @pytest.mark.parametrize(
        "number", ["", "12345", "010-12345678", "+1 555 123 4567", "1391234567x"]
    )
    def test_other_numbers_are_refused_in_words(self, lin, number):
        client = browser()
        lin.sign_in(client)
        answer = client.post("/account/phone/", {"number": number}, follow=True)
        assert answer.redirect_chain[-1][0] == "/account/"
        assert not Phone.objects.exists()

    def test_the_number_is_sealed(self, lin):
        with_phone(lin)
        [held] = Phone.objects.extra(select={"raw": "number_sealed"}).values_list("raw", flat=True)
        assert held.startswith("v1:")
        assert NUMBER not in held

    def test_without_a_provider_nobody_is_offered_it(self, lin, settings):
        with_phone(lin)
        settings.SMS_SENDER = ""
        client = waiting(lin)
        assert "139***" not in client.get("/signin/code/").content.decode()
        assert ask(client, "sms").status_code == 404

    @pytest.mark.parametrize("means", ["", "fax", "EMAIL", "email'"])
    def test_no_other_means(self, lin, means):
        assert ask(waiting(lin), means).status_code == 404


class TestAliyun:
    """The one real provider, against its own maker's signer and a stand-in for its server."""

    ACCOUNT = {
        "key_id": "LTAI-test", "key_secret": "s3cret", "sign_name": "茗山茶业",
        "template": "SMS_1234567",
    }  # fmt: skip

    def test_it_is_signed_as_the_makers_own_library_signs(self):
        query = {"PhoneNumbers": NUMBER, "SignName": "茗山 茶业~*'", "TemplateCode": "SMS_1",
                 "TemplateParam": '{"code": "012345"}'}  # fmt: skip
        headers = signed_headers(
            host="dysmsapi.aliyuncs.com", action="SendSms", version="2017-05-25", query=query,
            key_id="LTAI-test", key_secret="s3cret", nonce="abc",
            at=datetime(2026, 11, 23, 4, tzinfo=UTC),
        )  # fmt: skip
        assert headers.pop("authorization") == self.makers(query, dict(headers))

    def makers(self, query: dict[str, str], headers: dict[str, str]) -> str:
        class Asked:
            method, pathname = "POST", "/"

        asked: Any = Asked()
        asked.query, asked.headers = query, headers
        payload = headers["x-acs-content-sha256"]
        told: str = Aliyun.get_authorization(asked, sms.ALGORITHM, payload, "LTAI-test", "s3cret")
        return told

    @pytest.fixture
    def server(self, monkeypatch, settings):
        """Checks each call's signature as the maker's library makes it, and answers."""
        settings.SMS_ALIYUN = self.ACCOUNT
        calls: list[httpx.Request] = []
        answers: list[Any] = [{"Code": "OK", "Message": "OK"}]

        def handle(request: httpx.Request) -> httpx.Response:
            calls.append(request)
            signed = ["host", *(name for name in request.headers if name.startswith("x-acs-"))]
            headers = {name: request.headers[name] for name in signed}
            query = dict(request.url.params)
            if request.headers["authorization"] != self.makers(query, headers):
                return httpx.Response(403, json={"Code": "SignatureDoesNotMatch"})
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return (
                answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
            )

        transport, real = httpx.MockTransport(handle), httpx.Client

        def client(**more: Any) -> httpx.Client:
            assert more["trust_env"] is False
            assert more["timeout"] <= 10
            assert not more.get("follow_redirects")
            return real(transport=transport)

        monkeypatch.setattr(httpx, "Client", client)
        return calls, answers

    def test_a_code_is_sent(self, server):
        calls, _answers = server
        AliyunSms().send(number=NUMBER, code="012345")
        [call] = calls
        assert call.url.params["PhoneNumbers"] == NUMBER
        assert call.url.params["TemplateParam"] == '{"code": "012345"}'
        assert call.url.host == "dysmsapi.aliyuncs.com"

    @pytest.mark.parametrize(
        "answer",
        [{"Code": "isv.BUSINESS_LIMIT_CONTROL"}, {}, httpx.Response(500),
         httpx.Response(200, text="x"), httpx.ConnectTimeout("x"),
         httpx.Response(302, headers={"Location": "http://evil.example"})],
    )  # fmt: skip
    def test_anything_else_is_not_sent_and_is_tried_again(self, server, answer, lin, settings):
        _calls, answers = server
        answers[:] = [answer, {"Code": "OK"}]
        with pytest.raises(SmsNotSent):
            AliyunSms().send(number=NUMBER, code="012345")
        AliyunSms().send(number=NUMBER, code="012345")

    def test_a_wrong_secret_is_noticed_by_the_stand_in(self, server, settings):
        settings.SMS_ALIYUN = {**self.ACCOUNT, "key_secret": "other"}
        with pytest.raises(SmsNotSent, match="SignatureDoesNotMatch"):
            AliyunSms().send(number=NUMBER, code="012345")


def test_the_demo_keeps_messages_in_files(settings, tmp_path: Path):
    settings.EMAIL_FILE_PATH = tmp_path / "letters"
    sms.FileSms().send(number=NUMBER, code="012345")
    [file] = (tmp_path / "letters").iterdir()
    assert file.read_text() == f"{NUMBER}\n012345\n"


def test_a_programmer_sees_them(capsys):
    sms.ConsoleSms().send(number=NUMBER, code="012345")
    assert "012345" in capsys.readouterr().out
