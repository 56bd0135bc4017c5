"""What WeChat Pay tells us, what only pretends to be from it, and what both mean."""

from datetime import timedelta

import pytest

from payments.channels.base import NotAuthentic, RawMessage, RefundState, TradeState
from payments.channels.sandbox.speaker import Letter
from payments.channels.sandbox.wechatpay import SPEAKER, wire
from payments.channels.sandbox.wechatpay.wire import KeyMode
from payments.channels.signing import KeyUnusable
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.channels.wechatpay.keys import from_certificates
from payments.money import Money
from tests.channels.wechatpay.scene import (
    NOW,
    Keys,
    connect,
    credentials,
    message,
    refund_notice,
    trade,
)


def reason(gateway: WeChatPayGateway, raw: RawMessage) -> str:
    """Why the message was not believed."""
    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(raw)
    return refusal.value.reason


def changed(raw: RawMessage, **headers: str) -> RawMessage:
    """The message with other headers; "" leaves one out."""
    merged = dict(raw.headers) | {f"wechatpay-{n.replace('_', '-')}": v for n, v in headers.items()}
    return RawMessage(
        headers={name: value for name, value in merged.items() if value},
        body=raw.body,
        received_at=raw.received_at,
    )


@pytest.mark.parametrize("mode", KeyMode)
def test_a_paid_order_is_read_with_either_kind_of_key(
    keys: Keys, gateway: WeChatPayGateway, mode: KeyMode
) -> None:
    notification = gateway.read(message(keys, trade(keys), mode=mode))

    told = notification.trade
    assert notification.key == "EV-20261123-0001"
    assert notification.refund is None
    assert told is not None
    assert told.state is TradeState.PAID
    assert told.number == "20261123LIN0001"
    assert told.gateway_number == "4200002611230400000000000001"
    assert (told.merchant, told.app) == (gateway.merchant_number, gateway.app_number)
    assert told.paid_at == NOW - timedelta(seconds=2)


def test_a_payers_coupon_does_not_make_the_amount_smaller(
    keys: Keys, gateway: WeChatPayGateway
) -> None:
    told = gateway.read(message(keys, trade(keys))).trade

    assert told is not None
    assert told.amount == Money(8880)


def test_another_currency_is_told_to_the_caller(keys: Keys, gateway: WeChatPayGateway) -> None:
    dollars = trade(keys, amount={"total": 8880, "currency": "USD"})

    told = gateway.read(message(keys, dollars)).trade

    assert told is not None
    assert told.amount == Money(8880, "USD")


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("SUCCESS", RefundState.SUCCEEDED),
        ("ABNORMAL", RefundState.PROCESSING),
        ("CLOSED", RefundState.FAILED),
    ],
)
def test_a_refund_is_read(
    keys: Keys, gateway: WeChatPayGateway, state: str, meaning: RefundState
) -> None:
    raw = message(keys, refund_notice(keys, state), event=f"REFUND.{state}", associated="refund")

    notification = gateway.read(raw)

    told = notification.refund
    assert notification.trade is None
    assert told is not None
    assert told.state is meaning
    assert (told.number, told.order_number) == ("RF20261123LIN01", "20261123LIN0001")
    assert told.amount == Money(880)
    assert told.merchant == keys["mchid"]
    assert (told.finished_at is not None) is (meaning is RefundState.SUCCEEDED)


def test_an_event_of_another_kind_changes_nothing(keys: Keys, gateway: WeChatPayGateway) -> None:
    notification = gateway.read(message(keys, {"any": "thing"}, event="COUPON.USE"))

    assert (notification.trade, notification.refund) == (None, None)


def test_copies_share_a_key_and_other_messages_do_not(
    keys: Keys, gateway: WeChatPayGateway
) -> None:
    first = gateway.read(message(keys, trade(keys)))
    copy = gateway.read(message(keys, trade(keys), at=NOW - timedelta(seconds=15)))
    other = gateway.read(message(keys, trade(keys), key="EV-20261123-0002"))

    assert first.key == copy.key != other.key


