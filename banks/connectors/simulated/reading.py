"""Small readings of an answer that several abilities share; what is not there raises UncertainError."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from banks.connectors.abilities import UncertainError
from banks.connectors.simulated.http import Heard


def unreadable(heard: Heard, what: str) -> UncertainError:
    """The error for an answer that lacks `what`."""
    return UncertainError(
        f"The bank's answer carries no readable {what}.",
        hint="Nothing was taken from it; try again, and look at the raw answer if it persists.",
        talk=heard.talk,
    )


def items_of(heard: Heard, name: str) -> list[dict[str, Any]]:
    """The list of objects under `name`."""
    items = heard.data.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable(heard, f"list of {name}")
    return items


def text_of(heard: Heard, name: str) -> str:
    """The text under `name`."""
    value = heard.data.get(name)
    if not isinstance(value, str):
        raise unreadable(heard, name)
    return value


def amount_of(heard: Heard, name: str) -> Decimal:
    """The amount under `name`, which the bank gives as a decimal string."""
    try:
        value = Decimal(text_of(heard, name))
    except InvalidOperation:
        raise unreadable(heard, name) from None
    if not value.is_finite():
        raise unreadable(heard, name)
    return value
