"""The OpenAPI document: made once per language and process, served as JSON, read by the docs."""

import json
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

_making: Final = Lock()


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How ApiKeyAuthentication looks in the document."""

    target_class = "payments.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sk_test_… / sk_live_…"}


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/schema/"""
    body = _text(translation.get_language_from_request(request))
    return HttpResponse(body, status=HTTPStatus.OK, content_type="application/json")


def openapi(language: str) -> dict[str, Any]:
    """The document in a language."""
    document: dict[str, Any] = json.loads(_text(language))
    return document


@cache
def _text(language: str) -> str:
    # The generator keeps its findings in globals, so one thread at a time.
    with _making, translation.override(language):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        # The generator lists the shapes before it reads the callbacks, which have shapes too.
        document["components"]["schemas"] = generator.registry.build({})["schemas"]
        return json.dumps(document, ensure_ascii=False, default=str)
