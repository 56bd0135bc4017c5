"""Hands an opened file to a browser, which is to store nothing of it and run nothing in it."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse

from compliance.protection.vault.files import OpenedFile

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def file_answer(opened: OpenedFile) -> HttpResponse:
    """The answer of a view that has asked whether the reader may see the file."""
    return HttpResponse(
        opened.content,
        content_type=opened.media_type,
        headers={**HEADERS, "Content-Disposition": _attached(opened.name)},
    )


def pieces_answer(pieces: Iterator[bytes], *, name: str, media_type: str) -> StreamingHttpResponse:
    """The same of a file that is too long to be held."""
    return StreamingHttpResponse(
        pieces,
        content_type=media_type,
        headers={**HEADERS, "Content-Disposition": _attached(name)},
    )


def _attached(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name)}"
