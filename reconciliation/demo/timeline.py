"""The clock of the demonstration: it can stand in the past, and the simulated banks follow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from banks.simulator.client import Control
from treasury import calendars

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Timeline:
    """A clock that runs as real time does, so far behind it as `go_to` last said."""

    def __init__(self, controls: Sequence[Control] = ()) -> None:
        self._controls = controls
        self._behind = timedelta(0)

    def now(self) -> datetime:
        return timezone.now() - self._behind

    def go_to(self, instant: datetime) -> datetime:
        """Let it be `instant` now, for us and for the banks' wire clocks."""
        self._behind = timezone.now() - instant
        for control in self._controls:
            control.set_clock_offset(-self._behind.total_seconds())
        return self.now()

    def come_back(self) -> datetime:
        """Real time again, everywhere."""
        self._behind = timedelta(0)
        for control in self._controls:
            control.set_clock_offset(0)
        return self.now()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """That hour of a day in Shanghai."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def today_everywhere(zones: Iterable[str]) -> date:
    """The latest date that has begun in all of the time zones."""
    return min(timezone.now().astimezone(ZoneInfo(zone)).date() for zone in zones)


def is_banking_day(day: date, countries: Iterable[str]) -> bool:
    """Whether banks work in all of the countries."""
    return all(calendars.is_business_day(day, country) for country in countries)


def last_banking_day(day: date, countries: Sequence[str]) -> date:
    """The last day up to `day` on which banks work in all of the countries."""
    while not is_banking_day(day, countries):
        day -= timedelta(days=1)
    return day


def next_banking_day(day: date, countries: Sequence[str]) -> date:
    """The first day from `day` on which banks work in all of the countries."""
    while not is_banking_day(day, countries):
        day += timedelta(days=1)
    return day


def banking_days(start: date, end: date, countries: Sequence[str]) -> list[date]:
    """Days from `start` to `end`, both included, on which banks work in all of the countries."""
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return [day for day in days if is_banking_day(day, countries)]
