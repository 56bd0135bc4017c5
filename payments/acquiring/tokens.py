"""Checkout tokens: a payment's number and a proof that we gave it out. No list decides."""

import hashlib
import hmac
from functools import cache, lru_cache
from typing import Final

from django.conf import settings

from payments.errors import Refusal

_PROOF_CHARACTERS: Final = 22
_PREFIX: Final = "pay_"


class TokenForged(Refusal):
    """Not a checkout token that this platform gave out."""

    code = "checkout_unknown"


def checkout_token(public_id: str) -> str:
    """The token for a payment's checkout page. Knowing the payment's number is not enough to make
    it.
    """
    body = public_id.removeprefix(_PREFIX)
    return body + _proof(body, settings.SECRET_KEY)


def payment_of(token: str) -> str:
    """The payment's public id. Raises TokenForged."""
    body, proof = token[:-_PROOF_CHARACTERS], token[-_PROOF_CHARACTERS:]
    if not token.isascii() or not body:
        raise TokenForged
    for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
        if hmac.compare_digest(_proof(body, str(secret)), proof):
            return _PREFIX + body
    raise TokenForged


def checkout_url(public_id: str) -> str:
    """The absolute address of a payment's hosted checkout page."""
    return f"{checkout_pages()}{checkout_token(public_id)}/"


def checkout_pages() -> str:
    """Where all checkout pages are; a token and a slash make it the address of one."""
    return f"{settings.BASE_URL}/pay/"


@lru_cache(maxsize=256)
def _proof(body: str, secret: str) -> str:
    digest = hmac.digest(_key(secret), body.encode(), "sha256")
    return digest.hex()[:_PROOF_CHARACTERS]


@cache
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"checkout token\0" + secret.encode()).digest()
