"""Reconciling by keyboard alone in a real browser, and every page's look."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from reconciliation.models import LedgerImport, Match, OpenBankLine
from reconciliation.services.booking import upload_journal
from reconciliation.services.matching import match_account
from reconciliation.services.opening import set_opening
from tests.browser.conftest import Strict
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, day, journal, statement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def filled(cast: Cast) -> None:
    set_opening(account=cast.cny, on=day(-1), amount=Decimal(1000), by=cast.dave, at=NOW)
    statement(
        cast.cny,
        [
            {"amount": -50, "reference": "ZL202611230001", "name": "示例供应商有限公司"},
            {
                "amount": 300,
                "name": "Acme 客户有限公司",
                "text": "Invoice 4711",
                "bank_reference": "HX2026112300077",
            },
            {"amount": -7, "name": "Simulated Bank", "text": "Account fee"},
            {"amount": "12500.50", "name": "Beihai Steel", "text": "货款"},
        ],
        on=DAY,
        opening=1000,
    )
    journal(
        cast.cny,
        [
            {"amount": -50, "reference": "ZL202611230001", "name": "示例供应商有限公司"},
            {"amount": 100, "voucher": "银收-1", "name": "Acme 客户有限公司", "text": "part one"},
            {"amount": 200, "voucher": "银收-2", "name": "Acme 客户有限公司", "text": "part two"},
            {"amount": -900, "voucher": "银付-9", "name": "Late Cheque Ltd", "on": day(-1)},
        ],
        by=cast.alice,
    )
    match_account(account=cast.cny, at=NOW)


def address(name: str, *args: int) -> str:
    return reverse(f"reconciliation:{name}", args=args)


def test_lines_are_matched_and_undone_by_keyboard_alone(strict: Strict, cast: Cast) -> None:
    filled(cast)
    strict.sign_in(cast.dave)
    page = strict.open(address("account", cast.cny.pk))
    bar, button = page.locator("[data-difference-bar]"), page.locator("[data-match]")
    expect(button).to_be_disabled()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-side=bank] input").first).to_be_focused()
    while "Acme" not in (page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#suggestions [data-take='1']")).to_be_visible()
    expect(bar).to_contain_text("300.00")
    expect(button).to_be_disabled()
    expect(bar).to_contain_text("Choose lines on both sides.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(bar).to_contain_text("The sides differ")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    expect(page.get_by_text("Matched 300.00 CNY.")).to_be_visible()
    assert Match.objects.live().filter(tier="HAND").count() == 1
    page.keyboard.press("u")
    expect(page.get_by_text("The match is undone")).to_be_visible()
    assert OpenBankLine.objects.filter(amount=300).exists()
    for label in ("Acme", "银收-1", "银收-2"):
        page.locator("tr", has_text=label if label != "Acme" else "Invoice 4711").locator("input").check()
    expect(bar).to_contain_text("Both sides are equal.")
    strict.shot("reconcile-chosen")
    page.keyboard.press("m")
    expect(page.get_by_text("Matched 300.00 CNY.")).to_be_visible()


def test_without_the_persons_shortcuts_keys_do_nothing(strict: Strict, cast: Cast) -> None:
    filled(cast)
    cast.dave.shortcuts = False
    cast.dave.save()
    strict.sign_in(cast.dave)
    page = strict.open(address("account", cast.cny.pk))
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-side=bank] input").first).not_to_be_focused()


def test_every_page_reads_well(strict: Strict, cast: Cast) -> None:
    filled(cast)
    bad = b"date,amount\n2026-11-23,x\n2026-11-23,1.2345\nsoon,5\n"
    draft = upload_journal(account=cast.cny, name="journal.csv", content=bad, by=cast.dave, at=NOW)
    good = LedgerImport.objects.exclude(pk=draft.pk).get()
    strict.sign_in(cast.dave)
    pk, line = cast.cny.pk, OpenBankLine.objects.get(amount=300).pk
    strict.tour("reconciliation", address("overview"))
    strict.tour("reconcile", address("account", pk) + f"?for=bank-{line}")
    strict.tour("sheet", address("sheet", pk))
    strict.tour("opening", address("opening", pk))
    strict.tour("matches", address("matches"))
    strict.tour("match", address("match", Match.objects.get().pk))
    strict.tour("journals", address("journals"))
    strict.tour("journal-upload", address("import_journal"))
    strict.tour("journal-problems", address("journal", draft.pk))
    strict.tour("journal-booked", address("journal", good.pk))
    strict.tour("closes", address("closes"))
