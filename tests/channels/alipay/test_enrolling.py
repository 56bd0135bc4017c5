"""Applications to Alipay: over the wire, reviewed, sent back, confirmed; and when it goes wrong."""

from typing import cast
from urllib.parse import parse_qsl

import pytest
from alipay import AliPay

from payments.channels.alipay.enrolling import AlipayEnroller
from payments.channels.base import Done, Rejected, Unknown
from payments.channels.enrolling import FileIncomplete, Stand, enroller_of, members_of, ours_of
from payments.channels.sandbox.models import SandboxEnrolment
from tests.channels.enrolling import NUMBER, VALUES, file_for, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def enroller(alipay) -> AlipayEnroller:
    return cast("AlipayEnroller", enroller_of(alipay))


def test_an_application_goes_from_review_to_its_own_merchant_number(enroller, control) -> None:
    taken = enroller.apply(file_for(enroller))
    assert isinstance(taken, Done)
    assert enroller.ask(NUMBER).value.stand is Stand.AUDIT
    control("alipay", "enrolment", number=NUMBER, decide="sign")
    assert enroller.ask(NUMBER).value.stand is Stand.TO_BE_SIGNED
    told = control("alipay", "enrolment", number=NUMBER, decide="finish")
    done = enroller.ask(NUMBER).value
    assert (done.stand, done.gateway_number) == (Stand.FINISHED, taken.value)
    assert (done.sub_merchant, done.sub_merchant[:4]) == (told["sub_merchant"], "2088")


def test_a_sentence_that_names_a_field_leads_to_ours(enroller, control) -> None:
    enroller.apply(file_for(enroller))
    control(
        "alipay", "enrolment", number=NUMBER, decide="reject",
        fields={"legal_cert_front_image": "图片模糊", "": "请补充资料"},
    )  # fmt: skip
    back = enroller.ask(NUMBER).value
    assert back.stand is Stand.NEEDS_CHANGES
    told = {ours_of(enroller.table, one.theirs, VALUES): one.told for one in back.reasons}
    assert told == {
        "documents.identity_front": "legal_cert_front_image:图片模糊", "": "请补充资料",
    }  # fmt: skip
    again = enroller.apply(file_for(enroller))
    assert again == Done(back.gateway_number)
    assert SandboxEnrolment.objects.get().times == 2


def test_a_lost_answer_makes_no_second_application(enroller, control) -> None:
    file = file_for(enroller)
    control("alipay", "next", fault="timeout_after")
    assert enroller.apply(file) == Unknown(reason="timeout")
    again = enroller.apply(file)
    assert again == Done(enroller.ask(NUMBER).value.gateway_number)
    assert SandboxEnrolment.objects.get().times == 1


@pytest.mark.parametrize("fault", ["timeout_before", "http_500", "system_error", "bad_signature"])
def test_no_clear_answer_is_never_a_refusal(enroller, control, fault) -> None:
    file = file_for(enroller)
    for call in (lambda: enroller.apply(file), lambda: enroller.ask(NUMBER)):
        control("alipay", "next", fault=fault)
        assert isinstance(call(), Unknown)


def test_a_state_in_a_word_nobody_knows_changes_nothing(enroller, control) -> None:
    enroller.apply(file_for(enroller))
    control("alipay", "enrolment", number=NUMBER, decide="odd")
    assert enroller.ask(NUMBER) == Unknown(reason="unreadable")


def test_an_application_nobody_handed_in_is_certainly_not_there(enroller) -> None:
    assert isinstance(enroller.ask("NOBODY"), Rejected)


def test_a_field_refused_at_the_door_is_named(enroller) -> None:
    answer = enroller.apply(file_for(enroller, legal_person__identity_number="1"))
    assert isinstance(answer, Rejected)
    assert ours_of(enroller.table, answer.field, VALUES) == "legal_person.identity_number"


def test_what_a_file_does_not_say_is_found_before_anything_is_sent(enroller) -> None:
    with pytest.raises(FileIncomplete) as error:
        enroller.apply(file_for(enroller, extra__mcc=""))
    assert error.value.lacking == ("extra.mcc",)


def test_a_site_and_an_app_are_told_as_such(enroller) -> None:
    site = members_of(enroller.table, file_for(enroller, business__place="site"))
    assert site["sites"] == [
        {"site_type": "01", "site_url": "https://tea.example", "site_name": "茗山茶业"}
    ]
    assert site["service"] == ["电脑支付", "wap支付"]
    app = members_of(enroller.table, file_for(enroller, business__place="app"))
    assert app["sites"] == [{"site_type": "02", "site_name": "茗山"}]


def test_the_sdk_makes_the_same_signature_for_every_call(enroller, keys, transport) -> None:
    merchant = AliPay(
        appid=keys["app_id"], app_private_key_string=keys["merchant_private"],
        alipay_public_key_string=keys["gateway_public"],
    )  # fmt: skip
    enroller.apply(file_for(enroller))
    enroller.ask(NUMBER)
    methods = set()
    for request in transport.sent:
        is_form = request.headers["content-type"].startswith("application/x-www-form")
        params = dict(parse_qsl(request.url.query.decode()))
        params |= dict(parse_qsl(request.content.decode())) if is_form else {}
        methods.add(params["method"])
        ours = params.pop("sign")
        assert dict(parse_qsl(merchant.sign_data(params)))["sign"] == ours
    assert len(methods) == 3


def test_a_picture_is_no_part_of_what_is_signed_but_arrives_whole(enroller, transport) -> None:
    shown = picture("green")
    assert isinstance(enroller.upload(shown), Done)
    assert shown.content in transport.sent[-1].content
