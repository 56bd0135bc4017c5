"""Time stamps of outsiders (RFC 3161): somebody else's signature that a block stood there then.

Optional. Whoever can rewrite the database and the file of noted heads still cannot stamp a made-up
block with a time that is past.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from compliance.database import prepared

log: Final = logging.getLogger(__name__)

SECONDS_MAX: Final = 10.0
BYTES_MAX: Final = 64 * 1024
CHUNK: Final = 100

_UNSTAMPED: Final = """
SELECT b.number, b.hash FROM compliance_auditblock b
 WHERE b.number = (SELECT max(number) FROM compliance_auditblock)
   AND NOT EXISTS (SELECT FROM compliance_auditstamp s WHERE s.block = b.number)
"""
_KEEP: Final = """
INSERT INTO compliance_auditstamp (block, token) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_STAMPS: Final = """
SELECT s.block, s.token, b.hash FROM compliance_auditstamp s
  LEFT JOIN compliance_auditblock b ON b.number = s.block
 WHERE s.block > %s ORDER BY s.block LIMIT %s
"""


class StampRefused(Exception):
    """The time-stamp authority gave no answer that holds. The message says why."""


def stamp_audit() -> bool:
    """Have the newest block stamped, if there is an authority and it is not stamped yet.

    Called by the clockwork, outside of any transaction. An authority that cannot be reached stops
    nothing: the next run asks for the block that is the newest then.
    """
    if not settings.TSA_URL:
        return False
    rows = prepared(_UNSTAMPED)
    if not rows:
        return False
    number, digest = rows[0]
    try:
        token = _asked(digest)
    except StampRefused as refusal:
        log.warning("block %s of the audit trail was not time-stamped: %s", number, refusal)
        return False
    prepared(_KEEP, [number, token])
    return True


def authority() -> list[x509.Certificate]:
    """The certificates that stamps must lead to. Raises OSError or ValueError."""
    return x509.load_pem_x509_certificates(Path(settings.TSA_CERTIFICATE).read_bytes())


def count_stamps() -> int:
    """How many blocks are stamped."""
    count: int = prepared("SELECT count(*) FROM compliance_auditstamp")[0][0]
    return count


def first_wrong_stamp() -> int | None:
    """Check every stamp against its block and TSA_CERTIFICATE; the first block that fails."""
    roots = authority()
    for number, token, digest in _stamps():
        if digest is None or not _is_genuine(token, digest, roots):
            return number
    return None


def _stamps() -> Iterator[tuple[int, bytes, bytes | None]]:
    number = 0
    while rows := prepared(_STAMPS, [number, CHUNK]):
        for row in rows:
            yield row[0], row[1], row[2]
        number = rows[-1][0]


def _asked(digest: bytes) -> bytes:
    request = (
        TimestampRequestBuilder().data(digest).hash_algorithm(HashAlgorithm.SHA256).nonce().build()
    )
    token = _fetched(request.as_bytes())
    try:
        answer = decode_timestamp_response(token)
        _verify(answer, digest, authority(), nonce=request.nonce)
    except (VerificationError, ValueError, OSError) as error:
        raise StampRefused(f"its answer does not hold ({error})") from error
    return token


def _fetched(query: bytes) -> bytes:
    """The answer, whatever it is: no redirects, not long, not late."""
    try:
        with (
            httpx.Client(timeout=SECONDS_MAX) as http,
            http.stream(
                "POST", settings.TSA_URL, content=query,
                headers={"Content-Type": "application/timestamp-query"},
            ) as answer,
        ):  # fmt: skip
            if answer.status_code != httpx.codes.OK:
                raise StampRefused(f"it answered {answer.status_code}")
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > BYTES_MAX:
                    raise StampRefused("its answer is too long")
            return body
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StampRefused(f"it cannot be reached ({type(error).__name__})") from error


def _is_genuine(token: bytes, digest: bytes, roots: list[x509.Certificate]) -> bool:
    try:
        _verify(decode_timestamp_response(token), digest, roots)
    except (VerificationError, ValueError):
        return False
    return True


def _verify(
    answer: TimeStampResponse,
    digest: bytes,
    roots: list[x509.Certificate],
    *,
    nonce: int | None = None,
) -> None:
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    builder.build().verify_message(answer, digest)
