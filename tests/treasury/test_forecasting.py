"""The forecast over real rows: visibility, stale balances, sources, the page and its panel."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from tests import make
from tests.make import Cast
from treasury import shell
from treasury.models import Account, Balance, PlanImport, PlannedFlow, RecurringFlow
from treasury.services.forecasting import forecast, today_of


def balance(of: Account, ledger: str, as_of: datetime, **fields: Decimal) -> Balance:
    return Balance.objects.create(
        account=of, ledger=Decimal(ledger), as_of=as_of, source="BANK", received_at=as_of, **fields
    )


def recurring(cast: Cast, amount: str, starts: date, **fields: object) -> RecurringFlow:
    return RecurringFlow.objects.create(
        account=fields.pop("account", cast.cny),
        name=fields.pop("name", "Rent"),
        category="Rent",
        amount=Decimal(amount),
        starts_on=starts,
        made_by=cast.carol,
        **fields,
    )


def planned(cast: Cast, on: date, amount: str, account: Account | None = None) -> PlannedFlow:
    plan = PlanImport.objects.create(
        company=cast.company, name="plan.csv", sha256=f"{amount}{on}", made_by=cast.carol,
        made_at=datetime(2026, 11, 1, tzinfo=UTC), committed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    return PlannedFlow.objects.create(
        plan=plan,
        company=cast.company,
        account=account,
        on=on,
        amount=Decimal(amount),
        currency="CNY",
        category="Sales",
    )


def test_a_forecast_opens_with_the_newest_balance_and_adds_what_is_known(cast: Cast, now: datetime) -> None:
    balance(cast.cny, "90000", now - timedelta(days=3))
    balance(cast.cny, "100000", now - timedelta(hours=1))
    recurring(cast, "-20000", date(2026, 11, 30))
    planned(cast, date(2026, 12, 2), "5000")
    found = forecast(user=cast.carol, at=now)["CNY"]
    assert found.opening == 100000
    assert found.floor == 10000
    assert [week.closing for week in found.weeks[:3]] == [100000, 85000, 85000]
    assert len(found.weeks) == 13
    # rent at the end of November, December and January (the last Sunday is 21 February)
    assert found.weeks[-1].closing == 100000 - 3 * 20000 + 5000
    assert [flow.label for flow in found.of_week(date(2026, 11, 30))] == ["Rent", "Sales"]


def test_the_first_week_below_the_floor_names_its_driver(cast: Cast, now: datetime) -> None:
    balance(cast.cny, "30000", now)
    recurring(cast, "-2000", date(2026, 12, 1), name="Cleaning")
    recurring(cast, "-19000", date(2026, 12, 2), name="Wages")
    found = forecast(user=cast.carol, at=now)["CNY"]
    assert found.first_below is not None
    assert found.first_below.monday == date(2026, 11, 30)
    assert found.driver is not None
    assert found.driver.label == "Wages"


def test_stale_and_missing_balances_are_named(cast: Cast, now: datetime) -> None:
    balance(cast.cny, "30000", now - timedelta(days=2))
    found = forecast(user=cast.carol, at=now)
    assert [o.account for o in found["CNY"].stale] == [cast.cny]
    assert [o.account for o in found["USD"].stale] == [cast.usd]
    assert found["USD"].opening == 0


def test_only_granted_accounts_count_and_plans_need_the_whole_company(cast: Cast, now: datetime) -> None:
    other = make.company("OTHER", "Other")
    balance(make.account(other, "999", "CNY"), "1000000", now)
    balance(cast.cny, "30000", now)
    planned(cast, date(2026, 12, 2), "5000")
    planned(cast, date(2026, 12, 2), "7000", cast.cny)
    assign_perm("treasury.view_account", cast.mallory, cast.cny)
    assert forecast(user=cast.bob, at=now)["CNY"].weeks[1].inflow == 12000
    narrow = forecast(user=cast.mallory, at=now)
    assert list(narrow) == ["CNY"]
    assert narrow["CNY"].opening == 30000
    assert narrow["CNY"].weeks[1].inflow == 7000


def test_undone_plans_do_not_count(cast: Cast, now: datetime) -> None:
    row = planned(cast, date(2026, 12, 2), "5000")
    PlanImport.objects.filter(pk=row.plan_id).update(undone_at=now)
    assert forecast(user=cast.bob, at=now)["CNY"].weeks[1].inflow == 0


def test_today_is_the_date_at_the_accounts(cast: Cast) -> None:
    late = datetime(2026, 11, 29, 17, 0, tzinfo=UTC)  # Monday 01:00 in Shanghai
    assert today_of([cast.cny], late) == date(2026, 11, 30)
    assert forecast(user=cast.bob, at=late)["CNY"].weeks[0].monday == date(2026, 11, 30)


def test_the_page_shows_weeks_and_drills_down(cast: Cast, client: Client) -> None:
    at = datetime.now(UTC)
    balance(cast.cny, "30000", at)
    item = recurring(cast, "-25000", (at + timedelta(days=10)).date(), every="WEEK", name="Wages")
    client.force_login(cast.carol)
    page = client.get(reverse("forecast"), {"currency": "CNY"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "Below the floor on" in text
    assert reverse("recurring_item", args=[item.pk]) in text
    data = json.loads(re.search(r'id="forecast-data"[^>]*>(.*?)</script>', text).group(1))
    assert len(data["closing"]) == 13
    week = page.context["forecast"].first_below.monday
    drilled = client.get(reverse("forecast"), {"currency": "CNY", "week": week.isoformat()})
    assert "Wages" in drilled.content.decode()
    assert client.get(reverse("forecast"), {"currency": "CNY", "week": "2020-01-06"}).status_code == 404
    assert client.get(reverse("forecast"), {"currency": "XXX"}).status_code == 404
    assert client.get(reverse("forecast"), {"company": "NONE"}).status_code == 404


def test_who_sees_nothing_forecasts_nothing(cast: Cast, client: Client, now: datetime) -> None:
    client.force_login(cast.mallory)
    assert "nothing to forecast" in client.get(reverse("forecast")).content.decode()
    assert shell.PANELS["forecast"].context(cast.mallory, now) is None


def test_the_home_panel_draws_the_currency_that_falls_first(
    cast: Cast, client: Client, now: datetime
) -> None:
    balance(cast.cny, "30000", now)
    balance(cast.usd, "5", now)
    recurring(cast, "-10", date(2026, 11, 25), account=cast.usd)
    found = shell.PANELS["forecast"].context(cast.carol, now)
    assert found["forecast"].currency == "USD"
    client.force_login(cast.carol)
    assert "forecast.js" in client.get(reverse("home")).content.decode()


@pytest.mark.parametrize("name", ["recurring", "plans", "rates"])
def test_lists_are_there_for_everybody_signed_in(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.bob)
    assert client.get(reverse(name)).status_code == 200
    assert client.get(reverse(name), {"export": "csv"}).status_code == 200
