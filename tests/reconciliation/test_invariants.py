"""Whatever lines come: no line in two living matches, equal sums, and the sheet's identity."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Count, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.models import Match, MatchedLine, OpenBankLine, OpenBookLine
from reconciliation.rules import covering_sets
from reconciliation.services.adjusting import adjustment_sheet
from reconciliation.services.by_hand import match_lines, undo_match
from reconciliation.services.matching import match_account
from reconciliation.services.opening import set_opening
from reconciliation.services.suggesting import suggest
from tests.make import Cast
from tests.reconciliation.build import NOW, day, journal, statement

pytestmark = pytest.mark.django_db

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "amount": st.sampled_from([Decimal(n) for n in (-30, -20, -10, 10, 20, 30, 50)]),
            "on": st.integers(0, 9).map(day),
            "reference": st.sampled_from(["", "", "R1", "R2"]),
            "bank_reference": st.sampled_from(["", "", "B1"]),
            "name": st.sampled_from(["", "Acme", "Beta"]),
        }
    ),
    max_size=8,
)


class Rollback(Exception):
    pass


def undone_afterwards(act: Callable[[], None]) -> None:
    """Run `act` and take its writes back, so that every example starts from the same ground."""
    try:
        with transaction.atomic():
            act()
            raise Rollback
    except Rollback:
        pass


def hold() -> None:
    for side in ("entry", "ledger_entry"):
        doubles = MatchedLine.objects.filter(live=True, **{f"{side}__isnull": False}).values(side)
        assert not doubles.annotate(n=Count("pk")).filter(n__gt=1).exists()
    sums = (
        Match.objects.live()
        .annotate(bank=Sum("lines__entry__amount"), books=Sum("lines__ledger_entry__amount"))
        .values_list("bank", "books", "amount")
    )
    assert all((bank or 0) == (books or 0) == amount for bank, books, amount in sums)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bank=LINES, books=LINES, opening=st.sampled_from([1000, 1001]))
def test_matching_keeps_what_must_hold(cast: Cast, bank: list, books: list, opening: int) -> None:  # type: ignore[type-arg]
    def act() -> None:
        set_opening(account=cast.cny, on=day(0), amount=Decimal(opening), by=cast.dave, at=NOW)
        statement(cast.cny, bank, on=day(9), opening=1000, opening_on=day(0))
        if books:
            journal(cast.cny, books, by=cast.alice)
        for _ in range(2):
            match_account(account=cast.cny, at=NOW)
            hold()
            every_day_differs_by_the_opening(cast, opening)
            match = Match.objects.live().first()
            if match is None:
                break
            undo_match(match=match, by=cast.dave, at=NOW)
            every_day_differs_by_the_opening(cast, opening)
        for line in list(OpenBankLine.objects.all()):
            for suggestion in suggest(line=line, most=1) if OpenBankLine.objects.filter(pk=line.pk) else ():
                match_lines(
                    account=cast.cny,
                    entries=[line.pk],
                    ledger_entries=suggestion.lines,
                    by=cast.dave,
                    at=NOW,
                )
        hold()
        every_day_differs_by_the_opening(cast, opening)
        total = MatchedLine.objects.filter(live=True).count()
        assert total + OpenBankLine.objects.count() + OpenBookLine.objects.count() == len(bank) + len(books)

    undone_afterwards(act)


def every_day_differs_by_the_opening(cast: Cast, opening: int) -> None:
    """The two adjusted balances agree exactly when the books began where the bank did."""
    for offset in (0, 4, 9):
        sheet = adjustment_sheet(account=cast.cny, on=day(offset))
        assert sheet.difference == 1000 - opening
        assert (sheet.adjusted_bank == sheet.adjusted_book) == (opening == 1000)


@given(
    amounts=st.lists(st.integers(-50, 50).filter(bool).map(Decimal), max_size=12),
    target=st.integers(-120, 120).filter(bool).map(Decimal),
)
def test_covering_sets_sum_to_the_target(amounts: list[Decimal], target: Decimal) -> None:
    for chosen in covering_sets(target, amounts):
        assert len(set(chosen)) == len(chosen) >= 2
        assert sum(amounts[n] for n in chosen) == target


@given(chosen=st.lists(st.integers(1, 99).map(Decimal), min_size=2, max_size=5))
def test_a_covering_set_that_exists_is_found(chosen: list[Decimal]) -> None:
    assert covering_sets(sum(chosen, Decimal(0)), [*chosen, Decimal(7000)])


def test_the_search_is_bounded() -> None:
    amounts = [Decimal(2 * n) for n in range(1, 41)]
    assert covering_sets(Decimal(201), amounts, steps=5000) == []
