"""What we sign and whom we believe, with the openssl program as the judge."""

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from payments.channels.base import BadCredential, Connection, Done, FormPost, NotAuthentic
from payments.channels.http import GatewayHttp
from payments.channels.sandbox.keyring import private_text
from payments.channels.sandbox.unionpay import SPEAKER
from payments.channels.sandbox.unionpay.certificates import HOLDER, Authority, holder, new_key, pem
from payments.channels.unionpay import UnionPay
from payments.channels.unionpay.chain import KEPT_MAX, Chain, certificate
from payments.channels.unionpay.gateway import UnionPayGateway
from payments.channels.unionpay.message import signed_text
from tests.channels.unionpay.scene import NOW, NUMBER, Keys, connect, message, order, paid, sealed


def openssl(*arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", *map(str, arguments)],
        input=given, capture_output=True, check=False,
    )  # fmt: skip


def hexadecimal(text: str) -> bytes:
    """The inner digest, made by openssl."""
    return openssl("dgst", "-sha256", "-r", given=text.encode()).stdout.split(b" ")[0]


def test_openssl_verifies_what_we_sign(keys: Keys, gateway: UnionPayGateway, tmp_path: Path):
    shown = gateway.open(order("gateway"))
    assert isinstance(shown, Done)
    assert isinstance(shown.value, FormPost)
    fields = dict(shown.value.fields)
    signature = base64.b64decode(fields.pop("signature"))
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "certificate").write_text(keys["merchant_certificate"])
    public = openssl("x509", "-pubkey", "-noout", "-in", tmp_path / "certificate").stdout
    (tmp_path / "public").write_bytes(public)

    verdict = openssl(
        "dgst", "-sha256", "-verify", tmp_path / "public", "-signature", tmp_path / "signature",
        given=hexadecimal(text),
    )  # fmt: skip

    assert verdict.stdout == b"Verified OK\n"
    serial = openssl("x509", "-serial", "-noout", "-in", tmp_path / "certificate").stdout
    assert fields["certId"] == str(int(serial.strip().removeprefix(b"serial="), 16))


def test_we_believe_what_openssl_signs(keys: Keys, gateway: UnionPayGateway, tmp_path: Path):
    fields = paid(keys)
    (tmp_path / "private").write_text(keys["gateway_private_key"])
    signature = openssl(
        "dgst", "-sha256", "-sign", tmp_path / "private", given=hexadecimal(signed_text(fields))
    ).stdout

    told = gateway.read(message({**fields, "signature": base64.b64encode(signature).decode()}))

    assert told.trade is not None
    assert told.trade.number == NUMBER


def test_one_hash_is_not_enough(keys: Keys, gateway: UnionPayGateway, tmp_path: Path):
    fields = paid(keys)
    (tmp_path / "private").write_text(keys["gateway_private_key"])
    signature = openssl(
        "dgst", "-sha256", "-sign", tmp_path / "private", given=signed_text(fields).encode()
    ).stdout

    with pytest.raises(NotAuthentic, match="bad_signature"):
        gateway.read(message({**fields, "signature": base64.b64encode(signature).decode()}))


def test_the_plus_signs_of_a_signature_survive(keys: Keys, gateway: UnionPayGateway):
    several = (sealed(paid(keys, traceNo=f"{n:06}"), keys) for n in range(40))
    good = message(next(fields for fields in several if "+" in fields["signature"]))

    assert b"%2B" in good.body
    assert gateway.read(good).trade is not None
    undone = good.body.replace(b"%2B", b"+")
    with pytest.raises(NotAuthentic):
        gateway.read(type(good)(headers={}, body=undone, received_at=NOW))


def self_signed(_: Authority, __: Authority) -> tuple[rsa.RSAPrivateKey, str]:
    stranger = Authority(HOLDER)
    key = new_key()
    stranger.subject = holder(HOLDER)
    stranger.key = key
    return key, pem(stranger.issue(stranger.subject, key))


