"""What we put into a request: within the gateway's limits, whatever a merchant wrote."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.channels.base import BadCredential, Device, Dialect
from payments.channels.wechatpay import WeChatPay
from payments.channels.wechatpay.asking import order_members, plain, to_json, within_bytes
from tests.channels.wechatpay.scene import NOW, Keys, connect, credentials, order


def description(subject: str) -> str:
    """What the gateway is told about an order of this subject."""
    members = order_members(order(subject=subject), app="wx1", merchant="1")
    told = members["description"]
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("明前龙井 50g", "明前龙井 50g"),
        ("tea 🍵 for two", "tea □ for two"),
        ("family 👨‍👩‍👧 pack", "family □ pack"),
        ("𠮷野家", "□野家"),
        ("a\x00b\nc\u2028d\ud800e", "abcde"),
        ("\n", "pay_01jd0000000000000000000001"),
        ("茶" * 5000, "茶" * 127),
    ],
)
def test_a_subject_is_made_fit_and_never_refused(written: str, told: str) -> None:
    assert description(written) == told


@given(st.text())
def test_any_text_becomes_one_the_gateway_takes(text: str) -> None:
    told = description(text)

    assert 0 < len(told) <= 127
    assert all(len(character.encode()) <= 3 for character in told)
    assert plain(told) == told


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 90))
def test_cutting_by_bytes_never_leaves_half_a_character(text: str, longest: int) -> None:
    cut = within_bytes(text, longest)

    assert len(cut.encode()) <= longest
    assert text.startswith(cut)


def test_an_order_is_payable_for_two_minutes_at_least() -> None:
    hasty = order(expires_at=NOW + timedelta(seconds=60))

    members = order_members(hasty, app="wx1", merchant="1")

    assert members["time_expire"] == "2026-11-23T04:02:00+00:00"


def test_an_equal_order_gives_equal_bytes() -> None:
    ask = {"app": "wx1", "merchant": "1"}

    assert to_json(order_members(order(), **ask)) == to_json(order_members(order(), **ask))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("mchid", "", "missing"),
        ("mchid", "19000A", "malformed"),
        ("appid", "wx 1", "malformed"),
        ("merchant_serial", "not hex", "malformed"),
        ("merchant_private_key", "nonsense", "not_a_private_key"),
        ("apiv3_key", "short", "not_32_ascii_bytes"),
        ("apiv3_key", "钥" * 32, "not_32_ascii_bytes"),
        ("platform_public_key_id", "", "missing"),
        ("platform_public_key_id", "KEY_1", "malformed"),
        ("platform_public_key", "", "missing"),
        ("platform_public_key", "nonsense", "not_a_public_key"),
        ("platform_certificate", "nonsense", "not_a_certificate"),
    ],
)
def test_an_unusable_credential_is_named(keys: Keys, name: str, value: str, problem: str) -> None:
    with pytest.raises(BadCredential) as refusal:
        connect(credentials(keys) | {name: value})

    assert (refusal.value.name, refusal.value.problem) == (name, problem)


def test_some_key_of_the_platform_is_needed(keys: Keys) -> None:
    held = {
        name: value for name, value in credentials(keys).items() if not name.startswith("platform")
    }

    with pytest.raises(BadCredential) as refusal:
        connect(held)

    assert refusal.value.name == "platform_public_key"


def test_a_serial_copied_with_colons_is_understood(keys: Keys) -> None:
    serial = keys["merchant_serial"]
    spread = ":".join(serial[i : i + 2] for i in range(0, len(serial), 2)).lower()

    gateway = connect(credentials(keys) | {"merchant_serial": f" {spread} "})

    assert gateway.caller.merchant.serial == serial


def test_secrets_do_not_show(keys: Keys) -> None:
    shown = repr(connect(credentials(keys)))

    assert keys["apiv3_key"] not in shown
    assert "PRIVATE" not in shown


def test_a_desktop_scans_and_a_phone_is_sent_to_wechat() -> None:
    offered: Dialect = WeChatPay()

    (method,) = offered.methods

    assert method.code == offered.name == "wechatpay"
    assert method.products == {Device.DESKTOP: "native", Device.PHONE: "h5"}
    assert urlsplit(offered.base_url).netloc in offered.hosts


def test_every_secret_is_marked_as_one() -> None:
    secrets = {credential.name for credential in WeChatPay.credentials if credential.is_secret}

    assert secrets == {"merchant_private_key", "apiv3_key"}
