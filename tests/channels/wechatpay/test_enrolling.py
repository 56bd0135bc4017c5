"""Applications to WeChat Pay: reviewed, sent back, signed; and when it goes wrong."""

import json
from datetime import timedelta
from typing import cast

import httpx
import pytest
import wechatpayv3.core
from django.utils import timezone
from wechatpayv3 import WeChatPay as OracleClient
from wechatpayv3 import WeChatPayType

from payments.channels.base import Done, Rejected, Unknown
from payments.channels.enrolling import FileIncomplete, Stand, enroller_of, ours_of
from payments.channels.sandbox.models import SandboxEnrolment
from payments.channels.wechatpay.enrolling import WeChatPayEnroller
from tests.channels.conftest import SandboxTransport
from tests.channels.enrolling import EXTRAS, NUMBER, SECRETS, VALUES, file_for, picture
from tests.channels.wechatpay.scene import BASE_URL, connect, credentials

pytestmark = pytest.mark.django_db
CARD = "subject_info.identity_info.id_card_info"


@pytest.fixture
def wire() -> SandboxTransport:
    return SandboxTransport()


@pytest.fixture
def enroller(known_keys, keys, wire) -> WeChatPayEnroller:
    shop = connect(credentials(keys), wire, base_url=BASE_URL, clock=timezone.now)
    return cast("WeChatPayEnroller", enroller_of(shop))


def test_an_application_goes_from_review_to_its_own_merchant_number(enroller, control) -> None:
    taken = enroller.apply(file_for(enroller))
    assert isinstance(taken, Done)
    first = enroller.ask(NUMBER).value
    assert (first.stand, first.gateway_number) == (Stand.AUDIT, taken.value)
    control("wechatpay", "enrolment", number=NUMBER, decide="check")
    assert enroller.ask(NUMBER).value.stand is Stand.ACCOUNT_CHECK
    control("wechatpay", "enrolment", number=NUMBER, decide="sign")
    to_sign = enroller.ask(NUMBER).value
    assert to_sign.stand is Stand.TO_BE_SIGNED
    assert to_sign.sign_url.startswith("http://sandbox.test/sandbox/enrolment/")
    assert to_sign.sub_merchant == ""
    control("wechatpay", "enrolment", number=NUMBER, decide="open")
    assert enroller.ask(NUMBER).value.stand is Stand.OPENING
    told = control("wechatpay", "enrolment", number=NUMBER, decide="finish")
    done = enroller.ask(NUMBER).value
    assert (done.stand, done.sub_merchant) == (Stand.FINISHED, told["sub_merchant"])
    assert done.sub_merchant.isdecimal()


def test_what_is_sent_back_names_our_field_and_keeps_its_number(enroller, control) -> None:
    enroller.apply(file_for(enroller))
    control(
        "wechatpay", "enrolment", number=NUMBER, decide="reject",
        fields={"id_card_copy": "照片不清晰", f"{CARD}.id_card_number": "号码不符"},
    )  # fmt: skip
    back = enroller.ask(NUMBER).value
    assert back.stand is Stand.NEEDS_CHANGES
    ours = {ours_of(enroller.table, one.theirs, VALUES): one.told for one in back.reasons}
    assert ours == {
        "documents.identity_front": "照片不清晰", "legal_person.identity_number": "号码不符",
    }  # fmt: skip
    again = enroller.apply(file_for(enroller, legal_person__identity_number="110105199003071239"))
    assert isinstance(again, Done)
    assert again.value == back.gateway_number
    assert SandboxEnrolment.objects.get().times == 2


def test_nothing_secret_leaves_in_clear(enroller, wire) -> None:
    enroller.apply(file_for(enroller))
    body = next(one for one in wire.sent if one.url.path.endswith("/applyment/")).content.decode()
    sealed = json.loads(body)
    assert sealed["bank_account_info"]["account_number"] != VALUES["account.account_number"]
    for secret in ("11010519491231002X", "6222020200112233445", "13800138000"):
        assert secret not in body
    assert EXTRAS["identity_address"] not in body
    assert all(secret not in repr(file_for(enroller)) for secret in SECRETS)


def test_a_lost_answer_makes_no_second_application(enroller, control) -> None:
    file = file_for(enroller)
    control("wechatpay", "next", fault="timeout_after")
    assert enroller.apply(file) == Unknown(reason="timeout")
    known = enroller.ask(NUMBER).value
    assert known.stand is Stand.AUDIT
    again = enroller.apply(file)
    assert again == Done(known.gateway_number)
    assert SandboxEnrolment.objects.get().times == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("timeout_before", "timeout"), ("http_500", "http_500"), ("system_error", "SYSTEM_ERROR"),
     ("bad_signature", "bad_signature")],
)  # fmt: skip
def test_no_clear_answer_is_never_a_refusal(enroller, control, fault, reason) -> None:
    file = file_for(enroller)
    control("wechatpay", "next", fault=fault)
    assert enroller.apply(file) == Unknown(reason=reason)
    enroller.apply(file)
    control("wechatpay", "next", fault=fault)
    assert enroller.ask(NUMBER) == Unknown(reason=reason)