def of_another_root(_: Authority, __: Authority) -> tuple[rsa.RSAPrivateKey, str]:
    middle = Authority("Sandbox OCA", Authority("Sandbox Root CA"))
    key = new_key()
    return key, pem(middle.issue(holder(HOLDER), key))


def expired(_: Authority, middle: Authority) -> tuple[rsa.RSAPrivateKey, str]:
    key = new_key()
    until = datetime.now(UTC) - timedelta(days=1)
    return key, pem(middle.issue(holder(HOLDER), key, until=until))


def straight_from_root(root: Authority, _: Authority) -> tuple[rsa.RSAPrivateKey, str]:
    key = new_key()
    return key, pem(root.issue(holder(HOLDER), key))


def good(_: Authority, middle: Authority) -> tuple[rsa.RSAPrivateKey, str]:
    key = new_key()
    return key, pem(middle.issue(holder(HOLDER), key))


def pinned(root: Authority, middle: Authority, keys: Keys) -> Keys:
    return {
        **keys, "root_certificate": pem(root.certificate),
        "middle_certificate": pem(middle.certificate),
    }  # fmt: skip


@pytest.fixture(scope="module")
def authorities() -> tuple[Authority, Authority]:
    root = Authority("Sandbox Root CA")
    return root, Authority("Sandbox OCA", root)


Forger = Callable[[Authority, Authority], tuple[rsa.RSAPrivateKey, str]]


@pytest.mark.parametrize("forge", [good, self_signed, of_another_root, expired])
def test_we_believe_the_certificates_that_openssl_believes(
    forge: Forger, authorities: tuple[Authority, Authority], keys: Keys, tmp_path: Path
):
    root, middle = authorities
    key, leaf = forge(root, middle)
    for name, text in {"root": pem(root.certificate), "middle": pem(middle.certificate),
                       "leaf": leaf}.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    verdict = openssl("verify", "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "middle",
                      tmp_path / "leaf")  # fmt: skip
    held = {**pinned(root, middle, keys), "gateway_private_key": private_text(key),
            "gateway_certificate": leaf}  # fmt: skip
    at = datetime.now(UTC)
    gateway = connect(held)
    note = message(sealed(paid(held), held), at)

    assert (verdict.returncode == 0) is (forge is good)
    if forge is good:
        assert gateway.read(note).trade is not None
    else:
        with pytest.raises(NotAuthentic, match="unknown_key"):
            gateway.read(note)


def test_a_leaf_must_come_from_the_middle(authorities: tuple[Authority, Authority], keys: Keys):
    root, middle = authorities
    key, leaf = straight_from_root(root, middle)
    held = {**pinned(root, middle, keys), "gateway_private_key": private_text(key),
            "gateway_certificate": leaf}  # fmt: skip

    with pytest.raises(NotAuthentic, match="unknown_key"):
        connect(held).read(message(sealed(paid(held), held)))


@pytest.mark.parametrize(
    ("name", "is_unionpay"),
    [
        ("041@8310000000083040@中国银联股份有限公司@00016495", True),
        ("041@Z12@00040000:SIGN@00000062", True),
        ("041@Z12@某某科技有限公司@00000062", False),
        ("041@中国银联股份有限公司@某某科技有限公司@1", False),
        ("中国银联股份有限公司", False),
        ("041@Z12@中国银联股份有限公司@1@2", False),
        ("041@Z12@00040000:SIGN", False),
    ],
)
def test_only_unionpay_itself_may_sign(
    name: str, is_unionpay: bool, authorities: tuple[Authority, Authority], keys: Keys
):
    root, middle = authorities
    key = new_key()
    held = {**pinned(root, middle, keys), "gateway_private_key": private_text(key),
            "gateway_certificate": pem(middle.issue(holder(name), key))}  # fmt: skip
    note = message(sealed(paid(held), held))

    if is_unionpay:
        assert connect(held).read(note).trade is not None
    else:
        with pytest.raises(NotAuthentic, match="unknown_key"):
            connect(held).read(note)


