"""Keeps what a customer is shown on the attempt's row, and reads it back."""

from datetime import datetime
from typing import Any

from payments.channels.base import FormPost, Presentation, QrCode, Redirect


def to_row(presentation: Presentation) -> dict[str, Any]:
    """The JSON for `Attempt.presentation`."""
    match presentation:
        case QrCode():
            return {
                "kind": "qr",
                "content": presentation.content,
                "expires_at": presentation.expires_at.isoformat(),
            }
        case Redirect():
            return {"kind": "redirect", "url": presentation.url}
        case FormPost():
            return {
                "kind": "form",
                "url": presentation.url,
                "fields": [list(pair) for pair in presentation.fields],
            }


def from_row(row: dict[str, Any] | None) -> Presentation | None:
    """What `to_row` kept."""
    match row:
        case {"kind": "qr", "content": content, "expires_at": expires_at}:
            return QrCode(content=content, expires_at=datetime.fromisoformat(expires_at))
        case {"kind": "redirect", "url": url}:
            return Redirect(url=url)
        case {"kind": "form", "url": url, "fields": fields}:
            return FormPost(url=url, fields=tuple((name, value) for name, value in fields))
        case _:
            return None
