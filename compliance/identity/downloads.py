"""Hands an opened file to a browser, which is to store nothing of it and run nothing in it."""

from urllib.parse import quote

from django.http import HttpResponse

from compliance.protection.vault.files import OpenedFile


def file_answer(opened: OpenedFile) -> HttpResponse:
    """The answer of a view that has asked whether the reader may see the file."""
    return HttpResponse(
        opened.content,
        content_type=opened.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(opened.name)}",
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
