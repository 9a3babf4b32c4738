"""The payment screens as people see them: entry, import, approval, beneficiaries, rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from payments.models import Payment
from payments.services import beneficiaries, importing, preparing
from tests import make
from tests.browser.conftest import Strict
from tests.make import Cast, cast_of
from treasury import calendars
from treasury.models import Balance

pytestmark = pytest.mark.browser

PAYEES = (
    ("北京供应商有限公司", "6217000000000099", "中国工商银行"),
    ("上海物流有限公司", "6217000000000088", "招商银行"),
    ("深圳电子科技股份有限公司", "6217000000000077", "中国建设银行"),
)


@pytest.fixture
def at() -> datetime:
    return timezone.now()


@pytest.fixture
def cast(transactional_db: None, at: datetime) -> Cast:
    cast = cast_of()
    make.rule_set(cast, at=at)
    Balance.objects.create(
        account=cast.cny,
        as_of=at,
        received_at=at,
        ledger=Decimal("2500000.00"),
        available=Decimal("2400000.00"),
        source="BANK",
    )
    for name, number, bank in PAYEES:
        make.beneficiary(cast, number, at=at, name=name, bank_name=bank, bank_code="102100099996")
    return cast


def due(at: datetime) -> dict[str, Any]:
    """When payments of these tests are made and due, whatever the real date is."""
    return {"at": at, "execute_on": calendars.next_business_day(timezone.localdate(at), "CN")}


def payee(name: str) -> Any:
    from payments.models import Beneficiary

    return Beneficiary.objects.get(name=name)


def test_a_payment_from_entry_to_approval(strict: Strict, cast: Cast, at: datetime) -> None:
    strict.sign_in(cast.alice)
    page = strict.open("/payments/new/")
    page.get_by_label("Debit account").select_option(str(cast.cny.pk))
    page.get_by_role("searchbox", name="Payee").fill("上海")
    expect(page.locator("#payee-options label")).to_have_count(1)
    page.get_by_label("上海物流有限公司").check()
    page.get_by_label("Amount", exact=False).first.fill("107,000.53")
    page.get_by_label("Purpose").fill("货款")
    expect(page.locator("#hints")).to_contain_text("人民币壹拾万柒仟元零伍角叁分")
    expect(page.locator("#hints")).to_contain_text("2,292,999.47")
    strict.axe()
    strict.shot("payment-entry-filled")
    page.get_by_role("button", name="Save and submit").click()
    expect(page.locator("h1")).to_contain_text("P")
    expect(page.get_by_text("Waiting for approval").first).to_be_visible()
    payment = Payment.objects.get()

    strict.sign_in(cast.bob)
    page = strict.open("/payments/approvals/")
    page.get_by_label(f"Select {payment.reference}").check()
    expect(page.locator("[data-selection-bar]")).to_contain_text("107,000.53 CNY")
    strict.axe()
    strict.shot("approval-selected")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Yes, continue").click()
    expect(page.get_by_text("Your approval is signed")).to_be_visible()
    strict.axe()
    payment.refresh_from_db()
    assert payment.state == "APPROVED"


def test_an_entry_with_faults_names_them_beside_the_fields(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    page = strict.open("/payments/new/")
    page.get_by_label("Amount", exact=False).first.fill("1.234")
    strict.allow("422")
    page.get_by_role("button", name="Save as draft").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    strict.axe()
    strict.shot("payment-entry-faults")


def test_payment_pages_in_both_languages_and_widths(strict: Strict, cast: Cast, at: datetime) -> None:
    first, second, third = (payee(name) for name, _number, _bank in PAYEES)
    draft = make.payment(cast, "1200.00", to=first, purpose="货款 2026-11", **due(at))
    waiting = make.submitted_payment(cast, "88000.00", to=second, purpose="运费", **due(at))
    make.submitted_payment(cast, "88000.00", to=second, purpose="运费", **due(at))
    edited = make.submitted_payment(cast, "560.00", to=third, **due(at))
    preparing.edit_payment(payment=edited, by=cast.alice, at=at, amount=Decimal("650.00"))
    preparing.submit_payment(payment=edited, by=cast.alice, at=at)
    approved = make.approved_payment(cast, "99.90", to=third, **due(at))
    beneficiaries.propose_change(beneficiary=first, by=cast.alice, at=at, account_number="6217000000000066")
    strict.sign_in(cast.bob)
    strict.tour("payments", "/payments/")
    strict.tour("approvals", "/payments/approvals/")
    strict.tour("payment-deciding", f"/payments/{waiting.pk}/")
    strict.tour("payment-approved", f"/payments/{approved.pk}/")
    strict.tour("beneficiaries", "/payments/beneficiaries/")
    strict.tour("beneficiary", f"/payments/beneficiaries/{first.pk}/")
    strict.tour("rules", "/payments/rules/")
    strict.sign_in(cast.alice)
    strict.tour("payment-draft", f"/payments/{draft.pk}/")
    strict.tour("payment-entry", "/payments/new/")
    strict.tour("beneficiary-form", "/payments/beneficiaries/new/")
    strict.sign_in(cast.erin)
    strict.tour("rules-form", f"/payments/rules/{cast.company.pk}/propose/?account=&kind=")


def test_the_import_wizard_in_both_languages_and_widths(strict: Strict, cast: Cast, at: datetime) -> None:
    day = due(at)["execute_on"]
    head = "收款人,收款账号,金额,执行日期,用途\n"
    good = "".join(f"{name},{number},{n}00.50,{day},货款\n" for n, (name, number, _b) in enumerate(PAYEES, 1))
    bad = f"无名公司,999,10,{day},\n北京供应商有限公司,6217000000000099,-1,{day},\n"

    def upload(name: str, text: str) -> Any:
        return importing.upload_file(
            account=cast.cny, name=name, content=(head + text).encode(), by=cast.alice, at=at
        )

    strict.sign_in(cast.alice)
    strict.tour("import", "/payments/import/")
    strict.tour("import-faults", f"/payments/import/{upload('bad.csv', good + bad).pk}/")
    file = upload("good.csv", good)
    strict.tour("import-preview", f"/payments/import/{file.pk}/")
    page = strict.open(f"/payments/import/{file.pk}/")
    page.get_by_role("button", name="Enter 3 payments as drafts").click()
    expect(page.locator("h1")).to_contain_text("good.csv")
    strict.tour("batch", page.url.removeprefix(strict.server))
