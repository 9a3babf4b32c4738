"""The connectors: one folder a bank or protocol, listed here by key.

A connector package exposes `NAME` (shown to people), `Config` (a frozen dataclass whose fields
carry `metadata` of `label`, `help` and `secret`; the admin form is built from it) and
`connect(config, *, clock)`, which returns an object with the abilities of
`banks.connectors.abilities`. Third parties register the same under the entry-point group
`zhilian.connectors`. How to add one: `banks/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

BUILT_IN: dict[str, str] = {
    "simulated": "banks.connectors.simulated",
}

GROUP = "zhilian.connectors"


class ConnectorPackage(Protocol):
    """What every connector package exposes."""

    NAME: str
    Config: type

    def connect(self, config: Any, *, clock: Callable[[], datetime]) -> object: ...


class NoConnectorError(LookupError):
    """No connector of that key is built in or installed."""


def keys() -> tuple[str, ...]:
    """Keys of every built-in and installed connector; built-ins first and never replaced."""
    installed = sorted(e.name for e in entry_points(group=GROUP) if e.name not in BUILT_IN)
    return (*BUILT_IN, *installed)


def package(key: str) -> ConnectorPackage:
    """The connector package of `key`. Raises NoConnectorError naming what there is."""
    if key in BUILT_IN:
        return cast(ConnectorPackage, import_module(BUILT_IN[key]))
    for entry in entry_points(group=GROUP):
        if entry.name == key:
            return cast(ConnectorPackage, entry.load())
    raise NoConnectorError(f"There is no connector {key!r}. Installed are: {', '.join(keys())}.")