@pytest.mark.parametrize("missing", ["serial", "timestamp", "nonce", "signature"])
def test_an_unsigned_message_is_refused(
    keys: Keys, gateway: WeChatPayGateway, missing: str
) -> None:
    raw = message(keys, trade(keys))

    assert reason(gateway, changed(raw, **{missing: ""})) == "unsigned"
    assert reason(gateway, RawMessage(headers={}, body=raw.body, received_at=NOW)) == "unsigned"


@pytest.mark.parametrize("mode", KeyMode)
def test_another_key_of_the_same_name_is_refused(
    keys: Keys, other_keys: Keys, gateway: WeChatPayGateway, mode: KeyMode
) -> None:
    assert reason(gateway, message(other_keys, trade(keys), mode=mode)) == "bad_signature"


def test_the_other_kinds_key_is_refused(keys: Keys, gateway: WeChatPayGateway) -> None:
    raw = message(keys, trade(keys), mode=KeyMode.CERTIFICATE)

    crossed = changed(raw, serial=keys["platform_public_key_id"])

    assert reason(gateway, crossed) == "bad_signature"


@pytest.mark.parametrize(
    ("seconds", "is_fresh"), [(-300, True), (-301, False), (300, True), (301, False)]
)
def test_a_message_is_believed_for_five_minutes_either_way(
    keys: Keys, gateway: WeChatPayGateway, seconds: int, is_fresh: bool
) -> None:
    raw = message(keys, trade(keys), at=NOW + timedelta(seconds=seconds))

    if is_fresh:
        assert gateway.read(raw).trade is not None
    else:
        assert reason(gateway, raw) == "stale"


@pytest.mark.parametrize("stamp", ["soon", "-1", "1e9", " 1795406400", "٣" * 10, "9" * 20])
def test_a_timestamp_that_is_none_is_stale(
    keys: Keys, gateway: WeChatPayGateway, stamp: str
) -> None:
    assert reason(gateway, changed(message(keys, trade(keys)), timestamp=stamp)) == "stale"


def test_a_probe_is_refused_and_named(keys: Keys, gateway: WeChatPayGateway) -> None:
    raw = message(keys, trade(keys))
    probe = SPEAKER.tamper(Letter(headers={"Wechatpay-Signature": "AAAA"}, body=b""), "probe")

    assert reason(gateway, changed(raw, signature=probe.headers["Wechatpay-Signature"])) == "probe"


def test_another_algorithm_is_refused(keys: Keys, gateway: WeChatPayGateway) -> None:
    raw = message(keys, trade(keys))

    weak = changed(raw, signature_type="WECHATPAY2-SHA1-RSA2048")

    assert reason(gateway, weak) == "bad_signature"


def test_an_unknown_serial_is_refused_first_and_disturbs_nothing(
    keys: Keys, gateway: WeChatPayGateway
) -> None:
    stranger = changed(message(keys, trade(keys)), serial="5157F09EFDC096DE15EBE81A47057A72")
    renamed = changed(message(keys, trade(keys)), serial="PUB_KEY_ID_0000", timestamp="1")

    assert reason(gateway, stranger) == "unknown_key"
    assert reason(gateway, renamed) == "unknown_key"
    for mode in KeyMode:
        assert gateway.read(message(keys, trade(keys), mode=mode)).trade is not None


def test_a_serials_case_and_leading_zeros_do_not_matter(
    keys: Keys, gateway: WeChatPayGateway
) -> None:
    raw = message(keys, trade(keys), mode=KeyMode.CERTIFICATE)
    short = keys["certificate_serial"].lstrip("0").lower()

    assert gateway.read(changed(raw, serial=short)).trade is not None


def test_a_certificate_counts_only_while_it_is_valid(keys: Keys, gateway: WeChatPayGateway) -> None:
    (held,) = from_certificates(keys["certificate"])
    store = gateway.caller.keys

    assert store.find(held.serial, at=held.valid_from) is not None
    assert store.find(held.serial, at=held.valid_from - timedelta(seconds=1)) is None
    assert store.find(held.serial, at=held.valid_until + timedelta(seconds=1)) is None


