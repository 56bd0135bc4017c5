"""Reads bodies and headers strictly: what could be understood in two ways is refused."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from payments.api.errors import (
    BodyNotJson,
    BodyTooLarge,
    ContentTypeUnsupported,
    IdempotencyKeyMalformed,
)

BODY_BYTES_MAX: Final = 64 * 1024
LEVELS_MAX: Final = 32
"""How deep objects and lists may nest; deeper ones are only sent to exhaust a stack."""
IDEMPOTENCY_KEY_CHARACTERS_MAX: Final = 128
_UTF_8: Final = frozenset({"", "utf-8", "utf8"})


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 of at most 64 KiB."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The parsed body. Raises ContentTypeUnsupported, BodyTooLarge or BodyNotJson."""
        _, parameters = parse_header_parameters(media_type or "")
        if parameters.get("charset", "").lower() not in _UTF_8:
            raise ContentTypeUnsupported
        body = stream.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge(max=BODY_BYTES_MAX)
        return read_json(body)


def read_json(body: bytes) -> Any:
    """Parse. Raises BodyNotJson.

    Besides bad UTF-8 and syntax: a name given twice, NaN, Infinity, numbers that no double
    or no sane integer holds, half surrogates, and more than 32 levels.
    """
    try:
        data = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        if b"\\u" in body:
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BodyNotJson from error
    if body.count(b"{") + body.count(b"[") > LEVELS_MAX and _is_deep(data):
        raise BodyNotJson
    return data


def idempotency_key(request: Request) -> str:
    """The caller's number for this call, or "". Raises IdempotencyKeyMalformed."""
    key: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if len(key) > IDEMPOTENCY_KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyMalformed(max=IDEMPOTENCY_KEY_CHARACTERS_MAX)
    return key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def _is_deep(data: Any) -> bool:
    level = _children([data])
    for _ in range(LEVELS_MAX):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: dict[str, Any] | list[Any]) -> list[Any]:
    """The objects and lists right inside another one."""
    inside = node.values() if isinstance(node, dict) else node
    return [child for child in inside if isinstance(child, dict | list)]
