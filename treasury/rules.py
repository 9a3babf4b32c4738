"""Pure rules of the ground floor on plain values: when recurring money falls due, and the
arithmetic of a forecast (opening + sum of flows = closing, week by week).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

ZERO = Decimal(0)
WEEK = timedelta(days=7)


def monday_of(day: date) -> date:
    """The Monday of the week that `day` lies in."""
    return day - timedelta(days=day.weekday())


def month_after(first: date, months: int) -> date:
    """The day of `first` so many months later; a day that month lacks becomes its last day."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def occurrences(
    *, every: str, starts_on: date, ends_on: date | None, first: date, last: date
) -> Iterator[date]:
    """The nominal days of a recurring item between `first` and `last`, both included.

    `every` is WEEK, MONTH or QUARTER. Days are counted from `starts_on`, so a monthly item that
    starts on day 31 falls on the last day of shorter months and on day 31 again after them.
    """
    until = last if ends_on is None else min(last, ends_on)
    if every == "WEEK":
        day = starts_on + max(0, -((starts_on - first) // WEEK)) * WEEK
        while day <= until:
            if day >= first:
                yield day
            day += WEEK
        return
    step = {"MONTH": 1, "QUARTER": 3}[every]
    months = (first.year - starts_on.year) * 12 + first.month - starts_on.month
    count = max(0, months // step)
    while (day := month_after(starts_on, count * step)) <= until:
        if day >= first:
            yield day
        count += 1


def shifted(
    on: date, *, amount: Decimal, before: Callable[[date], date], after: Callable[[date], date]
) -> date:
    """Where money of a nominal day is expected when banks are closed on it.

    The cautious side: money out leaves on the business day before, money in comes on the one
    after. `before` and `after` find those days and return a business day unchanged.
    """
    return before(on) if amount < 0 else after(on)


@dataclass(frozen=True, slots=True)
class Move:
    """One movement as the arithmetic sees it. `key` leads the caller back to what it is."""

    on: date
    amount: Decimal
    key: int = 0


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from Monday (the first week from today). `outflow` is negative or zero.

    `lowest` is the smallest end-of-day balance of the week and `lowest_on` its first day: a
    week that closes above the floor may have dipped below it on the way.
    """

    monday: date
    opening: Decimal
    inflow: Decimal
    outflow: Decimal
    closing: Decimal
    lowest: Decimal
    lowest_on: date
    moves: tuple[Move, ...]

    @property
    def last_day(self) -> date:
        return self.monday + timedelta(days=6)


def by_week(*, opening: Decimal, moves: Iterable[Move], today: date, weeks: int) -> list[Week]:
    """`weeks` weeks from the one `today` lies in, each opening where the one before closed.

    Moves before `today` count on `today` (what is overdue has still to happen); moves after the
    last week are left out.
    """
    monday = monday_of(today)
    buckets: list[list[Move]] = [[] for _n in range(weeks)]
    for move in sorted(moves, key=lambda m: m.on):
        index = (max(move.on, today) - monday).days // 7
        if index < weeks:
            buckets[index].append(move)
    result = []
    for index, bucket in enumerate(buckets):
        start = monday + index * WEEK
        lowest, lowest_on = _lowest(opening, bucket, max(start, today))
        inflow = sum((m.amount for m in bucket if m.amount > 0), ZERO)
        outflow = sum((m.amount for m in bucket if m.amount < 0), ZERO)
        closing = opening + inflow + outflow
        result.append(Week(start, opening, inflow, outflow, closing, lowest, lowest_on, tuple(bucket)))
        opening = closing
    return result


def _lowest(opening: Decimal, moves: Sequence[Move], first_day: date) -> tuple[Decimal, date]:
    """The smallest end-of-day balance and its first day; moves are in order of their days."""
    days: dict[date, Decimal] = {first_day: ZERO}
    for move in moves:
        day = max(move.on, first_day)
        days[day] = days.get(day, ZERO) + move.amount
    balance, lowest, lowest_on = opening, None, first_day
    for day in sorted(days):
        balance += days[day]
        if lowest is None or balance < lowest:
            lowest, lowest_on = balance, day
    return (opening if lowest is None else lowest), lowest_on


def first_below(weeks: Sequence[Week], floor: Decimal) -> Week | None:
    """The first week in which some day ends below `floor`."""
    return next((week for week in weeks if week.lowest < floor), None)


def driver(week: Week) -> Move | None:
    """The largest single outflow up to the week's lowest day; None when nothing goes out by then."""
    out = [m for m in week.moves if m.amount < 0 and m.on <= week.lowest_on]
    return min(out, key=lambda m: m.amount, default=None)
