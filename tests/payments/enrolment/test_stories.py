"""Lin's shop applies to the gateways: taken, sent back, corrected, signed; silence and lies."""

from datetime import timedelta
from typing import Any

import pytest

from compliance.audit.models import AuditEntry
from merchants.models import Merchant
from merchants.onboarding.models import Application
from merchants.onboarding.states import ApplicationState
from payments.channels.sandbox.models import SandboxEnrolment, SandboxGateway
from payments.enrolment import pursuing, tasks
from payments.enrolment.handing import GatewayLetter, ask_soon, enter_letter, hand_in, leave
from payments.enrolment.models import Enrolment, SubMerchant
from payments.enrolment.opening import answer_extras, open_enrolment
from payments.enrolment.pursuing import claim_due, pursue
from payments.enrolment.refusals import EnrolmentRefused
from payments.enrolment.rules import LEASE
from payments.enrolment.states import EnrolmentState
from payments.errors import IllegalMove
from tests.cast import NOON, later
from tests.channels.enrolling import EXTRAS, SECRETS
from tests.compliance.people import hire
from tests.merchants.applying import actor_of
from tests.payments.enrolment.scene import CODES, begin, send, told, turn

pytestmark = pytest.mark.django_db
HOUR = 3600


def word(refused: Any) -> str:
    return str(refused.value.code)


@pytest.mark.parametrize("gateway", ["wechatpay", "alipay"])
def test_one_file_leads_to_a_number_at_each_gateway(tea, by, decide, gateway) -> None:
    row = send(begin(tea, gateway, by), by, at=later(60))
    assert row.state == EnrolmentState.AUDIT
    assert row.gateway_number == SandboxEnrolment.objects.get().gateway_number
    decide(gateway, row, "sign")
    row = turn(row, at=later(HOUR))
    assert row.state == EnrolmentState.TO_BE_SIGNED
    given = decide(gateway, row, "finish")["sub_merchant"]
    row = turn(row, at=later(2 * HOUR))
    assert (row.state, row.ask_at, row.ended_at) == ("finished", None, later(2 * HOUR))
    assert row.answers == {}
    kept = SubMerchant.objects.get()
    assert (kept.merchant, kept.channel.code, kept.number) == (tea, CODES[gateway], given)
    words = ["draft", "submitted", "audit", "to_be_signed", "finished"]
    assert list(row.steps.order_by("pk").values_list("state", flat=True)) == words
    said = AuditEntry.objects.filter(subject_kind="enrolment", subject_id=row.public_id)
    assert [*said.order_by("pk").values_list("action", flat=True)] == [
        "enrolment.opened", "enrolment.answered", "enrolment.handed_in", "enrolment.moved",
        "enrolment.moved", "enrolment.moved", "sub_merchant.kept",
    ]  # fmt: skip


def test_thirty_days_are_counted_down_while_wechat_waits_for_a_signature(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "sign")
    row = turn(row, at=later(HOUR))
    assert row.lapses_on == NOON.date() + timedelta(days=30)
    assert "/sandbox/enrolment/" in row.sign_url_sealed.open()
    assert str(row.sign_url_sealed) == "sealed"
    decide("wechatpay", row, "open")
    row = turn(row, at=later(2 * HOUR))
    assert (row.state, row.lapses_on, row.sign_url_sealed.open()) == ("opening", None, "")


