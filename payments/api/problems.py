"""Turns every refusal and fault into one RFC 9457 document, in the caller's language."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.request import Request

from compliance.audit.actor import Actor
from compliance.identity.address import agent_of, client_address
from compliance.identity.failures import tell_refused
from compliance.limits import TooMany
from merchants.access import MerchantAccess
from merchants.errors import AccessRefused, MerchantRefusal
from payments.acquiring.asking import AskInvalid, FieldError
from payments.api.codes import FIELD_PROBLEMS, PROBLEMS, RENAMED, Kind
from payments.errors import Refusal

log: Final = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
ERRORS_MAX: Final = 100
FIELD_CHARACTERS_MAX: Final = 64


def answer(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The exception handler of the REST face. A fault is logged and told without details."""
    request: Request = context["request"]
    code, facts, errors = _read(exc)
    kind = PROBLEMS[code]
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %r failed", request.method, request.path, exc_info=exc)
    if isinstance(exc, AccessRefused) and exc.code != "key_missing":
        _tell(request, exc)
    response = problem(request._request, code, facts=facts, errors=errors)  # noqa: SLF001
    if isinstance(exc, TooMany):
        response["Retry-After"] = str(exc.wait_seconds)
    return response


def _tell(request: Request, refusal: AccessRefused) -> None:
    """Keep the refusal in the trail. Asking for `auth` would look the key up again."""
    plain = request._request  # noqa: SLF001
    access = getattr(request, "_auth", None)
    actor = (
        access.actor
        if isinstance(access, MerchantAccess)
        else refusal.by or Actor("api_key", "", "", client_address(plain), agent=agent_of(plain))
    )
    tell_refused(actor, refusal.code, path=plain.path, method=plain.method or "")


def problem(
    request: HttpRequest,
    code: str,
    *,
    facts: Mapping[str, object] | None = None,
    errors: list[FieldError] | None = None,
) -> HttpResponse:
    """The answer for one code of the table."""
    kind = PROBLEMS[code]
    language = translation.get_language_from_request(request)
    with translation.override(language):
        body = _document(code, kind, facts or {}, errors or [])
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=kind.status, content_type=CONTENT_TYPE
    )
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    if kind.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="Paysite"'
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "2"
    return response


FAULTS: Final[Mapping[type[Exception], str]] = {
    MethodNotAllowed: "method_not_allowed",
    UnsupportedMediaType: "content_type_unsupported",
    TooMany: "too_many_requests",
    OperationalError: "temporarily_unavailable",
    InterfaceError: "temporarily_unavailable",
}
"""What the framework, the limits and the database raise."""


def _read(exc: Exception) -> tuple[str, Mapping[str, object], list[FieldError]]:
    """The code, facts and field errors of an exception."""
    if isinstance(exc, AskInvalid):
        return exc.code, {}, exc.errors
    if isinstance(exc, Refusal | MerchantRefusal):
        code = RENAMED.get(exc.code, exc.code)
        if code in PROBLEMS:
            return code, exc.facts, []
    known = (code for kind, code in FAULTS.items() if isinstance(exc, kind))
    return next(known, "internal_error"), {}, []


def _document(
    code: str, kind: Kind, facts: Mapping[str, object], errors: list[FieldError]
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"{settings.BASE_URL}/api/docs/#{code}",
        "title": str(kind.title),
        "status": kind.status.value,
        "detail": _sentence(kind.detail, facts),
        "code": code,
    }
    if errors:
        body["errors"] = [
            {
                "field": error.field[:FIELD_CHARACTERS_MAX],
                "code": error.code,
                "detail": _sentence(FIELD_PROBLEMS[error.code], error.facts),
            }
            for error in errors[:ERRORS_MAX]
        ]
    return body


def _sentence(sentence: str | Promise, facts: Mapping[str, object]) -> str:
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in facts.items()
    }
    return str(sentence) % shown
