"""Reads an OpenAPI document into what the docs page shows, so that both say the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from payments.api.operations import EVERYWHERE, IN_ORDER, PROBLEM_JSON

_Json = Mapping[str, Any]
_REF: Final = "#/components/schemas/"
_EVERY_CALL: Final = frozenset({"Accept-Language"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of a table of fields. `shape` is the name of an object told elsewhere."""

    name: str
    type: str
    shape: str
    is_required: bool
    text: str
    limits: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One good answer of a call."""

    status: str
    text: str
    shape: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, or one callback. `codes` are those that not every call may answer."""

    id: str
    tag: str
    method: str
    path: str
    title: str
    text: str
    parameters: tuple[Field, ...]
    fields: tuple[Field, ...]
    example: str
    answers: tuple[Answer, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of object."""

    name: str
    fields: tuple[Field, ...]


def calls(document: _Json) -> list[Call]:
    """Every call, in the order of a reader."""
    return sorted(_calls(document, document["paths"]), key=lambda call: IN_ORDER.index(call.id))


def callbacks(document: _Json) -> list[Call]:
    """Every callback; its path is the event's type."""
    return list(_calls(document, document["webhooks"]))


def shapes(document: _Json) -> list[Shape]:
    """Every object of the document."""
    return [
        Shape(name=name, fields=_fields(schema))
        for name, schema in document["components"]["schemas"].items()
    ]


def _calls(document: _Json, paths: _Json) -> Iterator[Call]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield Call(
                id=operation["operationId"],
                tag=operation["tags"][0],
                method=method.upper(),
                path=path,
                title=operation["summary"],
                text=operation["description"],
                parameters=tuple(_parameters(operation)),
                fields=_fields(_looked_up(document, body.get("schema", {}))),
                example=_example(body),
                answers=tuple(_answers(operation["responses"])),
                codes=tuple(_codes(operation["responses"])),
            )


def _parameters(operation: _Json) -> Iterator[Field]:
    for parameter in operation.get("parameters", []):
        if parameter["name"] not in _EVERY_CALL:
            schema = {**parameter["schema"], "description": parameter.get("description", "")}
            yield _field(parameter["name"], schema, is_required=parameter.get("required", False))


def _answers(responses: _Json) -> Iterator[Answer]:
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json")
        if content is not None:
            yield Answer(
                status=status,
                text=response["description"],
                shape=_name(content["schema"]),
                example=_example(content),
            )


def _codes(responses: _Json) -> Iterator[str]:
    for response in responses.values():
        for example in _examples(response.get("content", {}).get(PROBLEM_JSON, {})):
            if example["code"] not in EVERYWHERE:
                yield example["code"]


def _fields(schema: _Json) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        _field(name, part, is_required=name in required)
        for name, part in schema.get("properties", {}).items()
    )


def _field(name: str, schema: _Json, *, is_required: bool) -> Field:
    items = schema.get("items", {})
    return Field(
        name=name,
        type=_type(schema),
        shape=_name(schema) or _name(items),
        is_required=is_required,
        text=schema.get("description", ""),
        limits=tuple(_limits(schema if "enum" in schema else {**items, **schema})),
    )


def _limits(schema: _Json) -> Iterator[tuple[str, str]]:
    """What a value must obey, as pairs of OpenAPI's word and the value."""
    if "enum" in schema:
        yield "enum", ", ".join(str(value) for value in schema["enum"] if value is not None)
    for word in ("minimum", "maximum", "maxLength", "pattern", "default"):
        if word in schema:
            yield word, str(schema[word])


def _type(schema: _Json) -> str:
    """ "string", "integer or null", "array of string", "Payment"."""
    if name := _name(schema):
        return name + (" | null" if "oneOf" in schema else "")
    kind = schema.get("type", "object")
    words = [kind] if isinstance(kind, str) else list(kind)
    if "array" in words:
        return f"array[{_type(schema.get('items', {}))}]"
    return " | ".join(words)


def _name(schema: _Json) -> str:
    """The name of the object that a schema refers to, or ""."""
    for part in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])):
        if "$ref" in part:
            return str(part["$ref"]).removeprefix(_REF)
    return ""


def _looked_up(document: _Json, schema: _Json) -> _Json:
    found: _Json = document["components"]["schemas"].get(_name(schema), schema)
    return found


def _examples(content: _Json) -> list[Any]:
    return [example["value"] for example in content.get("examples", {}).values()]


def _example(content: _Json) -> str:
    found = _examples(content)
    return json.dumps(found[0], ensure_ascii=False, indent=2) if found else ""
