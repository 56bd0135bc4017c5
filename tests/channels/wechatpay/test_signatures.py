"""Every text that is signed, held against an independent library and the openssl command."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wechatpayv3 import utils as oracle

from payments.channels.base import NotAuthentic, RawMessage
from payments.channels.sandbox.speaker import Letter
from payments.channels.sandbox.wechatpay import SPEAKER, wire
from payments.channels.sandbox.wechatpay.wire import KeyMode
from payments.channels.wechatpay.envelope import open_sealed
from payments.channels.wechatpay.gateway import WeChatPayGateway
from payments.channels.wechatpay.keys import from_certificates
from payments.channels.wechatpay.proofs import message_text, request_text
from payments.channels.wechatpay.reading import Fields, Unreadable
from tests.channels.wechatpay.scene import (
    BASE,
    NOW,
    Keys,
    Script,
    answer,
    connect,
    credentials,
    key_of,
    lower,
    message,
    order,
    trade,
)

Openssl = Callable[..., bytes]


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    """Runs openssl on files made of the given texts."""
    program = shutil.which("openssl")
    assert program is not None

    def run(*words: str, stdin: bytes = b"", **files: bytes) -> bytes:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        done = subprocess.run(
            [program, *words], input=stdin, cwd=tmp_path, capture_output=True, check=True
        )
        return done.stdout

    return run


def test_our_authorization_is_the_oracles_to_the_letter(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle.time, "time", NOW.timestamp)
    script = Script([answer(keys, 200, {"code_url": "weixin://wxpay/bizpayurl?pr=a"})])

    connect(credentials(keys), script.transport).open(order())

    (request,) = script.asked
    ours = request.headers["Authorization"]
    nonce = ours.partition('nonce_str="')[2].partition('"')[0]
    assert len(nonce) == 32
    assert ours == oracle.build_authorization(
        "/v3/pay/transactions/native",
        "POST",
        keys["mchid"],
        keys["merchant_serial"],
        oracle.load_private_key(keys["merchant_private_key"]),
        data=request.content.decode(),
        nonce_str=nonce,
    )


def test_the_target_is_signed_as_it_goes_out(keys: Keys, openssl: Openssl) -> None:
    script = Script([answer(keys, 200, trade(keys))])
    asked = order()

    connect(credentials(keys), script.transport, base_url=BASE + "/way in").query(key_of(asked))

    (request,) = script.asked
    parts = dict(re.findall(r'([a-z_]+)="([^"]*)"', request.headers["Authorization"]))
    target = f"/way%20in/v3/pay/transactions/out-trade-no/{asked.number}?mchid={keys['mchid']}"
    assert request.url.raw_path.decode() == target
    text = f"GET\n{target}\n{parts['timestamp']}\n{parts['nonce_str']}\n\n".encode()
    verdict = openssl(
        "dgst", "-sha256", "-verify", "key", "-signature", "signature", stdin=text,
        key=keys["merchant_public_key"].encode(), signature=base64.b64decode(parts["signature"]),
    )  # fmt: skip
    assert verdict == b"Verified OK\n"


def test_we_believe_what_openssl_signed(
    keys: Keys, openssl: Openssl, gateway: WeChatPayGateway
) -> None:
    body = message(keys, trade(keys)).body
    stamp, nonce = str(int(NOW.timestamp())), "c5ac7061fccab6bf3e254dcf98995b8c"
    signature = openssl(
        "dgst", "-sha256", "-sign", "key", stdin=f"{stamp}\n{nonce}\n".encode() + body + b"\n",
        key=keys["platform_private_key"].encode(),
    )  # fmt: skip
    headers = {
        "wechatpay-serial": keys["platform_public_key_id"],
        "wechatpay-timestamp": stamp,
        "wechatpay-nonce": nonce,
        "wechatpay-signature": base64.b64encode(signature).decode(),
    }

    notification = gateway.read(RawMessage(headers=headers, body=body, received_at=NOW))

    assert notification.trade is not None


def test_a_certificates_serial_is_read_as_openssl_prints_it(keys: Keys, openssl: Openssl) -> None:
    printed = openssl(
        "x509", "-noout", "-serial", "-in", "certificate", certificate=keys["certificate"].encode()
    ).decode()

    (held,) = from_certificates(keys["certificate"])

    assert printed == f"serial={held.serial}\n"
    assert held.serial.startswith("0A")


@pytest.mark.parametrize("mode", KeyMode)
def test_the_oracle_believes_what_the_sandbox_signs(keys: Keys, mode: KeyMode) -> None:
    body = '{"code_url":"weixin://龙井"}'
    told = wire.signature_headers(keys, mode, body.encode(), NOW)
    public = {
        KeyMode.PUBLIC_KEY: lambda: oracle.load_public_key(keys["platform_public_key"]),
        KeyMode.CERTIFICATE: lambda: oracle.load_certificate(keys["certificate"]).public_key(),
    }[mode]()

    assert oracle.rsa_verify(
        told["Wechatpay-Timestamp"], told["Wechatpay-Nonce"], body,
        told["Wechatpay-Signature"], public,
    )  # fmt: skip


@given(data=st.binary(max_size=200), associated=st.sampled_from(["", "transaction", "订单"]))
def test_what_is_sealed_opens_alike_here_and_in_the_oracle(
    keys: Keys, data: bytes, associated: str
) -> None:
    text = data.hex()
    sealed = wire.sealed(keys, text.encode(), associated)
    cipher = AESGCM(keys["apiv3_key"].encode())

    assert open_sealed(cipher, Fields(sealed)) == text.encode()
    assert (
        oracle.aes_decrypt(sealed["nonce"], sealed["ciphertext"], associated, keys["apiv3_key"])
        == text
    )


def test_associated_data_may_be_absent(keys: Keys, gateway: WeChatPayGateway) -> None:
    sealed = wire.sealed(keys, b"inside", "")
    del sealed["associated_data"]

    assert open_sealed(gateway.cipher, Fields(sealed)) == b"inside"


@pytest.mark.parametrize(
    "spoil",
    [
        {"algorithm": "AES_256_CBC"},
        {"associated_data": "certificate"},
        {"nonce": ""},
        {"nonce": "short"},
        {"ciphertext": "no base64!"},
        {"ciphertext": ""},
        {"ciphertext": 7},
    ],
)
def test_a_broken_seal_stays_shut(
    keys: Keys, gateway: WeChatPayGateway, spoil: dict[str, object]
) -> None:
    sealed = wire.sealed(keys, b"inside", "transaction") | spoil

    with pytest.raises(Unreadable):
        open_sealed(gateway.cipher, Fields(sealed))


def test_the_signed_texts_end_every_line() -> None:
    assert request_text("GET", b"/v3/x?a=1", "5", "n", b"") == b"GET\n/v3/x?a=1\n5\nn\n\n"
    assert message_text("5", "n", b"") == b"5\nn\n\n"
    assert message_text("5", "n", b"{}\n") == b"5\nn\n{}\n\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_body_is_refused(
    keys: Keys, gateway: WeChatPayGateway, at: int, bit: int
) -> None:
    genuine = message(keys, trade(keys))
    body = bytearray(genuine.body)
    body[at % len(body)] ^= 1 << bit

    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(RawMessage(headers=genuine.headers, body=bytes(body), received_at=NOW))

    assert refusal.value.reason == "bad_signature"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_signature_is_refused(
    keys: Keys, gateway: WeChatPayGateway, at: int, bit: int
) -> None:
    genuine = message(keys, trade(keys))
    signature = bytearray(base64.b64decode(genuine.headers["wechatpay-signature"]))
    signature[at % len(signature)] ^= 1 << bit
    headers = {**genuine.headers, "wechatpay-signature": base64.b64encode(signature).decode()}

    with pytest.raises(NotAuthentic) as refusal:
        gateway.read(RawMessage(headers=headers, body=genuine.body, received_at=NOW))

    assert refusal.value.reason == "bad_signature"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(headers=st.dictionaries(
    st.sampled_from(["serial", "timestamp", "nonce", "signature", "signature-type"]),
    st.text(max_size=30), max_size=5,
))  # fmt: skip
def test_no_header_however_odd_does_more_than_be_refused(
    keys: Keys, gateway: WeChatPayGateway, headers: dict[str, str]
) -> None:
    genuine = lower(keys, KeyMode.PUBLIC_KEY, b"{}", NOW)
    odd = {**genuine, **{f"wechatpay-{name}": value for name, value in headers.items()}}
    del odd["wechatpay-signature-type"]
    odd["wechatpay-nonce"] += "x"

    with pytest.raises(NotAuthentic):
        gateway.read(RawMessage(headers=odd, body=b"{}", received_at=NOW))


def test_spoiled_base64_stays_base64() -> None:
    letter = Letter(headers={"Wechatpay-Signature": base64.b64encode(b"abcd").decode()}, body=b"")

    spoiled = SPEAKER.tamper(letter, "signature").headers["Wechatpay-Signature"]

    assert base64.b64decode(spoiled, validate=True) != b"abcd"