def test_a_state_in_a_word_nobody_knows_changes_nothing(enroller, control) -> None:
    enroller.apply(file_for(enroller))
    control("wechatpay", "enrolment", number=NUMBER, decide="odd")
    assert enroller.ask(NUMBER) == Unknown(reason="unreadable")


def test_an_application_nobody_handed_in_is_certainly_not_there(enroller) -> None:
    answer = enroller.ask("NOBODY")
    assert isinstance(answer, Rejected)
    assert answer.code == "NOT_FOUND"


def test_a_field_refused_at_the_door_is_named(enroller) -> None:
    file = file_for(enroller, account__account_number="not digits")
    answer = enroller.apply(file)
    assert isinstance(answer, Rejected)
    assert ours_of(enroller.table, answer.field, VALUES) == "account.account_number"


def test_what_a_file_does_not_say_is_found_before_anything_is_sent(enroller, wire) -> None:
    file = file_for(enroller, extra__settlement_id="", owners__legal_person="")
    before = len(wire.sent)
    with pytest.raises(FileIncomplete) as error:
        enroller.apply(file)
    assert set(error.value.lacking) == {"extra.settlement_id", "owners.legal_person"}
    assert len(wire.sent) == before


def test_a_forged_request_is_not_heard(known_keys, other_keys, keys) -> None:
    stranger = credentials(keys) | {"merchant_private_key": other_keys["merchant_private_key"]}
    shop = connect(stranger, SandboxTransport(), base_url=BASE_URL, clock=timezone.now)
    answer = shop.enroller().upload(picture())
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.is_our_fault) == ("SIGN_ERROR", True)


def test_thirty_days_are_left_to_sign(enroller) -> None:
    assert enroller.limits[Stand.TO_BE_SIGNED] == timedelta(days=30)


class OracleNetwork:
    """Stands in for the oracle's HTTP library, files included."""

    def __init__(self) -> None:
        self._client = httpx.Client(transport=SandboxTransport())

    def get(self, *, url, headers, **_):
        return self._client.get(url, headers=headers)

    def post(self, *, url, json, data, headers, files, **_):
        if files:
            # It names no boundary; the HTTP library must.
            kept = {name: value for name, value in headers.items() if name != "Content-Type"}
            return self._client.post(url, data=data, files=files, headers=kept)
        return self._client.post(url, content=wechatpayv3.core.json.dumps(json), headers=headers)


def test_an_independent_client_enrols_with_the_same_wire(
    known_keys, keys, monkeypatch, settings, tmp_path
) -> None:
    settings.ROOT_URLCONF = "tests.channels.wechatpay.root_urls"
    monkeypatch.setattr(wechatpayv3.core, "requests", OracleNetwork())
    oracle = OracleClient(
        wechatpay_type=WeChatPayType.NATIVE, mchid=keys["mchid"],
        private_key=keys["merchant_private_key"], cert_serial_no=keys["merchant_serial"],
        appid=keys["appid"], apiv3_key=keys["apiv3_key"], notify_url="https://pay.example.cn/",
        public_key=keys["platform_public_key"], public_key_id=keys["platform_public_key_id"],
    )  # fmt: skip
    paper = tmp_path / "licence.png"
    paper.write_bytes(picture().content)
    status, body = oracle.image_upload(str(paper))
    assert status == 200
    mark = json.loads(body)["media_id"]
    status, body = oracle.applyment_submit(
        business_code="ORACLE_1",
        contact_info={
            "contact_type": "LEGAL", "contact_name": "林岚", "mobile_phone": "13800138000",
            "contact_email": "lin@tea.example",
        },
        subject_info={
            "subject_type": "SUBJECT_TYPE_INDIVIDUAL",
            "business_license_info": {
                "license_copy": mark, "license_number": "91350100M000100Y43",
                "merchant_name": "茗山茶业", "legal_person": "林岚",
            },
            "identity_info": {
                "id_doc_type": "IDENTIFICATION_TYPE_IDCARD",
                "id_card_info": {
                    "id_card_copy": mark, "id_card_national": mark, "id_card_name": "林岚",
                    "id_card_number": "11010519491231002X", "card_period_begin": "2016-05-01",
                    "card_period_end": "长期",
                },
            },
        },
        business_info={
            "merchant_shortname": "茗山", "service_phone": "0591-1234567",
            "sales_info": {"sales_scenes_type": ["SALES_SCENES_WEB"]},
        },
        settlement_info={"settlement_id": "719", "qualification_type": "零售"},
        bank_account_info={
            "bank_account_type": "BANK_ACCOUNT_TYPE_PERSONAL", "account_name": "林岚",
            "account_bank": "工商银行", "bank_address_code": "350100",
            "account_number": "6222020200112233445",
        },
    )  # fmt: skip
    assert (status, "applyment_id" in body) == (200, True), body
    status, body = oracle.applyment_query(business_code="ORACLE_1")
    assert status == 200
    assert json.loads(body)["applyment_state"] == "APPLYMENT_STATE_AUDITING"
