"""What `manage.py doctor` asks: checks registered by each app, run one after the other.

A check looks at the running installation (settings, database, worker, connections) and changes
nothing that matters; it yields findings, each with the next step in plain words. What Django can
tell from settings alone is in `treasury.system_checks`.

    checks_registry.register("connections", health.check_connections)   # in AppConfig.ready()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table: `detail` is what was seen, `next_step` what to do about it."""

    name: str
    level: Level
    detail: str
    next_step: str = ""


Check = Callable[[datetime], Iterable[Finding]]
CHECKS: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Add a check; the same name again replaces it. Checks run in the order of registration."""
    CHECKS[name] = check


def run(at: datetime) -> Iterator[Finding]:
    """Every finding of every check. A check that breaks is itself a finding; the others still run."""
    for name, check in CHECKS.items():
        try:
            yield from check(at)
        except Exception as error:  # noqa: BLE001 - a doctor who faints at the first ill organ helps nobody
            text = " ".join(str(error).split())[:300] or type(error).__name__
            yield Finding(name, Level.FAIL, f"{type(error).__name__}: {text}", "Repair this first.")
