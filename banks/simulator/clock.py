"""The two times of the simulated bank.

The *wire clock* is the real time plus an offset set by control; signatures, the received window
and delays are measured by it, and within one process it never runs backwards unless an offset
is set. The *business day* is a date kept in the ledger; it moves when a day is closed.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


class Clock:
    """The wire clock. `offset_seconds` is how far it is ahead of the machine's clock."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self._offset = offset_seconds
        self._latest = 0.0
        self._lock = threading.Lock()

    @property
    def offset_seconds(self) -> float:
        return self._offset

    def set_offset(self, seconds: float) -> None:
        with self._lock:
            self._offset, self._latest = seconds, 0.0

    def now(self) -> float:
        """Seconds since 1970 by the wire clock."""
        with self._lock:
            self._latest = max(self._latest, time.time() + self._offset)
            return self._latest

    def today(self) -> date:
        """The wire clock's date at the bank's seat."""
        return datetime.fromtimestamp(self.now(), ZONE).date()


def instant_text(seconds: float) -> str:
    """RFC 3339 UTC text of an instant."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def at_bank(business_day: date, seconds: float) -> str:
    """RFC 3339 text of the bank's own time of an event: its business day, the wire clock's hour."""
    hour = datetime.fromtimestamp(seconds, ZONE).timetz()
    return datetime.combine(business_day, hour).isoformat(timespec="microseconds")