def test_what_is_sent_back_stands_at_our_fields_and_goes_again(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide(
        "wechatpay", row, "reject", license_copy="照片模糊",
        id_card_number="号码 11010519491231002X",
        account_number="账户不符", biz_address_code="地区不符", unheard_of="别的",
    )  # fmt: skip
    row = turn(row, at=later(HOUR))
    assert row.state == EnrolmentState.NEEDS_CHANGES
    assert told(row) == {
        "documents.licence": "照片模糊", "legal_person.identity_number": "号码 ***",
        "account.account_number": "账户不符", "extra.shop_address_code": "地区不符", "": "别的",
    }  # fmt: skip
    answer_extras(
        enrolment=row.public_id, answers=EXTRAS | {"shop_address_code": "350102"}, by=by,
        actor=actor_of(by), at=later(2 * HOUR),
    )  # fmt: skip
    row = send(row, by, at=later(3 * HOUR))
    assert (row.state, row.round, told(row)) == ("audit", 2, {})
    assert SandboxEnrolment.objects.get().times == 2


def test_a_time_out_after_the_application_arrived_makes_no_second_one(tea, by, fault) -> None:
    row = begin(tea, "wechatpay", by)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    send_papers_then(fault, "wechatpay", "timeout_after", row)
    row = turn(row, at=later(70))
    assert (row.state, row.trouble) == ("submitted", "timeout")
    row = turn(row, at=later(HOUR))
    assert (row.state, row.trouble) == ("audit", "")
    assert SandboxEnrolment.objects.get().times == 1


def test_a_time_out_before_it_arrived_sends_it_again_with_the_same_number(tea, by, fault) -> None:
    row = begin(tea, "alipay", by)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    send_papers_then(fault, "alipay", "timeout_before", row)
    row = turn(row, at=later(70))
    assert (row.state, row.trouble) == ("submitted", "timeout")
    assert not SandboxEnrolment.objects.exists()
    row = turn(row, at=later(HOUR))
    assert row.state == EnrolmentState.AUDIT
    assert SandboxEnrolment.objects.get().number == row.number


def test_a_correction_that_was_lost_goes_again(tea, by, decide, fault) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "reject", license_copy="照片模糊")
    row = turn(row, at=later(HOUR))
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(2 * HOUR))
    fault("wechatpay", "timeout_before")
    row = turn(row, at=later(2 * HOUR))
    assert (row.state, row.trouble) == ("submitted", "timeout")
    row = turn(row, at=later(3 * HOUR))
    assert (row.state, SandboxEnrolment.objects.get().times) == ("audit", 2)


def test_an_old_answer_says_nothing_of_a_new_round(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "reject", license_copy="照片模糊")
    row = turn(row, at=later(HOUR))
    Enrolment.objects.update(ask_at=later(2 * HOUR))
    (claimed,) = claim_due(at=later(2 * HOUR), limit=5)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(2 * HOUR))
    pursue(claimed, at=later(2 * HOUR))  # It was asked before the correction went out.
    row.refresh_from_db()
    assert (row.state, row.round, told(row)) == ("submitted", 2, {})
    assert turn(row, at=later(3 * HOUR)).state == EnrolmentState.AUDIT


def test_papers_go_out_once_however_often_it_is_tried(tea, by, fault) -> None:
    row = begin(tea, "wechatpay", by)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    fault("wechatpay", "http_500")
    row = turn(row, at=later(70))
    assert (row.state, row.trouble, row.sent_at) == ("submitted", "http_500", None)
    row = turn(row, at=later(HOUR))
    assert row.pictures.count() == 4
    assert row.state == EnrolmentState.AUDIT


@pytest.mark.parametrize("trouble", ["bad_signature", "system_error", "timeout_before"])
def test_an_answer_that_proves_nothing_moves_nothing(tea, by, decide, fault, trouble) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "finish")
    fault("wechatpay", trouble)
    row = turn(row, at=later(HOUR))
    assert row.state == EnrolmentState.AUDIT
    assert row.trouble
    assert turn(row, at=later(2 * HOUR)).state == EnrolmentState.FINISHED


def test_a_word_that_nobody_knows_moves_nothing_and_is_asked_again(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "odd")
    row = turn(row, at=later(HOUR))
    assert (row.state, row.trouble) == ("audit", "unreadable")
    assert row.ask_at is not None
    assert row.ask_at > later(HOUR)


def test_a_gateway_that_refuses_our_keys_gives_the_draft_back(tea, by) -> None:
    row = begin(tea, "wechatpay", by)
    keys = SandboxGateway.objects.get(gateway="wechatpay")
    keys.keys = keys.keys | {"merchant_public_key": keys.keys["platform_public_key"]}
    keys.save()
    row = send(row, by, at=later(60))
    assert (row.state, row.trouble, row.ask_at) == ("draft", "SIGN_ERROR", None)