def test_a_merchants_own_certificate_signs_nothing_for_unionpay(keys: Keys):
    fake = {**keys, "gateway_private_key": keys["merchant_private_key"],
            "gateway_certificate": keys["merchant_certificate"]}  # fmt: skip

    with pytest.raises(NotAuthentic, match="unknown_key"):
        connect(keys).read(message(sealed(paid(fake), fake)))


def test_a_strangers_whole_world_is_refused(keys: Keys, other_keys: Keys, gateway: UnionPayGateway):
    with pytest.raises(NotAuthentic, match="unknown_key"):
        gateway.read(message(sealed(paid({**other_keys, "mer_id": keys["mer_id"]}), other_keys)))


def test_a_good_certificate_does_not_vouch_for_another_key(
    keys: Keys, other_keys: Keys, gateway: UnionPayGateway
):
    with pytest.raises(NotAuthentic, match="bad_signature"):
        gateway.read(message(sealed(paid(keys), other_keys)))


def test_a_remembered_certificate_still_expires(
    authorities: tuple[Authority, Authority], keys: Keys
):
    root, middle = authorities
    key = new_key()
    until = NOW + timedelta(days=1)
    held = {**pinned(root, middle, keys), "gateway_private_key": private_text(key),
            "gateway_certificate": pem(middle.issue(holder(HOLDER), key, until=until))}  # fmt: skip
    gateway, fields = connect(held), sealed(paid(held), held)

    assert gateway.read(message(fields, NOW)).trade is not None
    with pytest.raises(NotAuthentic, match="unknown_key"):
        gateway.read(message(fields, NOW + timedelta(days=2)))


def test_the_memory_of_certificates_is_bounded(authorities: tuple[Authority, Authority]):
    root, middle = authorities
    chain = Chain(
        root=certificate(pem(root.certificate)), middle=certificate(pem(middle.certificate))
    )
    key = new_key()
    leaves = [pem(middle.issue(holder(HOLDER), key)) for _ in range(KEPT_MAX + 2)]

    found = [chain.key_of(leaf, at=NOW) for leaf in leaves]

    assert {each.public_numbers() for each in found} == {key.public_key().public_numbers()}
    assert len(chain._kept) <= KEPT_MAX


@pytest.mark.parametrize("pinned_hash", ["sha1", "sha256"])
def test_only_what_was_pinned_can_allow_sha1(pinned_hash: str, keys: Keys, tmp_path: Path):
    held = {**keys, **chain_by_openssl(tmp_path, authorities_hash=pinned_hash, leaf_hash="sha1")}
    gateway = connect(held)
    note = message(sealed(paid(held), held), datetime.now(UTC))

    if pinned_hash == "sha1":
        assert gateway.read(note).trade is not None
    else:
        with pytest.raises(NotAuthentic, match="unknown_key"):
            gateway.read(note)


def chain_by_openssl(folder: Path, *, authorities_hash: str, leaf_hash: str) -> dict[str, str]:
    """Root, middle and leaf made by the openssl program, as the published test chain is: SHA-1."""
    authority = folder / "authority"
    authority.write_text("basicConstraints=critical,CA:TRUE\n")
    for name, subject in (
        ("root", "/CN=Root"),
        ("middle", "/CN=Middle"),
        ("leaf", f"/CN={HOLDER}"),
    ):
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-utf8", "-subj", subject,
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.req")  # fmt: skip
    common = ("x509", "-req", "-days", "30")
    by = {
        "root": ("-signkey", folder / "root.key", "-extfile", authority, f"-{authorities_hash}"),
        "middle": ("-CA", folder / "root.pem", "-CAkey", folder / "root.key", "-set_serial", "2",
                   "-extfile", authority, f"-{authorities_hash}"),
        "leaf": ("-CA", folder / "middle.pem", "-CAkey", folder / "middle.key", "-set_serial", "3",
                 f"-{leaf_hash}"),
    }  # fmt: skip
    for name, how in by.items():
        openssl(*common, "-in", folder / f"{name}.req", "-out", folder / f"{name}.pem", *how)
    return {
        "root_certificate": (folder / "root.pem").read_text(),
        "middle_certificate": (folder / "middle.pem").read_text(),
        "gateway_certificate": (folder / "leaf.pem").read_text(),
        "gateway_private_key": (folder / "leaf.key").read_text(),
    }


