"""The arithmetic of the forecast and of recurring days, on plain values."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury import calendars, rules
from treasury.rules import Move

TODAY = date(2026, 11, 24)  # a Tuesday
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
moves = st.lists(
    st.builds(Move, on=st.dates(TODAY - timedelta(days=30), TODAY + timedelta(days=120)), amount=amounts),
    max_size=40,
)


@given(amounts, moves)
def test_opening_and_flows_make_the_closing(opening: Decimal, given_moves: list[Move]) -> None:
    weeks = rules.by_week(opening=opening, moves=given_moves, today=TODAY, weeks=13)
    inside = [m for m in given_moves if m.on <= weeks[-1].last_day]
    assert weeks[-1].closing == opening + sum(m.amount for m in inside)
    assert sum(len(week.moves) for week in weeks) == len(inside)
    for before, after in itertools.pairwise(weeks):
        assert before.closing == after.opening
        assert before.opening + before.inflow + before.outflow == before.closing


@given(amounts, moves)
def test_the_lowest_day_is_never_above_the_closing_nor_outside_its_week(
    opening: Decimal, given_moves: list[Move]
) -> None:
    for week in rules.by_week(opening=opening, moves=given_moves, today=TODAY, weeks=13):
        assert week.lowest <= week.closing
        assert max(week.monday, TODAY) <= week.lowest_on <= week.last_day


@given(amounts, moves, amounts)
def test_no_day_before_the_first_week_below_ends_below(
    opening: Decimal, given_moves: list[Move], floor: Decimal
) -> None:
    weeks = rules.by_week(opening=opening, moves=given_moves, today=TODAY, weeks=13)
    first = rules.first_below(weeks, floor)
    last_day = first.monday if first else weeks[-1].last_day + timedelta(days=1)
    day = TODAY
    while day < last_day:
        assert opening + sum(m.amount for m in given_moves if max(m.on, TODAY) <= day) >= floor
        day += timedelta(days=1)


def test_a_week_that_recovers_still_counts_as_below_and_names_its_driver() -> None:
    week = rules.by_week(
        opening=Decimal(100),
        moves=[
            Move(date(2026, 11, 25), Decimal(-90), 1),
            Move(date(2026, 11, 25), Decimal(-5), 2),
            Move(date(2026, 11, 27), Decimal(200), 3),
            Move(date(2026, 11, 28), Decimal(-95), 4),
        ],
        today=TODAY,
        weeks=1,
    )[0]
    assert (week.closing, week.lowest, week.lowest_on) == (110, 5, date(2026, 11, 25))
    assert rules.first_below([week], Decimal(50)) is week
    cause = rules.driver(week)
    assert cause is not None
    assert cause.key == 1


def test_weeks_begin_on_monday_and_overdue_money_counts_today() -> None:
    weeks = rules.by_week(
        opening=Decimal(0), moves=[Move(date(2026, 11, 1), Decimal(-7))], today=TODAY, weeks=2
    )
    assert [week.monday for week in weeks] == [date(2026, 11, 23), date(2026, 11, 30)]
    assert weeks[0].lowest_on == TODAY
    assert weeks[0].outflow == -7


def nominal(every: str, starts: date, first: date, last: date, ends: date | None = None) -> list[date]:
    return list(rules.occurrences(every=every, starts_on=starts, ends_on=ends, first=first, last=last))


def test_day_31_falls_on_the_last_day_of_short_months_and_returns() -> None:
    assert nominal("MONTH", date(2026, 1, 31), date(2026, 2, 1), date(2026, 5, 31)) == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
    ]
    assert nominal("QUARTER", date(2026, 8, 31), date(2026, 9, 1), date(2027, 3, 1)) == [
        date(2026, 11, 30),
        date(2027, 2, 28),
    ]


def test_an_item_begins_and_ends_on_its_own_days() -> None:
    assert nominal("WEEK", date(2026, 11, 3), date(2026, 1, 1), date(2026, 11, 30), date(2026, 11, 17)) == [
        date(2026, 11, 3),
        date(2026, 11, 10),
        date(2026, 11, 17),
    ]


@given(
    st.sampled_from(["WEEK", "MONTH", "QUARTER"]),
    st.dates(date(2020, 1, 1), date(2028, 1, 1)),
    st.dates(date(2024, 1, 1), date(2027, 1, 1)),
    st.integers(0, 400),
)
def test_a_window_cut_in_two_gives_the_same_days(every: str, starts: date, first: date, length: int) -> None:
    last = first + timedelta(days=length)
    middle = first + timedelta(days=length // 2)
    whole = nominal(every, starts, first, last)
    assert whole == nominal(every, starts, first, middle) + nominal(
        every, starts, middle + timedelta(days=1), last
    )
    assert whole == sorted(set(whole))
    assert all(max(first, starts) <= day <= last for day in whole)


@pytest.mark.parametrize(
    ("on", "amount", "expected"),
    [
        (date(2026, 11, 28), -1, date(2026, 11, 27)),  # Saturday: money out on Friday
        (date(2026, 11, 28), 1, date(2026, 11, 30)),  # money in on Monday
        (date(2026, 2, 14), -1, date(2026, 2, 14)),  # a Saturday worked before the New Year
        (date(2026, 2, 17), 1, date(2026, 2, 24)),  # inside the New Year holidays
    ],
)
def test_days_off_shift_to_the_cautious_side(on: date, amount: int, expected: date) -> None:
    assert (
        rules.shifted(
            on,
            amount=Decimal(amount),
            before=lambda day: calendars.previous_business_day(day, "CN"),
            after=lambda day: calendars.next_business_day(day, "CN"),
        )
        == expected
    )