def test_a_leased_enrolment_is_nobody_elses(tea, by) -> None:
    row = begin(tea, "wechatpay", by)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    assert len(claim_due(at=later(60), limit=5)) == 1
    ask_soon(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(61))
    assert claim_due(at=later(62), limit=5) == []
    after = later(60) + LEASE
    (claimed,) = claim_due(at=after, limit=5)
    pursue(claimed, at=after)
    assert Enrolment.objects.get().state == EnrolmentState.AUDIT


def test_a_worker_that_dies_after_the_call_makes_no_second_application(
    tea, by, monkeypatch
) -> None:
    row = begin(tea, "wechatpay", by)
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))

    def die(*_args: Any, **_more: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(pursuing, "book", die)
        with pytest.raises(SystemExit):
            turn(row, at=later(70))
    assert Enrolment.objects.get().state == EnrolmentState.SUBMITTED
    row = turn(row, at=later(70) + LEASE)
    assert (row.state, SandboxEnrolment.objects.get().times) == ("audit", 1)


def test_the_timetable_goes_on_when_one_enrolment_cannot_be_worked_on(tea, by, monkeypatch) -> None:
    first, second = begin(tea, "wechatpay", by), begin(tea, "alipay", by)
    for row in (first, second):
        hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    real = pursuing.pursue

    def stumble(row: Enrolment, *, at: Any) -> None:
        if row.pk == first.pk:
            raise RuntimeError("spoilt")
        real(row, at=at)

    monkeypatch.setattr(tasks, "pursue", stumble)
    assert tasks.pursue_enrolments() == 2
    states = dict(Enrolment.objects.values_list("pk", "state"))
    assert states == {first.pk: "submitted", second.pk: "audit"}
    assert tasks.pursue_enrolments() == 0


def test_nothing_secret_is_kept_in_clear(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "reject", id_card_number="应为 11010519491231002X")
    row = turn(row, at=later(HOUR))
    kept = [*Enrolment.objects.values_list(), *row.reasons.values_list(), *row.steps.values_list(),
            *AuditEntry.objects.filter(subject_kind="enrolment").values_list(),
            *SandboxEnrolment.objects.values_list("number", "fields")]  # fmt: skip
    for secret in (*SECRETS, EXTRAS["identity_address"], EXTRAS["binding_alipay_logon_id"]):
        assert secret not in repr([[str(one) for one in line] for line in kept])


def test_a_gateway_without_an_interface_is_enrolled_on_paper(tea, by) -> None:
    row = begin(tea, "unionpay", by)
    assert row.is_on_paper
    row = hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    assert (row.state, row.ask_at) == ("submitted", None)
    common: dict[str, Any] = {"enrolment": row.public_id, "by": by, "actor": actor_of(by)}
    back = GatewayLetter(
        to=EnrolmentState.NEEDS_CHANGES, number="UP-1", field="licence.address", told="地址不全"
    )
    row = enter_letter(letter=back, at=later(70), **common)
    assert told(row) == {"licence.address": "地址不全"}
    hand_in(at=later(80), **common)
    with pytest.raises(EnrolmentRefused) as error:
        enter_letter(letter=GatewayLetter(to=EnrolmentState.FINISHED, number="UP-2"),
                     at=later(90), **common)  # fmt: skip
    assert word(error) == "number_missing"
    done = GatewayLetter(to=EnrolmentState.FINISHED, number="UP-2", sub_merchant="777290058110048")
    row = enter_letter(letter=done, at=later(90), **common)
    assert SubMerchant.objects.get().number == "777290058110048"
    assert row.steps.latest("pk").letter == "UP-2"
    with pytest.raises(IllegalMove):
        enter_letter(letter=GatewayLetter(to=EnrolmentState.AUDIT, number="UP-3"),
                     at=later(99), **common)  # fmt: skip


def test_a_letter_moves_no_enrolment_that_the_gateway_answers_for(tea, by) -> None:
    row = begin(tea, "wechatpay", by)
    with pytest.raises(EnrolmentRefused) as error:
        enter_letter(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60),
                     letter=GatewayLetter(to=EnrolmentState.AUDIT, number="WX-1"))  # fmt: skip
    assert word(error) == "not_by_paper"


