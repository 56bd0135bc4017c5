"""Each wrong paste of a key is called by its name, and a right one passes in every spelling."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from payments.channels import key_faults as faults

AT = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  the fault
CURVE = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "明前茶庄")])


def private(key=KEY, kind=PrivateFormat.PKCS8, lock=None) -> str:
    return str(key.private_bytes(Encoding.PEM, kind, lock or NoEncryption()), "ascii")


def public(key=KEY, kind=PublicFormat.SubjectPublicKeyInfo) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, kind), "ascii")


def certificate(key=KEY, *, start=AT - DAY, end=AT + DAY) -> str:
    made = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), 0xABC123, start, end)
        .sign(key, SHA256())
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM).decode()


def bare(pem: str) -> str:
    return "\n".join(line for line in pem.splitlines() if "-----" not in line)


REQUEST = (
    x509.CertificateSigningRequestBuilder(NAME).sign(KEY, SHA256()).public_bytes(Encoding.PEM)
).decode()
PKCS1, LOCK = PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"tea")


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PKCS1])
@pytest.mark.parametrize(
    "spell", [str, bare, lambda t: f"\n  {t}\n\n", lambda t: bare(t).replace("\n", "")]
)
def test_both_formats_pass_with_and_without_header(kind, spell):
    assert faults.find_private_key_fault(spell(private(kind=kind))) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing"),
        (" \n", "missing"),
        ("A" * 70_000, "too_long"),
        (private(lock=LOCK), "has_password"),
        (private(kind=PKCS1, lock=LOCK), "has_password"),
        (bare(private(lock=LOCK)), "has_password"),
        (public(), "is_public_key"),
        (bare(public()), "is_public_key"),
        (certificate(), "is_certificate"),
        (bare(certificate()), "is_certificate"),
        (REQUEST, "is_request"),
        (private(kind=PrivateFormat.OpenSSH), "is_openssh"),
        (private(SHORT), "too_short"),
        (private(CURVE), "not_rsa"),
        (private().replace("\n", "\\n"), "escaped_lines"),
        (private().split("-----END")[0], "header_broken"),
        (private().replace("-----BEGIN PRIVATE KEY-----\n", ""), "header_broken"),
        (private().replace("-----END", "----END"), "header_broken"),
        (private()[:800] + private()[1100:], "damaged"),
        (bare(private())[:-60], "damaged"),
        ("my key is in the drawer", "not_text"),
    ],
)
def test_a_wrong_private_key_is_called_by_its_name(text, code):
    fault = faults.find_private_key_fault(text)
    assert fault is not None
    assert fault.code == code
    assert fault.mend == faults.MENDS[code]


@pytest.mark.parametrize(
    "swap", [("RSA PRIVATE KEY", "PRIVATE KEY"), ("PRIVATE KEY", "RSA PRIVATE KEY")]
)
def test_a_header_of_the_other_format_is_a_mismatch_or_harmless(swap):
    kind = PKCS1 if swap[0].startswith("RSA") else PrivateFormat.PKCS8
    fault = faults.find_private_key_fault(private(kind=kind).replace(*swap))
    assert fault is None or fault.code == "header_mismatch"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (private(), "is_private_key"),
        (bare(private()), "is_private_key"),
        (private(lock=LOCK), "is_private_key"),
        (REQUEST, "is_request"),
        (public(SHORT), "too_short"),
        (public(CURVE), "not_rsa"),
        ("hello!", "not_text"),
    ],
)
def test_a_wrong_public_key_is_called_by_its_name(text, code):
    fault = faults.find_public_key_fault(text)
    assert fault is not None
    assert fault.code == code


@pytest.mark.parametrize(
    "text", [public(), bare(public()), certificate(), public(kind=PublicFormat.PKCS1)]
)
def test_every_spelling_of_a_public_key_passes(text):
    assert faults.find_public_key_fault(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (certificate(end=AT - timedelta(seconds=1)), "expired"),
        (certificate(start=AT + timedelta(hours=1)), "not_yet_valid"),
        (bare(certificate()), "header_broken"),
        (private(), "is_private_key"),
        (public(), "not_a_certificate"),
        (REQUEST, "is_request"),
        (certificate()[:400] + "\n-----END CERTIFICATE-----", "damaged"),
    ],
)
def test_a_wrong_certificate_is_called_by_its_name(text, code):
    fault = faults.find_certificate_fault(text, at=AT)
    assert fault is not None
    assert fault.code == code


def test_a_bundle_is_good_while_one_of_it_is():
    old = certificate(end=AT - timedelta(seconds=1))
    assert faults.find_certificate_fault(old + certificate(), at=AT) is None


def test_a_pair_belongs_together_or_not():
    assert faults.find_pair_fault(private(), certificate()) is None
    fault = faults.find_pair_fault(private(), certificate(OTHER))
    assert fault == faults.KeyFault(code="wrong_pair")


def test_a_certificate_shows_its_subject_number_and_end():
    (one,) = faults.certificates_in(certificate())
    facts = faults.facts_of_certificate(one)
    assert (facts.subject, facts.serial, facts.valid_until) == ("CN=明前茶庄", "ABC123", AT + DAY)
    assert faults.expires_at(certificate()) == AT + DAY
    assert faults.key_fingerprint(KEY.public_key()) != faults.key_fingerprint(OTHER.public_key())


def test_every_problem_that_a_dialect_names_is_told_in_words():
    root = Path(faults.__file__).parent
    named = re.compile(
        r"(?:BadCredential\((?:\"\w+\"|name), |KeyUnusable\(|BadCertificate\()\"([a-z_0-9]+)\"\)"
    )
    problems = {
        problem for path in root.rglob("*.py") if "sandbox" not in path.parts
        for problem in named.findall(path.read_text())
    }  # fmt: skip
    assert "not_a_certificate" in problems
    assert {p for p in problems if faults.fault_of_problem(p).code == "unusable"} == set()


@given(st.text(max_size=200))
def test_no_text_whatever_breaks_the_diagnosis(text):
    for found in (
        faults.find_private_key_fault(text),
        faults.find_public_key_fault(text),
        faults.find_certificate_fault(text, at=AT),
    ):
        assert found is not None
        assert found.code in faults.MENDS


@given(st.integers(0, 1600), st.sampled_from("AZ09+ =-\n"))
def test_a_changed_character_never_passes_as_another_key(position, character):
    text = private()
    changed = text[:position] + character + text[position + 1 :]
    if faults.find_private_key_fault(changed) is None:
        assert faults.find_pair_fault(changed, public()) is None
