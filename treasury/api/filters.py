"""Filters of lists, declared once for reading, for refusing what is unknown, and for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from treasury.api.errors import RequestInvalidError

PAGING = frozenset({"cursor", "page_size"})
LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter: the lookup it becomes, what it takes, and what it means.

    `kind` is int, date, bool or str; `choices` are the values a str may have.
    """

    lookup: str
    kind: type = int
    means: str = ""
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Any:
        """The value of a parameter. Raises ValueError with what it must be."""
        if self.kind is bool:
            if text not in {"true", "false"}:
                raise ValueError(_("Write true or false."))
            return text == "true"
        if self.kind is int:
            if not text.isascii() or not text.isdecimal() or int(text[:20]) > LARGEST:
                raise ValueError(_("Write a whole number."))
            return int(text)
        if self.kind is date:
            try:
                return date.fromisoformat(text)
            except ValueError as error:
                raise ValueError(_("Write a date such as 2026-11-24.")) from error
        if self.choices and text not in self.choices:
            raise ValueError(_("Choose one of %(choices)s.") % {"choices": ", ".join(self.choices)})
        if "\x00" in text or not text.isprintable():
            raise ValueError(_("Write printable text."))
        return text

    def schema(self) -> dict[str, Any]:
        plain: dict[type, dict[str, Any]] = {
            int: {"type": "integer"},
            bool: {"type": "boolean"},
            date: {"type": "string", "format": "date"},
            str: {"type": "string"},
        }
        return plain[self.kind] | ({"enum": list(self.choices)} if self.choices else {})


class DeclaredFilters(BaseFilterBackend):
    """Applies a view's `filters`. A parameter nobody declared is refused, never silently ignored."""

    def filter_queryset(self, request: Request, queryset: models.QuerySet[Any], view: Any) -> Any:
        for lookup, value in read_parameters(request, view.filters, also=PAGING).items():
            queryset = queryset.filter(**{view.filters[lookup].lookup: value})
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters as OpenAPI tells them."""
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": one.means,
                "schema": one.schema(),
            }
            for name, one in getattr(view, "filters", {}).items()
        ]


def read_parameters(
    request: Request, declared: Mapping[str, Filter], also: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The parameters of a request by name. Raises RequestInvalidError that names each one at fault."""
    found: dict[str, Any] = {}
    errors: list[dict[str, str]] = []

    def fault(name: str, text: str) -> None:
        errors.append({"field": name, "code": "invalid", "message": text, "hint": ""})

    for name, values in request.query_params.lists():
        if len(values) > 1:
            fault(name, _("Give it once."))
        elif name == "page_size" and name in also:
            if not values[0].isdecimal() or not 1 <= int(values[0][:9]) <= 1000:
                fault(name, _("Write a number from 1 to 1000."))
        elif name in declared:
            try:
                found[name] = declared[name].read(values[0])
            except ValueError as error:
                fault(name, str(error))
        elif name not in also:
            known = ", ".join(sorted({*declared, *also}))
            fault(name, _("There is no such parameter. These are known: %(names)s.") % {"names": known})
    if errors:
        raise RequestInvalidError(_("The address has parameters that cannot be taken."), errors)
    return found