@pytest.mark.parametrize(
    "changes", [{"version": "5.0.0"}, {"signMethod": "11"}, {"signMethod": "12"}, {"version": None}]
)
def test_a_message_may_not_choose_a_weaker_signature(
    changes: dict[str, str | None], keys: Keys, gateway: UnionPayGateway
):
    with pytest.raises(NotAuthentic, match="bad_signature"):
        gateway.read(message(sealed(paid(keys, **changes), keys)))


@pytest.mark.parametrize("missing", ["signature", "signPubKeyCert"])
def test_an_unsigned_message_is_refused(missing: str, keys: Keys, gateway: UnionPayGateway):
    fields = sealed(paid(keys), keys)
    del fields[missing]

    with pytest.raises(NotAuthentic, match="unsigned"):
        gateway.read(message(fields))


@pytest.mark.parametrize(
    "junk",
    ["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "A" * 20_000],
)
def test_junk_instead_of_a_certificate_is_refused(junk: str, keys: Keys, gateway: UnionPayGateway):
    with pytest.raises(NotAuthentic, match="unknown_key"):
        gateway.read(message(sealed(paid(keys, signPubKeyCert=junk), keys)))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_certificate_with_any_broken_byte_is_refused(keys: Keys, gateway: UnionPayGateway):
    whole = certificate(keys["gateway_certificate"]).public_bytes(Encoding.DER)
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 1 + at % 255
        text = base64.encodebytes(bytes(broken)).decode()
        leaf = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
        # The signature need not be good: the certificate is looked at first.
        with pytest.raises(NotAuthentic, match="unknown_key"):
            gateway.read(message(paid(keys, signPubKeyCert=leaf, signature="AAAA")))


def test_two_certificates_in_one_message_are_refused(keys: Keys, gateway: UnionPayGateway):
    both = keys["gateway_certificate"] + keys["merchant_certificate"]

    with pytest.raises(NotAuthentic, match="unknown_key"):
        gateway.read(message(sealed(paid(keys, signPubKeyCert=both), keys)))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("mer_id", "12345", "not_a_merchant_number"),
        ("merchant_private_key", "no", "not_a_private_key"),
        ("merchant_certificate", "no", "not_a_certificate"),
        ("merchant_certificate", "root_certificate", "not_of_this_key"),
        ("unionpay_root_certificate", "", "not_a_certificate"),
        ("unionpay_root_certificate", "merchant_certificate", "not_issued_by_root"),
        ("unionpay_middle_certificate", "root_certificate", ""),
        ("unionpay_middle_certificate", "gateway_certificate", "not_issued_by_root"),
    ],
)
def test_a_wrong_credential_is_named(name: str, value: str, problem: str, keys: Keys):
    given = {**SPEAKER.credentials(keys), name: keys.get(value, value)}
    connection = Connection(code="u", base_url="", front_url="", credentials=given)

    if not problem:
        assert UnionPay().connect(connection, GatewayHttp()).merchant_number == keys["mer_id"]
        return
    with pytest.raises(BadCredential) as refusal:
        UnionPay().connect(connection, GatewayHttp())

    assert refusal.value.problem == problem
    is_chain = problem == "not_issued_by_root"
    assert refusal.value.name == ("unionpay_middle_certificate" if is_chain else name)


def test_a_short_or_foreign_key_is_no_certificate_of_ours(keys: Keys, tmp_path: Path):
    made = openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=x", "-keyout",
                   tmp_path / "key")  # fmt: skip
    curve = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=x", "-keyout", tmp_path / "key")  # fmt: skip

    for text, problem in ((made.stdout, "too_short"), (curve.stdout, "not_rsa")):
        given = {**SPEAKER.credentials(keys), "unionpay_middle_certificate": text.decode()}
        connection = Connection(code="u", base_url="", front_url="", credentials=given)
        with pytest.raises(BadCredential, match=problem):
            UnionPay().connect(connection, GatewayHttp())
