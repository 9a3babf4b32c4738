"""The cash position: sums per currency, conversion, freshness, visibility, the price in queries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests import make
from tests.make import Cast
from treasury.models import Account, Balance, ExchangeRate
from treasury.services import positions
from treasury.services.positions import Freshness


def told(account: Account, ledger: str, as_of: datetime, **figures: Any) -> Balance:
    """A balance as the bank told it."""
    return Balance.objects.create(
        account=account,
        ledger=Decimal(ledger),
        as_of=as_of,
        received_at=as_of,
        source=figures.pop("source", Balance.Source.BANK),
        **figures,
    )


def test_only_the_newest_balance_counts_and_currencies_are_not_added_up(cast: Cast, now: datetime) -> None:
    told(cast.cny, "1", now - timedelta(hours=3))
    told(cast.cny, "100.50", now)
    told(cast.usd, "7", now)
    found = positions.position(user=cast.alice, at=now)
    assert [(t.currency, t.ledger) for t in found.totals] == [("CNY", Decimal("100.50")), ("USD", Decimal(7))]


def test_the_converted_sum_names_what_it_leaves_out(cast: Cast, now: datetime) -> None:
    told(cast.cny, "100.50", now)
    told(cast.usd, "7", now)
    eur = make.account(cast.company, "99", "EUR")
    ExchangeRate.objects.create(currency="USD", quote="CNY", rate=Decimal("7.1"), on=date(2026, 11, 20))
    found = positions.position(user=cast.alice, at=now)
    assert found.converted is not None
    assert found.converted.amount == Decimal("150.20")
    assert found.converted.without_rate == ("EUR",)
    assert found.converted.without_balance == (eur,)
    assert found.converted.rates_of == date(2026, 11, 20)
    by_currency = {g.key: g.converted for g in found.by_currency}
    assert by_currency["EUR"] is None
    assert by_currency["USD"] is not None
    assert by_currency["USD"].amount == Decimal("49.70")


def test_a_person_sees_only_what_was_granted(cast: Cast, now: datetime) -> None:
    told(cast.cny, "100.50", now)
    assert positions.position(user=cast.mallory, at=now).lines == []


def test_the_position_costs_the_same_queries_for_two_accounts_and_for_forty(
    cast: Cast, now: datetime, django_assert_num_queries: Any
) -> None:
    for number in range(40):
        account = make.account(cast.company, f"55{number}", "CNY")
        for hours in range(5):
            told(account, str(hours), now - timedelta(hours=hours))
    with django_assert_num_queries(3):  # accounts, balances, one rate
        found = positions.position(user=cast.alice, at=now)
    assert len(found.lines) == 42


@pytest.mark.parametrize(
    ("as_of", "at", "zone", "expected"),
    [
        (None, "2026-11-24T02:00", "Asia/Shanghai", Freshness.NONE),
        ("2026-11-24T01:00", "2026-11-24T02:00", "Asia/Shanghai", Freshness.TODAY),
        ("2026-11-23T15:59", "2026-11-24T02:00", "Asia/Shanghai", Freshness.NOT_TODAY),
        ("2026-11-23T16:30", "2026-11-24T02:00", "Asia/Shanghai", Freshness.TODAY),  # past midnight there
        ("2026-11-23T16:30", "2026-11-24T02:00", "America/New_York", Freshness.TODAY),  # still Monday there
        ("2026-11-20T08:00", "2026-11-22T02:00", "Asia/Shanghai", Freshness.TODAY),  # Friday's on a Sunday
        ("2026-11-20T08:00", "2026-11-23T02:00", "Asia/Shanghai", Freshness.NOT_TODAY),  # on Monday
        ("2026-11-19T08:00", "2026-11-23T02:00", "Asia/Shanghai", Freshness.OLD),
        ("2026-11-20T08:00", "2026-11-24T02:00", "Asia/Shanghai", Freshness.OLD),
    ],
)
def test_freshness_goes_by_the_banks_calendar_and_the_accounts_clock(
    as_of: str | None, at: str, zone: str, expected: Freshness
) -> None:
    found = positions.freshness(
        as_of=datetime.fromisoformat(as_of).replace(tzinfo=UTC) if as_of else None,
        zone=zone,
        country="CN",
        at=datetime.fromisoformat(at).replace(tzinfo=UTC),
    )
    assert found == expected


def test_history_holds_the_last_balance_of_each_day_by_the_accounts_clock(cast: Cast, now: datetime) -> None:
    told(cast.cny, "1", now - timedelta(days=1, hours=1))
    told(cast.cny, "2", now - timedelta(days=1))
    told(cast.cny, "3", now)
    found = positions.history(account=cast.cny, at=now)
    assert [(day.isoformat(), b.ledger) for day, b in found] == [
        ("2026-11-23", Decimal(2)),
        ("2026-11-24", Decimal(3)),
    ]


def test_an_account_that_was_not_granted_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.mallory)
    assert client.get(f"/cash/accounts/{cast.cny.pk}/").status_code == 404


@pytest.mark.parametrize("path", ["/", "/?in=USD", "/?in=nonsense", "/cash/companies/"])
def test_the_home_page_and_its_drill_downs_open_for_everyone(client: Client, cast: Cast, path: str) -> None:
    for person in (cast.alice, cast.mallory, cast.erin):
        client.force_login(person)
        assert client.get(path).status_code == 200
