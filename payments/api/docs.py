"""The documentation that people read at /api/docs/, rendered from the OpenAPI document."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from payments.api import reading
from payments.api.codes import FIELD_PROBLEMS, PROBLEMS, SAMPLE
from payments.api.openapi import openapi

QUICKSTART: Final = Path(__file__).parents[2] / "docs" / "quickstart.py"


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/"""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return render(request, "api/docs.html", _context(language))


@cache
def _context(language: str) -> dict[str, Any]:
    """What the page shows in a language. The document does not change while a process lives."""
    document = openapi(language)
    with translation.override(language):
        problems = [
            (code, kind.status.value, str(kind.title), str(kind.detail) % SAMPLE)
            for code, kind in PROBLEMS.items()
        ]
        fields = [(code, str(sentence) % SAMPLE) for code, sentence in FIELD_PROBLEMS.items()]
    return {
        "calls": reading.calls(document),
        "callbacks": reading.callbacks(document),
        "shapes": reading.shapes(document),
        "problems": problems,
        "field_problems": fields,
        "base_url": settings.BASE_URL,
        "quickstart": QUICKSTART.read_text(encoding="utf-8"),
    }
