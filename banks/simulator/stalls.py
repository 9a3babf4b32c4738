"""Requests held up inside the simulated bank until someone lets them go."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class _Stall:
    number: int
    references: frozenset[str]
    go: threading.Event = field(default_factory=threading.Event)


class Stalls:
    """All requests now standing still. After `close` nothing is held any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: list[_Stall] = []
        self.closed = False

    def hold(self, number: int, references: frozenset[str], seconds: float | None) -> None:
        """Stand still for fault `number` until released, or `seconds` have passed."""
        stall = _Stall(number, references)
        with self._lock:
            if self.closed:
                return
            self._standing.append(stall)
        stall.go.wait(seconds)
        with self._lock:
            if stall in self._standing:
                self._standing.remove(stall)

    def release(self, reference: str | None = None) -> int:
        """Let go all requests, or those that carry `reference`. Gives how many."""
        with self._lock:
            going = [s for s in self._standing if reference is None or reference in s.references]
            self._standing = [s for s in self._standing if s not in going]
        for stall in going:
            stall.go.set()
        return len(going)

    def listing(self) -> list[dict[str, object]]:
        with self._lock:
            return [{"fault": s.number, "references": sorted(s.references)} for s in self._standing]

    def close(self) -> None:
        with self._lock:
            self.closed = True
        self.release()
