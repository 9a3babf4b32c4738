"""The API's description of itself: OpenAPI for programs, a page made of it for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView

_KEPT: dict[str, dict[str, Any]] = {}


class Schema(SpectacularAPIView):
    """OpenAPI 3 as YAML, or as JSON with `Accept: application/json` or `?format=json`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter or field as the page lists it."""

    name: str
    type: str
    required: bool
    text: str
    place: str = ""

    @property
    def shape(self) -> str:
        """The name of the shape the type is made of, for a link to it."""
        return self.type.strip("[]")


@dataclass(frozen=True, slots=True)
class Operation:
    """One address with one method."""

    anchor: str
    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_type: str
    answers: tuple[Field, ...]
    """Status as name, the body's shape as type."""


def page(request: HttpRequest) -> HttpResponse:
    """Every operation by subject, every shape with its fields."""
    whole = described()
    groups: dict[str, list[Operation]] = {}
    for one, tag in operations(whole):
        groups.setdefault(tag, []).append(one)
    shapes = {
        name: (shape.get("description", ""), tuple(fields_of(shape)))
        for name, shape in whole["components"]["schemas"].items()
        if shape.get("properties") and not name.startswith("Paginated")
    }
    context = {"groups": groups, "shapes": shapes, "title": whole["info"]["title"]}
    return render(request, "treasury/api_docs.html", context)


def described() -> dict[str, Any]:
    """The OpenAPI document; it changes only with a release, so each language's is made once."""
    language = get_language() or ""
    if language not in _KEPT:
        _KEPT[language] = SchemaGenerator().get_schema(request=None, public=True)
    return _KEPT[language]


def operations(whole: Mapping[str, Any]) -> Iterator[tuple[Operation, str]]:
    """Every operation with the subject it belongs to."""
    for path, methods in whole["paths"].items():
        for method, one in methods.items():
            body_type, body = next(
                iter((one.get("requestBody") or {}).get("content", {}).items()), ("", {"schema": {}})
            )
            yield (
                Operation(
                    anchor=one["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=one.get("summary", ""),
                    text=one.get("description", ""),
                    parameters=tuple(_parameter(p) for p in one.get("parameters", ())),
                    body=tuple(fields_of(_resolved(body["schema"], whole))),
                    body_type=body_type,
                    answers=tuple(_answers(one["responses"])),
                ),
                one["tags"][0],
            )


def _parameter(found: Mapping[str, Any]) -> Field:
    return Field(
        found["name"],
        type_of(found["schema"]),
        found.get("required", False),
        found.get("description", ""),
        found["in"],
    )


def _answers(responses: Mapping[str, Any]) -> Iterator[Field]:
    for status, answer in responses.items():
        content: Mapping[str, Any] = next(iter(answer.get("content", {}).values()), {})
        yield Field(status, type_of(content.get("schema", {})), False, answer.get("description", ""))


def fields_of(shape: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of an object's shape."""
    needed = shape.get("required", ())
    for name, inner in shape.get("properties", {}).items():
        text = inner.get("description", "")
        yield Field(name, type_of(inner), name in needed, text)


def _resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _shape_name(schema)
    return whole["components"]["schemas"][name] if name else schema


def _shape_name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def type_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: integer, date, one of …, list of Name."""
    if name := _shape_name(schema):
        return f"[{name[9:-4]}]" if name.startswith("Paginated") else name
    for inner in (*schema.get("allOf", ()), *schema.get("oneOf", ())):
        if inner:
            return type_of(inner)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value not in ("", None))
    if schema.get("type") == "array":
        return f"[{type_of(schema.get('items', {}))}]"
    plain = str(schema.get("format") or schema.get("type", ""))
    return f"{plain} | null" if schema.get("nullable") else plain
