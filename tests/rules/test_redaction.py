"""What must not be read in logs is taken out of them, and what support needs stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.protection.redaction import is_card_number, is_identity_number, redacted

IDENTITY = "11010519491231002X"
CARD = "6222021234567890128"


def test_the_examples_are_what_they_say():
    assert is_identity_number(IDENTITY)
    assert is_card_number("4111111111111111")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk_test_0123456789abcdef", "key sk_test_***"),
        ("sk_live_0123456789abcdef,", "sk_live_***,"),
        ("signed with whsec_MfKQ9r8GKYqr+Tw/=", "signed with whsec_***"),
        ("Authorization: Bearer sk_live_0123456789", "Authorization: Bearer ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"),
        ("Cookie: sessionid=abc; csrftoken=def", "Cookie: ***"),
        ("{'password': 'hunter2 and more', 'a': 1}", "{'password': '***', 'a': 1}"),
        ('{"totp_secret": "JBSW\\"Y3", "n": 2}', '{"totp_secret": "***", "n": 2}'),
        ("new_password=hunter2&next=/", "new_password=***&next=/"),
        ("api_key = abcdef, left", "api_key = ***, left"),
        ("secret => abc", "secret => ***"),
        ("postgres://paysite:hunter2@db/1", "postgres://paysite:***@db/1"),
        (f"person {IDENTITY}.", "person ***."),
        (f"person {IDENTITY.lower()}", "person ***"),
        ("card 4111 1111 1111 1111 refused", "card *** refused"),
        ("card 4111-1111-1111-1111", "card ***"),
        ("call 13800138000 now", "call 138*** now"),
        ("电话13800138000。", "电话138***。"),
        ("+86 138 0013 8000", "+86 138***"),
        (
            "/pay/01kawf3x9e5m2v7t8q4zbyhgcd0123456789abcdef012345/status",
            "/pay/01kawf3x9e5m2v7t8q4zbyhgcd***/status",
        ),
        ("/link/password/0123456789_abc-DEFGHIJ/", "/link/password/***/"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY----- and",
            "-----BEGIN RSA PRIVATE KEY-----*** and",
        ),
        ("-----BEGIN PRIVATE KEY-----\\nMIIEcut off", "-----BEGIN PRIVATE KEY-----***"),
    ],
)
def test_secrets_go(text, shown):
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "payment pay_01kawf3x9e5m2v7t8q4zbyhgcd is paid: 12800",
        "110105194912310021 proves nothing",
        "4111111111111112 is no card",
        "order 20261123143346 of 2026-11-23T14:33:46.123456",
        "23800138000 is no telephone",
        "the token is missing",
        "code=ability_missing status=403",
        "data key dk_01kawf3x9e is retired",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@given(st.integers(13 * 10**9, 20 * 10**9 - 1), st.text(" ,;:，。", max_size=3))
def test_no_mobile_number_stays_whole(number, around):
    assert str(number) not in redacted(f"{around}{number}{around}")
