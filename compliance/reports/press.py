"""Draws a page of HTML as PDF/A-3 with files inside it. Runs as a program: see `apart`.

Equal pages, files and versions give equal bytes. Nothing is fetched.
"""

from datetime import datetime
from typing import Any, Final

from weasyprint import HTML, Attachment

from compliance.reports.apart import Head, Parts, serve

VARIANT: Final = "pdf/a-3u"
MEMORY_MAX: Final = 3 * 1024**3
CPU_SECONDS_MAX: Final = 480


def press(head: Head, parts: Parts) -> tuple[Head, Parts]:
    """The PDF of the first part, which is HTML, with the others as files under their names."""
    made_at = datetime.fromisoformat(head["made_at"])
    page, *contents = parts
    document = HTML(string=page.decode(), base_url=None, url_fetcher=_fetch_nothing).render()
    document.metadata.attachments = [
        Attachment(
            string=content, name=name, relationship="Data", created=made_at, modified=made_at
        )
        for name, content in zip(head["names"], contents, strict=True)
    ]
    document.metadata.created = document.metadata.modified = made_at.isoformat()
    identity = bytes.fromhex(head["identity"])
    made: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=identity)
    return {}, [made]


def _fetch_nothing(url: str, *_args: Any, **_more: Any) -> Any:
    raise ValueError(f"a report reaches for nothing outside itself: {url[:60]}")


if __name__ == "__main__":
    serve(press, memory_max=MEMORY_MAX, cpu_seconds_max=CPU_SECONDS_MAX)
