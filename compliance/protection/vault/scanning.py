"""Asks a virus scanner, by ClamAV's INSTREAM. Whom nobody scans, waits."""

import socket
import struct
import time
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

CHUNK: Final = 64 * 1024
SECONDS_MAX: Final = 30.0
ANSWER_MAX: Final = 4096
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Scan(Enum):
    """What the scanner said. UNKNOWN: nothing that we can rely on."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNKNOWN = "unknown"


def scan(content: bytes) -> Scan:
    """Have a file scanned by the scanner that the settings name. Never inside a transaction.

    Without a scanner nothing is known, except in the demo, where only the agreed test file is
    found.
    """
    if not settings.CLAMD:
        if not settings.DEMO:
            return Scan.UNKNOWN
        return Scan.INFECTED if EICAR in content else Scan.CLEAN
    try:
        return _told(_ask(content))
    except (OSError, ValueError):  # Also an address that is none: see paysite.safety.
        return Scan.UNKNOWN


def _ask(content: bytes) -> bytes:
    end = time.monotonic() + SECONDS_MAX
    with _connection() as line:
        line.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            _hurry(line, end)
            line.sendall(struct.pack(">I", len(part)) + part)
        line.sendall(struct.pack(">I", 0))
        answer = b""
        while b"\0" not in answer and len(answer) < ANSWER_MAX:
            _hurry(line, end)
            part = line.recv(ANSWER_MAX)
            if not part:
                break
            answer += part
    return answer


def _hurry(line: socket.socket, end: float) -> None:
    """The time is for all of it: who answers one byte now and then holds nobody up."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    line.settimeout(left)


def _connection() -> socket.socket:
    address = urlsplit(settings.CLAMD)
    if address.scheme != "unix":
        return socket.create_connection((address.hostname, address.port or 3310), SECONDS_MAX)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(SECONDS_MAX)
        line.connect(address.path)
    except OSError:
        line.close()
        raise
    return line


def _told(answer: bytes) -> Scan:
    told = answer.rstrip(b"\0\n")
    if told == b"stream: OK":
        return Scan.CLEAN
    return Scan.INFECTED if told.endswith(b" FOUND") else Scan.UNKNOWN
