"""Business days on plain dates, by country: weekends, public holidays, and China's worked weekends.

Which country an account follows is the caller's knowledge. No database here.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import holidays

SATURDAY = 5


@cache
def _calendar(country: str) -> Any:
    """The public holidays of `country`, or None when none are known (then only weekends count)."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return None


def is_business_day(on: date, country: str) -> bool:
    """Whether banks in `country` (ISO 3166, two letters) work on that day."""
    calendar = _calendar(country)
    return on.weekday() < SATURDAY if calendar is None else bool(calendar.is_working_day(on))


def next_business_day(on: date, country: str) -> date:
    """The first business day on or after `on`."""
    while not is_business_day(on, country):
        on = date.fromordinal(on.toordinal() + 1)
    return on


def previous_business_day(on: date, country: str) -> date:
    """The last business day on or before `on`."""
    while not is_business_day(on, country):
        on = date.fromordinal(on.toordinal() - 1)
    return on