def test_only_what_lies_with_us_can_be_left(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    common: dict[str, Any] = {"reason": "not wanted", "by": by, "actor": actor_of(by)}
    with pytest.raises(EnrolmentRefused) as error:
        leave(enrolment=row.public_id, at=later(70), **common)
    assert word(error) == "at_gateway"
    decide("wechatpay", row, "reject", license_copy="照片模糊")
    turn(row, at=later(HOUR))
    row = leave(enrolment=row.public_id, at=later(2 * HOUR), **common)
    assert (row.state, row.ask_at) == ("cancelled", None)
    again = begin(tea, "wechatpay", by, at=later(3 * HOUR))
    assert again.number != row.number


def test_who_may_begin_and_for_whom(tea, by) -> None:
    stranger = hire("stranger", has_device=False, roles=["finance"]).user
    common: dict[str, Any] = {"channel": CODES["wechatpay"], "at": NOON}
    whose = tea.public_id
    with pytest.raises(EnrolmentRefused) as error:
        open_enrolment(merchant=whose, by=stranger, actor=actor_of(stranger), **common)
    assert word(error) == "ability_missing"
    open_enrolment(merchant=whose, by=by, actor=actor_of(by), **common)
    with pytest.raises(EnrolmentRefused) as error:
        open_enrolment(merchant=whose, by=by, actor=actor_of(by), **common)
    assert word(error) == "already_enrolled"
    Application.objects.update(state=ApplicationState.REJECTED)
    with pytest.raises(EnrolmentRefused) as error:
        open_enrolment(merchant=whose, channel=CODES["alipay"], by=by, actor=actor_of(by), at=NOON)
    assert word(error) == "merchant_not_approved"


def test_what_the_gateway_will_miss_is_told_before_anything_is_sent(tea, by) -> None:
    row = open_enrolment(
        merchant=tea.public_id, channel=CODES["wechatpay"], by=by, actor=actor_of(by), at=NOON
    )
    with pytest.raises(EnrolmentRefused) as error:
        hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=later(60))
    assert word(error) == "file_incomplete"
    assert "extra.settlement_id" in error.value.facts["fields"]
    with pytest.raises(EnrolmentRefused) as error:
        answer_extras(
            enrolment=row.public_id, answers={"settlement_id": "seven"}, by=by,
            actor=actor_of(by), at=later(60),
        )  # fmt: skip
    assert (word(error), error.value.facts) == (
        "answer_unfit", {"field": "extra.settlement_id"},
    )  # fmt: skip
    row.refresh_from_db()
    assert row.state == EnrolmentState.DRAFT


def test_a_number_that_another_merchant_has_is_not_taken(tea, by, decide) -> None:
    row = send(begin(tea, "wechatpay", by), by, at=later(60))
    decide("wechatpay", row, "finish")
    other = Merchant.objects.create(
        public_id="mch_other", name="Other", callback_secret_sealed="x", created_at=NOON
    )
    taken = Enrolment.objects.create(
        public_id="enr_other", merchant=other, channel=row.channel, is_on_paper=False,
        answers_sealed="", sign_url_sealed="", created_at=NOON, since=NOON,
    )  # fmt: skip
    number = SandboxEnrolment.objects.get().sub_merchant
    SubMerchant.objects.create(
        merchant=other, channel=row.channel, number=number, enrolment=taken, created_at=NOON
    )
    row = turn(row, at=later(HOUR))
    assert (row.state, row.trouble) == ("audit", "number_taken")


def send_papers_then(fault, gateway: str, name: str, row: Enrolment) -> None:
    """The papers go out well; the gateway misbehaves when the application comes."""
    for _ in range(4):
        fault(gateway, "slow")
    fault(gateway, name)
