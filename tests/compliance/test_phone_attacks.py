"""What strangers, and people in a hurry, try with phones and codes that are sent."""

import re
from datetime import timedelta

import httpx
import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import remove_all_devices
from compliance.identity.letters import send_letters, write_letter, write_sms
from compliance.identity.models import Letter, Phone
from compliance.identity.sent_codes import PHONE, confirm_phone, offer_phone, send_code
from compliance.identity.states import CodeMeans
from compliance.identity.stepup_models import StepUp
from compliance.limits import TooMany
from tests.compliance.people import confirm, hire

pytestmark = pytest.mark.django_db

MINE, OTHERS = "13800138000", "13900139000"
SESSION = "a session"


class Outbox:
    """A provider that keeps what it was given."""

    sent: list[tuple[str, str]] = []

    def send(self, *, number: str, code: str) -> None:
        self.sent.append((number, code))


@pytest.fixture(autouse=True)
def outbox(settings):
    settings.SMS_SENDER = f"{__name__}.Outbox"
    Outbox.sent = []
    return Outbox.sent


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def send_to_offered(user):
    send_code(
        user=user, means=CodeMeans.SMS, purpose=PHONE, session=SESSION, actor=SYSTEM,
        at=timezone.now(),
    )  # fmt: skip


def test_the_code_of_one_number_confirms_no_other(outbox):
    """A code for one's own phone, then another's number, faster than codes are sent."""
    lin = hire("lin").user
    offer_phone(user=lin, number=MINE, at=timezone.now())
    send_to_offered(lin)
    send_letters(at=timezone.now())
    [(number, code)] = outbox
    assert number == MINE
    offer_phone(user=lin, number=OTHERS, at=timezone.now())
    with pytest.raises(TooMany):
        send_to_offered(lin)
    now = timezone.now()
    assert not confirm_phone(user=lin, session=SESSION, code=code, actor=SYSTEM, at=now)
    assert not Phone.objects.filter(confirmed_at__isnull=False).exists()


def test_a_number_stands_in_no_trail_and_no_wish():
    lin, client = hire("lin"), Client(headers={"accept-language": "en"})
    lin.sign_in(client)
    asked = client.post("/account/phone/", {"number": MINE})
    assert MINE not in str(list(StepUp.objects.values_list("facts", flat=True)))
    confirm(client, asked)
    assert Phone.objects.get().number_sealed.open() == MINE
    told = str(list(AuditEntry.objects.values_list("facts", flat=True)))
    assert MINE not in told


def test_many_accounts_do_not_flood_one_phone(outbox):
    lin, wei = hire("lin").user, hire("wei").user
    for user in (lin, wei):
        offer_phone(user=user, number=OTHERS, at=timezone.now())
    send_to_offered(lin)
    with pytest.raises(TooMany):
        send_to_offered(wei)
    send_letters(at=timezone.now())
    assert len(outbox) == 1


def test_a_sent_code_stands_for_no_enrolment():
    """Whoever has no second factor enrols one; a code is for those who left theirs at home."""
    lin, client = hire("lin", has_device=False), Client(headers={"accept-language": "en"})
    lin.type_password(client)
    assert client.post("/signin/send/", {"means": "email"}).status_code == 404
    assert not Letter.objects.filter(about="code").exists()


@pytest.mark.parametrize("fault", [
    KeyError("sign_name"), httpx.InvalidURL("no"), AttributeError("get"),
], ids=["setting missing", "address wrong", "answer is no object"])  # fmt: skip
def test_a_provider_that_is_set_up_wrongly_holds_up_no_letter(monkeypatch, fault, mailoutbox):
    lin, now = hire("lin").user, timezone.now()

    def send(self, *, number, code):
        raise fault

    monkeypatch.setattr(Outbox, "send", send)
    offer_phone(user=lin, number=MINE, at=now)
    write_sms(lin, "123456", is_offered=True, at=now, until=now + timedelta(minutes=10))
    write_letter(lin, "code", code="654321", at=now + timedelta(seconds=1))
    with after(seconds=2):
        assert send_letters(at=timezone.now()) == 1
    assert len(mailoutbox) == 1


def test_a_link_by_mail_enrols_nobody():
    """Sent before the second factor was taken away, clicked after: the password is still asked."""
    lin, client = hire("lin"), Client(headers={"accept-language": "en"})
    client.post("/signin/forgotten/", {"email": lin.user.email, "kind": "signin"})
    send_letters(at=timezone.now())
    [path] = re.findall(r"http://[^/\s]+(/link/\S+)", str(mail.outbox[-1].body))
    remove_all_devices(user=lin.user, actor=SYSTEM, at=timezone.now())
    client.get(path)
    client.post("/link/")
    assert client.get("/signin/enrol/")["Location"] == "/signin/"
