"""Certificate mode: serials as Alipay names them, the chain, and messages signed by serial."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from alipay import DCAliPay
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from payments.channels import signing
from payments.channels.alipay import Alipay, keyholder
from payments.channels.alipay.gateway import AlipayGateway
from payments.channels.base import (
    BadCredential,
    Connection,
    Done,
    NotAuthentic,
    Outcome,
    Trade,
    Unknown,
)
from payments.channels.http import GatewayHttp
from payments.channels.sandbox.keyring import private_text
from tests.channels.alipay.conftest import key_of, message


def name(common: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Ant Financial"),
             (NameOID.ORGANIZATIONAL_UNIT_NAME, "CA"), (NameOID.COMMON_NAME, common))  # fmt: skip
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


class Holder:
    """A key and its certificate, issued by another holder or by itself."""

    def __init__(
        self,
        common: str,
        issuer: "Holder | None" = None,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
        *,
        is_authority: bool = False,
    ) -> None:
        self.key = key or rsa.generate_private_key(65537, 2048)
        self.name, by = name(common), issuer or self
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(by.key, SHA256())
        )
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def kit():
    """Two roots, one of them not RSA; Alipay's chain; our certificate; a stranger's root."""
    root = Holder("Root R1", is_authority=True)
    elliptic = Holder("Root E1", key=ec.generate_private_key(ec.SECP256R1()), is_authority=True)
    middle = Holder("Class 2 R1", root, is_authority=True)
    alipay, ours = Holder("Alipay (China)", middle), Holder("Our shop", middle)
    stranger = Holder("Root R1", is_authority=True)
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    return {
        "alipay": alipay, "middle": middle, "stranger": stranger, "ours": ours, "root": root,
        "roots": "\r\n".join((broken, elliptic.pem, root.pem)),
        "clean_roots": "\n".join((elliptic.pem, root.pem)),
    }  # fmt: skip


@pytest.fixture
def credentials(kit):
    return {
        "app_id": "2021", "seller_id": "2088", "app_private_key": private_text(kit["ours"].key),
        "app_cert": kit["ours"].pem, "alipay_root_cert": kit["roots"],
        "alipay_cert": kit["alipay"].pem + kit["middle"].pem,
    }  # fmt: skip


def connect(
    credentials: dict[str, str], transport: httpx.BaseTransport | None = None
) -> AlipayGateway:
    connection = Connection(
        code="alipay", base_url="http://a", front_url="http://a", credentials=credentials
    )
    return Alipay().connect(connection, GatewayHttp(transport=transport))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_serials_are_those_of_the_sdk(kit, credentials):
    keys = keyholder.load(credentials)
    assert keys.named == {
        "app_cert_sn": DCAliPay.get_cert_sn(kit["ours"].pem),
        "alipay_root_cert_sn": DCAliPay.get_root_cert_sn(kit["clean_roots"]),
    }
    assert list(keys.alipay) == [DCAliPay.get_cert_sn(kit["alipay"].pem)]


def test_calls_name_our_certificates_and_answers_are_checked_by_theirs(kit, credentials, order):
    node = (
        '{"code":"10000","out_trade_no":"att01","trade_status":"TRADE_SUCCESS",'
        '"total_amount":"88.80"}'
    )
    sent = []

    def answering(serial: str, key: RSAPrivateKey) -> Outcome[Trade]:
        sign = signing.sign(key, node.encode())
        body = (
            f'{{"alipay_trade_query_response":{node},"alipay_cert_sn":"{serial}","sign":"{sign}"}}'
        )

        def answer(request):
            sent.append(request)
            return httpx.Response(200, content=body.encode())

        return connect(credentials, httpx.MockTransport(answer)).query(key_of(order()))

    serial = keyholder.serial(kit["alipay"].certificate)
    assert isinstance(answering(serial, kit["alipay"].key), Done)
    assert answering("0" * 32, kit["alipay"].key) == Unknown(reason="bad_signature")
    assert answering(serial, kit["stranger"].key) == Unknown(reason="bad_signature")
    params = dict(parse_qsl(sent[0].url.query.decode()))
    assert params["app_cert_sn"] == keyholder.serial(kit["ours"].certificate)
    assert params["alipay_root_cert_sn"] == keyholder.serial(kit["root"].certificate)


def test_notifications_are_checked_by_alipays_certificate(kit, credentials):
    fields = {"notify_id": "n1", "charset": "utf-8"}
    text = b"charset=utf-8&notify_id=n1"
    true = urlencode(fields | {"sign": signing.sign(kit["alipay"].key, text)}).encode()
    assert connect(credentials).read(message(true)).key == "n1"
    forged = urlencode(fields | {"sign": signing.sign(kit["ours"].key, text)}).encode()
    with pytest.raises(NotAuthentic):
        connect(credentials).read(message(forged))


def test_every_unusable_credential_is_named(kit, credentials, keys):
    plain = {
        "app_id": "2021", "seller_id": "2088", "app_private_key": keys["merchant_private"],
        "alipay_public_key": keys["gateway_public"],
    }  # fmt: skip
    wrong = [
        (plain, {"app_id": ""}, "app_id: missing"),
        (plain, {"seller_id": "2088x"}, "seller_id: not_a_number"),
        (plain, {"app_private_key": ""}, "app_private_key: not_a_private_key"),
        (plain, {"app_private_key": keys["gateway_public"]}, "app_private_key: not_a_private_key"),
        (plain, {"alipay_public_key": " "}, "alipay_public_key: missing"),
        (plain, {"alipay_public_key": "AAAA"}, "alipay_public_key: not_a_public_key"),
        (plain, {"alipay_public_key": keys["merchant_public"]},
         "alipay_public_key: is_our_own_key"),
        (credentials, {"app_cert": kit["alipay"].pem}, "app_cert: not_for_this_key"),
        (credentials, {"app_cert": "x"}, "app_cert: not_a_certificate"),
        (credentials, {"alipay_root_cert": ""}, "alipay_root_cert: not_a_certificate"),
        (credentials, {"alipay_root_cert": kit["stranger"].pem}, "alipay_cert: not_issued_by_root"),
        (credentials, {"alipay_cert": kit["alipay"].pem}, "alipay_cert: not_issued_by_root"),
        (credentials, {"alipay_cert": ""}, "alipay_cert: not_a_certificate"),
        (credentials, {"alipay_cert": kit["middle"].pem}, "alipay_cert: holds_no_rsa_key"),
    ]  # fmt: skip
    for good, change, problem in wrong:
        with pytest.raises(BadCredential) as refusal:
            connect({**good, **change})
        assert str(refusal.value) == problem


def test_keys_come_in_every_shape_operators_paste(keys):
    def bare(pem: str) -> str:
        return "".join(line for line in pem.splitlines() if "-----" not in line)

    for private, public in (
        (keys["merchant_private"], keys["gateway_public"]),
        (bare(keys["merchant_private"]), bare(keys["gateway_public"])),
        (f"\n {keys['merchant_private']}\n", f"{keys['gateway_public']}\n\n"),
    ):
        gateway = connect(
            {"app_id": "2021", "seller_id": "2088", "app_private_key": private,
             "alipay_public_key": public}
        )  # fmt: skip
        assert (gateway.app_number, gateway.merchant_number) == ("2021", "2088")