def test_keys_are_replaced_while_in_use_and_never_by_nothing(
    keys: Keys, other_keys: Keys, gateway: WeChatPayGateway
) -> None:
    store = gateway.caller.keys

    with pytest.raises(KeyUnusable):
        store.replace([])
    assert gateway.read(message(keys, trade(keys), mode=KeyMode.CERTIFICATE)).trade is not None

    store.replace(from_certificates(other_keys["certificate"]))
    assert reason(gateway, message(keys, trade(keys), mode=KeyMode.CERTIFICATE)) == "bad_signature"


def test_several_certificates_may_be_held_at_once(keys: Keys) -> None:
    both = credentials(keys)
    both["platform_certificate"] = keys["certificate"] + keys["certificate"]

    gateway = connect(both)

    assert gateway.read(message(keys, trade(keys), mode=KeyMode.CERTIFICATE)).trade is not None


@pytest.mark.parametrize(
    "inside",
    [
        {"trade_state": "MAYBE"},
        {"trade_state": None},
        {"out_trade_no": None},
        {"out_trade_no": 7},
        {"transaction_id": None},
        {"amount": None},
        {"amount": {"total": 88.8, "currency": "CNY"}},
        {"amount": {"total": "8880", "currency": "CNY"}},
        {"amount": {"total": -1, "currency": "CNY"}},
        {"amount": {"total": True, "currency": "CNY"}},
        {"amount": {"total": 8880, "currency": "XXX"}},
        {"success_time": "yesterday"},
        {"success_time": "2026-11-23T12:00:00"},
        {"mchid": None},
    ],
)
def test_a_genuine_message_that_breaks_the_protocol_is_not_guessed_at(
    keys: Keys, gateway: WeChatPayGateway, inside: dict[str, object]
) -> None:
    assert reason(gateway, message(keys, trade(keys, **inside))) == "unreadable"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"id":"1"}', b"[" * 100_000])
def test_a_genuine_body_of_nonsense_is_unreadable(
    keys: Keys, gateway: WeChatPayGateway, body: bytes
) -> None:
    signed = wire.signature_headers(keys, KeyMode.PUBLIC_KEY, body, NOW)
    headers = {name.lower(): value for name, value in signed.items()}

    assert reason(gateway, RawMessage(headers=headers, body=body, received_at=NOW)) == "unreadable"


def test_a_seal_under_another_apiv3_key_is_unreadable(keys: Keys) -> None:
    gateway = connect(credentials(keys) | {"apiv3_key": "0" * 32})

    assert reason(gateway, message(keys, trade(keys))) == "unreadable"


def test_the_sandbox_spoils_letters_in_ways_that_we_notice(
    keys: Keys, gateway: WeChatPayGateway
) -> None:
    raw = message(keys, trade(keys))
    signed = wire.signature_headers(keys, KeyMode.PUBLIC_KEY, raw.body, NOW)
    letter = Letter(headers={"Content-Type": "application/json", **signed}, body=raw.body)

    seen = {}
    for what in ("signature", "probe", "unsigned", "amount"):
        spoiled = SPEAKER.tamper(letter, what)
        headers = {name.lower(): value for name, value in spoiled.headers.items()}
        seen[what] = reason(
            gateway, RawMessage(headers=headers, body=spoiled.body, received_at=NOW)
        )

    assert seen == {
        "signature": "bad_signature",
        "probe": "probe",
        "unsigned": "unsigned",
        "amount": "bad_signature",
    }
    with pytest.raises(ValueError, match="colour"):
        SPEAKER.tamper(letter, "colour")


def test_the_answers_are_those_the_gateway_understands(gateway: WeChatPayGateway) -> None:
    accepted, refused = gateway.accept(), gateway.refuse("later")

    assert SPEAKER.is_accepted(accepted.status, accepted.body)
    assert not SPEAKER.is_accepted(refused.status, refused.body)
    assert refused.body == b'{"code":"FAIL","message":"later"}'
