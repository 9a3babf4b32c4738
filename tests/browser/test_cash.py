"""The cash position and the accounts behind it, as a person sees them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import Strict
from tests.make import Cast, cast_of
from treasury.models import Balance, ExchangeRate

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast with two companies, three banks, four currencies and sixty days of balances."""
    cast = cast_of()
    at = timezone.now()
    other = make.company("NANHAI", "Nanhai Logistics 南海物流有限公司")
    from guardian.shortcuts import assign_perm

    assign_perm("treasury.view_company", cast.carol, other)
    icbc, db = make.bank("ICBC", "Industrial and Commercial Bank"), make.bank("DEUT", "Deutsche Bank", "DE")
    accounts = [
        (cast.cny, "12345678.90"),
        (cast.usd, "801234.50"),
        (make.account(other, "6222000000000011", "CNY", bank=icbc), "5300900.00"),
        (
            make.account(other, "DE89370400440532013000", "EUR", bank=db, time_zone="Europe/Berlin"),
            "-1200.55",
        ),
        (make.account(other, "1234567", "JPY", bank=icbc), "98000000"),
    ]
    Balance.objects.bulk_create(
        Balance(
            account=account,
            as_of=at - timedelta(days=days, hours=1),
            received_at=at,
            ledger=Decimal(ledger) * (100 - days % 13) / 100,
            available=Decimal(ledger) if account.currency == "CNY" else None,
            source=Balance.Source.BANK,
        )
        for account, ledger in accounts
        for days in range(5 if account.currency == "JPY" else 0, 60)
    )
    make.account(other, "777", "HKD", bank=icbc, name="Empty until connected")
    for currency, rate in {"USD": "7.1", "EUR": "7.75", "JPY": "0.046"}.items():
        ExchangeRate.objects.create(currency=currency, quote="CNY", rate=Decimal(rate), on=date(2026, 1, 2))
    return cast


def test_from_the_position_down_to_the_account(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.carol)
    strict.tour("home", "/")
    page = strict.open("/")
    expect(page.locator("[data-chart] svg")).to_have_count(3)
    page.locator("#by-bank").scroll_into_view_if_needed()
    page.locator("[data-chart]").nth(1).hover(position={"x": 260, "y": 40})
    strict.shot("home-tooltip")
    page.get_by_role("link", name="Deutsche Bank").click()
    expect(page).to_have_url(re.compile("bank=DEUT"))
    page.get_by_role("link", name="NANHAI EUR").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("NANHAI EUR")
    path = page.url.removeprefix(strict.server)
    strict.tour("account", path)
    strict.tour("accounts", "/cash/accounts/")
    strict.tour("companies", "/cash/companies/")


def test_an_empty_position_says_what_to_do(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.mallory)
    strict.tour("home-empty", "/")
