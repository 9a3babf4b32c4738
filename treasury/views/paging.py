"""Keyset paging: a page begins after a row, not at a number, so page 10,000 costs as much as page 1.

The order is a tuple of field names that ends in a unique one and whose fields are never null, for
example ("-booked_on", "-id"). The place is a short text in the address (`after`, `before`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from treasury.services.auditing import plain


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of rows and the places of its neighbours ("" when there is none)."""

    rows: list[Any]
    before: str
    after: str


def place_of(row: Any, order: Sequence[str]) -> str:
    """The text that says where `row` stands in `order`."""
    values = []
    for field in order:
        value = row
        for name in field.lstrip("-").split("__"):
            value = getattr(value, name)
        values.append(plain(value))
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def values_at(place: str, order: Sequence[str]) -> list[Any] | None:
    """What `place_of` wrote, or None when the text is not one of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
    except (ValueError, binascii.Error):
        return None
    if isinstance(values, list) and len(values) == len(order):
        return [v if isinstance(v, int | str) else None for v in values]
    return None


def beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after `values` in `order`. The first condition lets an index do the work."""
    condition, equal = Q(), Q()
    for field, value in zip(order, values, strict=True):
        name, step = field.lstrip("-"), "lt" if field.startswith("-") else "gt"
        condition |= equal & Q(**{f"{name}__{step}": value})
        equal &= Q(**{name: value})
    first = order[0]
    step = "lte" if first.startswith("-") else "gte"
    return Q(**{f"{first.lstrip('-')}__{step}": values[0]}) & condition


def turned(order: Sequence[str]) -> list[str]:
    return [f[1:] if f.startswith("-") else f"-{f}" for f in order]


def page_of(
    rows: models.QuerySet[Any], order: Sequence[str], size: int, *, after: str = "", before: str = ""
) -> Slice:
    """One page. A place that cannot be read, or no longer fits the order, gives the first page."""
    try:
        return _page(rows, order, size, after, before)
    except (ValidationError, ValueError, TypeError):
        return _page(rows, order, size, "", "")


def _page(rows: models.QuerySet[Any], order: Sequence[str], size: int, after: str, before: str) -> Slice:
    backwards = bool(before) and not after
    walk = turned(order) if backwards else list(order)
    values = values_at(before if backwards else after, order)
    chosen = rows.order_by(*walk)
    if values is not None:
        chosen = chosen.filter(beyond(walk, values))
    found = list(chosen[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Slice([], "", "")
    first, last = place_of(found[0], order), place_of(found[-1], order)
    if backwards:
        return Slice(found, first if more else "", last)
    return Slice(found, first if values is not None else "", last if more else "")
