"""What the desk does about enrolments in the administration, and what Lin sees in the portal."""

import pytest
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.identity.models import User
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from merchants.models import Member
from payments.channels.sandbox.models import SandboxEnrolment
from payments.enrolment.models import Enrolment, SubMerchant
from tests.cast import NOON, later
from tests.channels.enrolling import EXTRAS, SECRETS
from tests.compliance.people import Person, hire
from tests.payments.enrolment.scene import CODES, begin, send, turn

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def office(tea) -> Client:
    """The browser of an operator."""
    client = Client(headers={"accept-language": "en"})
    hire("office", roles=["operator"]).sign_in(client)
    return client


@pytest.fixture
def lin(tea) -> Client:
    """Lin owns the shop; she has an authenticator of her own."""
    client = Client(headers={"accept-language": "en"})
    owner = hire("lin-owner")
    add_member(merchant_id=tea.pk, user=owner.user, role=Role.OWNER, actor=SYSTEM, at=NOON)
    owner.sign_in(client)
    return client


def act(office: Client, row: Enrolment, deed: str, **form: str) -> str:
    answer = office.post(
        f"/admin/payments/enrolment/{row.pk}/act/", {"deed": deed, **form}, follow=True
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_desk_begins_answers_and_hands_in(tea, office) -> None:
    assert "Begin an enrolment" in office.get("/admin/payments/enrolment/").content.decode()
    page = office.get("/admin/payments/enrolment/begin/").content.decode()
    assert CODES["wechatpay"] in page
    wish = {"merchant": tea.public_id, "channel": CODES["wechatpay"]}
    page = office.post("/admin/payments/enrolment/begin/", wish, follow=True).content.decode()
    row = Enrolment.objects.get()
    assert "Settlement rule (settlement_id)" in page
    page = act(office, row, "hand_in")
    assert "The gateway will miss something: Address on the legal person&#x27;s card" in page
    page = act(office, row, "answer", **{f"extra-{name}": text for name, text in EXTRAS.items()})
    assert 'value="716"' in page
    assert EXTRAS["identity_address"] not in page
    assert "It goes to the gateway within seconds." in act(office, row, "hand_in")
    row = turn(row, at=later(60))
    page = office.get(f"/admin/payments/enrolment/{row.pk}/change/").content.decode()
    assert "In review at the gateway" in page
    assert SandboxEnrolment.objects.get().number in page
    assert all(secret not in page for secret in SECRETS)
    assert "The gateway is asked within seconds." in act(office, row, "ask")


def test_a_wrong_wish_is_told_in_words(tea, office) -> None:
    wish = {"merchant": "mch_nobody", "channel": CODES["wechatpay"]}
    page = office.post("/admin/payments/enrolment/begin/", wish).content.decode()
    assert "Only a merchant that was taken on" in page


def test_letters_move_what_is_on_paper(tea, by, office) -> None:
    row = begin(tea, "unionpay", by)
    assert "Noted as handed in on paper." in act(office, row, "hand_in")
    page = act(office, row, "letter", to="needs_changes", letter="UP-1", field="licence.address",
               told="地址不全")  # fmt: skip
    assert "Business licence · Registered address" in page
    assert "地址不全" in page
    act(office, row, "hand_in")
    assert "Write down the merchant" in act(office, row, "letter", to="finished", letter="UP-2")
    page = act(office, row, "letter", to="finished", letter="UP-2", number="777290058110048")
    assert "777290058110048" in page
    numbers = office.get("/admin/payments/submerchant/").content.decode()
    assert "777290058110048" in numbers
    kept = SubMerchant.objects.get()
    assert office.get(f"/admin/payments/submerchant/{kept.pk}/change/").status_code == 200


def test_who_does_not_look_after_merchants_only_reads(tea, by) -> None:
    row = begin(tea, "wechatpay", by)
    finance = Client(headers={"accept-language": "en"})
    hire("gu", roles=["finance"]).sign_in(finance)
    page = finance.get(f"/admin/payments/enrolment/{row.pk}/change/").content.decode()
    assert "Draft" in page
    assert "Hand it in" not in page
    assert (
        finance.post(f"/admin/payments/enrolment/{row.pk}/act/", {"deed": "leave"}).status_code
        == 403
    )
    assert finance.get("/admin/payments/enrolment/begin/").status_code == 403
    assert "Begin an enrolment" not in finance.get("/admin/payments/enrolment/").content.decode()


def test_lin_reads_what_to_correct_at_her_own_fields(tea, by, decide, lin) -> None:
    page = lin.get("/portal/channels/").content.decode()
    assert page.count("Not applied for yet") == 3
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide(
        "wechatpay", row, "reject", license_copy="照片模糊", account_number="账户不符",
        settlement_id="费率不符",
    )  # fmt: skip
    turn(row, at=later(HOUR))
    page = lin.get("/portal/channels/").content.decode()
    assert "To be corrected" in page
    assert "照片模糊" in page
    assert "Settlement account · Account number" in page
    assert "Our staff correct this." in page
    assert 'href="/portal/channels/" aria-current="page"' in page


def test_lin_signs_in_time(tea, by, decide, lin) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "sign")
    row = turn(row, at=later(HOUR))
    page = lin.get("/portal/channels/").content.decode()
    assert "days left, until 2026-12-23" in page
    assert "<svg" in page.split('class="qr"')[1]
    link = row.sign_url_sealed.open()
    assert link in page
    assert "Contract with WeChat Pay" in lin.get(link).content.decode()
    lin.post(link)
    row = turn(row, at=later(2 * HOUR))
    page = lin.get("/portal/channels/").content.decode()
    assert SubMerchant.objects.get().number in page
    assert link not in page


def test_only_who_may_write_applications_sees_a_link_to_sign(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "sign")
    turn(row, at=later(HOUR))
    for role in set(Role) - {Role.OWNER}:
        person: Person = hire(f"one-{role}")
        add_member(merchant_id=tea.pk, user=person.user, role=role, actor=SYSTEM, at=NOON)
        client = Client()
        person.sign_in(client)
        assert client.get("/portal/channels/").status_code == 403
    office = Client()
    hire("office", roles=["operator"]).sign_in(office)
    page = office.get(f"/admin/payments/enrolment/{row.pk}/change/").content.decode()
    assert "/sandbox/enrolment/" not in page
    assert User.objects.count() > Member.objects.count()
