"""Forecast, plans, rates and sweeps in a real browser: both languages, both widths, strict CSP, axe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from payments.models import Payment, SweepRule
from payments.services import sweep_rules
from tests import make
from tests.browser.conftest import Strict
from tests.make import Cast
from treasury.models import Account, Balance, RecurringFlow
from treasury.services import changes, rates

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast with money, wages that break the floor, and a sweep rule in force."""
    at = datetime.now(UTC)
    cast = make.cast_of()
    shop = make.account(cast.company, "6225000000000003", "CNY", name="Shop")
    for account, amount in ((cast.cny, "180000"), (cast.usd, "42000"), (shop, "5000")):
        Balance.objects.create(
            account=account,
            ledger=Decimal(amount),
            available=Decimal(amount),
            as_of=at - timedelta(days=2 if account == cast.usd else 0),
            source="BANK",
            received_at=at,
        )
    for name, amount, every in (("工资 Wages", "-60000", "MONTH"), ("Sales", "11000", "WEEK")):
        RecurringFlow.objects.create(
            account=cast.cny,
            name=name,
            category=name,
            amount=Decimal(amount),
            every=every,
            starts_on=(at + timedelta(days=6)).date(),
            made_by=cast.carol,
        )
    RecurringFlow.objects.create(
        account=cast.cny, name="Tax", category="Tax", amount=Decimal(-150000), every="QUARTER",
        starts_on=(at + timedelta(days=40)).date(), made_by=cast.carol,
    )  # fmt: skip
    rule = SweepRule(
        name="Shop to main", header=cast.cny, member=shop, direction="BOTH", target_balance=Decimal(1000)
    )
    change = sweep_rules.propose_rule(draft=rule, by=cast.carol, at=at)
    changes.confirm(change=change, by=cast.bob, at=at)
    make.rule_set(cast, at=at)
    rates.import_rates(
        name="r.csv", content=b"date,currency,quote,rate\n2026-11-24,USD,CNY,7.1\n", by=None, at=at
    )
    return cast


def test_cash_pages_in_both_languages_and_widths(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.carol)
    item = RecurringFlow.objects.first()
    rule = SweepRule.objects.get()
    assert item is not None
    for name, path in {
        "home-forecast": "/",
        "forecast": "/cash/forecast/?currency=CNY",
        "recurring": "/cash/recurring/",
        "recurring-item": f"/cash/recurring/{item.pk}/",
        "plans": "/cash/plans/",
        "plan-import": "/cash/plans/import/",
        "rates": "/cash/rates/",
        "rates-import": "/cash/rates/import/",
        "sweeps": "/payments/sweeps/",
        "sweep-rule": f"/payments/sweeps/rules/{rule.pk}/",
        "sweep-propose": "/payments/sweeps/rules/new/",
        "sweep-dry-run": "/payments/sweeps/dry-run/",
        "sweep-runs": "/payments/sweeps/runs/",
    }.items():
        strict.tour(name, path)


def test_the_chart_is_drawn_and_a_week_opens(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.carol)
    page = strict.open("/cash/forecast/?currency=CNY")
    expect(page.locator("[data-forecast] svg")).to_be_visible()
    expect(page.get_by_text("Below the floor on")).to_be_visible()
    page.locator("[data-forecast]").hover()
    below = page.locator("tbody tr").last.get_by_text("Below").first
    expect(below).to_be_visible()
    page.locator("thead a").nth(1).click()
    expect(page.get_by_role("heading", name="What moves in the week from")).to_be_visible()
    strict.axe()
    strict.shot("forecast-week")


def test_a_plan_is_uploaded_corrected_and_put_in_force(strict: Strict, cast: Cast, tmp_path: Path) -> None:
    day = (datetime.now(UTC) + timedelta(days=9)).date()
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    right.write_text(f"日期,金额,币种,类别\n{day},-100,CNY,工资\n", encoding="utf-8")
    wrong.write_text(right.read_text(encoding="utf-8") + "2020-01-01,1,CNX,Late\n", encoding="utf-8")
    strict.sign_in(cast.carol)
    for file in (wrong, right):
        page = strict.open("/cash/plans/import/")
        page.get_by_label("Company").select_option(label="Huaxia Trading")
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Upload and check").click()
        expect(page.get_by_role("heading", name=file.name)).to_be_visible()
        strict.axe()
        strict.shot(f"plan-{file.stem}")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("The plan is in force")).to_be_visible()


def test_a_dry_run_becomes_transfers_that_wait(strict: Strict, cast: Cast) -> None:
    from treasury import calendars

    today = datetime.now().astimezone().date()
    if not calendars.is_business_day(today, "CN"):
        pytest.skip("Banks in China are closed today, so no transfer can be dated today.")
    strict.sign_in(cast.carol)
    page = strict.open("/payments/sweeps/dry-run/")
    expect(page.get_by_text("4,000.00 CNY").first).to_be_visible()
    page.get_by_role("button", name="Make and submit the transfers").click()
    expect(page.get_by_text("wait for approval")).to_be_visible()
    strict.axe()
    strict.shot("sweep-run")
    payment = Payment.objects.get()
    assert (payment.state, payment.amount) == ("SUBMITTED", 4000)
    assert payment.own_account_id == Account.objects.get(pk=cast.cny.pk).pk
