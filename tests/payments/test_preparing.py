"""Entering payments: every rule, every way back, and rules by amount."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from guardian.shortcuts import assign_perm

from payments.models import Payment, PaymentVersion
from payments.services import approving, batches, beneficiaries, preparing, rule_sets
from payments.services.checking import PaymentRefusedError, Wish
from payments.services.preparing import StaleEditError
from payments.services.returning import AlreadyMovingError
from payments.services.rule_sets import Band, NoRuleError, RulesRefusedError
from tests import make
from tests.make import Cast
from treasury.models import ExchangeRate, ProposedChange
from treasury.services import changes
from treasury.services.access import AccessDeniedError
from treasury.services.rates import NoRateError


def base(cast: Cast, now: datetime) -> dict[str, Any]:
    return {
        "account": cast.cny,
        "beneficiary": make.beneficiary(cast),
        "amount": Decimal("1200.00"),
        "currency": "CNY",
        "execute_on": now.date(),
        "source": "FORM",
        "by": cast.alice,
        "at": now,
    }


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (lambda c: {"amount": Decimal("0")}, "payments.amount", "amount"),
        (lambda c: {"amount": Decimal("-5")}, "payments.amount", "amount"),
        (lambda c: {"amount": Decimal("1.001")}, "payments.amount", "amount"),
        (lambda c: {"amount": Decimal("NaN")}, "payments.amount", "amount"),
        (lambda c: {"amount": Decimal("1e15")}, "payments.amount", "amount"),
        (lambda c: {"currency": "USD"}, "payments.currency", "currency"),
        (lambda c: {"execute_on": date(2026, 11, 23)}, "payments.date_past", "execute_on"),
        (lambda c: {"execute_on": date(2026, 11, 28)}, "payments.date_not_business_day", "execute_on"),
        (lambda c: {"execute_on": date(2028, 11, 24)}, "payments.date_far", "execute_on"),
        (lambda c: {"purpose": "x" * 200}, "payments.text_too_long", "purpose"),
        (lambda c: {"purpose": "a\x07"}, "payments.text_control", "purpose"),
        (lambda c: {"beneficiary": None}, "payments.payee_missing", "beneficiary"),
        (
            lambda c: {"beneficiary": None, "own_account": c.cny},
            "payments.same_account",
            "own_account",
        ),
        (
            lambda c: {"beneficiary": None, "own_account": c.usd},
            "payments.payee_currency",
            "beneficiary",
        ),
        (
            lambda c: {"account": make.account(c.company, "62250777", status="FROZEN")},
            "payments.account_not_active",
            "account",
        ),
        (
            lambda c: {"beneficiary": make.beneficiary(c, "62170777", "USD")},
            "payments.payee_currency",
            "beneficiary",
        ),
    ],
)
def test_a_payment_that_breaks_a_rule_is_refused_with_field_and_fix(
    cast: Cast, now: datetime, change: Callable[[Cast], dict[str, Any]], code: str, field: str
) -> None:
    with pytest.raises(PaymentRefusedError) as refused:
        preparing.create_payment(**{**base(cast, now), **change(cast)})
    assert (code, field) in [(f.code, f.field) for f in refused.value.faults]
    assert not Payment.objects.exists()


def test_all_faults_are_told_at_once(cast: Cast, now: datetime) -> None:
    with pytest.raises(PaymentRefusedError) as refused:
        preparing.create_payment(
            **{**base(cast, now), "amount": Decimal(0), "execute_on": date(2026, 1, 1), "purpose": "x" * 99}
        )
    assert [f.field for f in refused.value.faults] == ["amount", "execute_on", "purpose"]


def test_today_is_the_account_s_today(cast: Cast) -> None:
    evening = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # 01:00 on the 25th in Shanghai
    with pytest.raises(PaymentRefusedError, match="2026-11-25"):
        preparing.create_payment(**{**base(cast, evening), "execute_on": date(2026, 11, 24)})


def test_a_worked_weekend_in_china_is_a_business_day(cast: Cast) -> None:
    at = datetime(2026, 2, 12, 2, 0, tzinfo=UTC)
    wanted = {**base(cast, at), "execute_on": date(2026, 2, 14)}  # Saturday, worked
    assert preparing.create_payment(**wanted).state == "DRAFT"
    with pytest.raises(PaymentRefusedError, match="2026-02-24"):
        preparing.create_payment(**{**wanted, "execute_on": date(2026, 2, 17)})  # Spring Festival


def test_who_may_not_prepare_or_see_the_account_is_refused(cast: Cast, now: datetime) -> None:
    wanted = base(cast, now)
    for person in (cast.bob, cast.dave, cast.erin, cast.mallory):
        with pytest.raises(AccessDeniedError):
            preparing.create_payment(**{**wanted, "by": person})


def test_an_unconfirmed_payee_is_refused(cast: Cast, now: datetime) -> None:
    pending = beneficiaries.propose_beneficiary(
        company=cast.company, name="New", account_number="622255555", currency="CNY", by=cast.alice, at=now
    )
    with pytest.raises(PaymentRefusedError, match="second person"):
        preparing.create_payment(**{**base(cast, now), "beneficiary": pending})


def test_a_payee_of_another_company_is_refused(cast: Cast, now: datetime) -> None:
    other = make.company("OTHER", "Other")
    assign_perm("treasury.view_company", cast.alice, other)
    wanted = {**base(cast, now), "account": make.account(other, "62259999")}
    with pytest.raises(PaymentRefusedError, match="another company"):
        preparing.create_payment(**wanted)


def test_an_own_account_transfer_carries_the_own_account_s_data(cast: Cast, now: datetime) -> None:
    second = make.account(cast.company, "6225000000000055", "CNY", branch_code="102100099996")
    payment = make.payment(cast, own_account=second)
    assert (payment.kind, payment.payee_account, payment.payee_bank_code) == (
        "TRANSFER",
        second.number,
        "102100099996",
    )
    assert make.approved_payment(cast, own_account=second).state == "APPROVED"


def test_an_edit_of_an_older_version_is_refused(cast: Cast, now: datetime) -> None:
    payment = make.payment(cast)
    preparing.edit_payment(payment=payment, by=cast.alice, at=now, expected_version=1, amount=Decimal("2.00"))
    with pytest.raises(StaleEditError, match="changed since you opened it"):
        preparing.edit_payment(
            payment=payment, by=cast.alice, at=now, expected_version=1, amount=Decimal("3.00")
        )
    assert [v.facts["amount"] for v in PaymentVersion.objects.filter(payment=payment)] == ["1200.00", "2.00"]


def test_withdrawing_is_the_maker_s_right_and_only_while_it_waits(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    with pytest.raises(AccessDeniedError):
        preparing.withdraw_payment(payment=payment, by=cast.carol, at=now)
    assert preparing.withdraw_payment(payment=payment, by=cast.alice, at=now).state == "DRAFT"
    with pytest.raises(AlreadyMovingError):
        preparing.withdraw_payment(payment=payment, by=cast.alice, at=now)


def test_cancelling_an_approved_payment_needs_a_reason(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast)
    with pytest.raises(PaymentRefusedError, match="reason"):
        preparing.cancel_payment(payment=payment, by=cast.bob, at=now)
    gone = preparing.cancel_payment(payment=payment, by=cast.bob, at=now, reason="Paid by card")
    assert (gone.state, gone.note) == ("CANCELLED", "Paid by card")
    with pytest.raises(AccessDeniedError):
        preparing.cancel_payment(payment=make.payment(cast), by=cast.dave, at=now)


# --- rules --------------------------------------------------------------------------------

ONE = (("manager", 1),)
TWO = (("manager", 2),)


@pytest.mark.parametrize(
    ("bands", "fault"),
    [
        ([Band(Decimal(10), None, ONE)], "from 0 to 10 are in no band"),
        ([Band(Decimal(0), Decimal(10), ONE), Band(Decimal(20), None, ONE)], "from 10 to 20 are in no band"),
        ([Band(Decimal(0), Decimal(30), ONE), Band(Decimal(20), None, ONE)], "overlap between 20 and 30"),
        ([Band(Decimal(0), None, ONE), Band(Decimal(20), None, ONE)], "overlap between 20 and ∞"),
        ([Band(Decimal(0), Decimal(0), ONE)], "is empty"),
        ([Band(Decimal(0), None, ())], "no step"),
        ([Band(Decimal(0), None, (("clerk", 1),))], "may not approve"),
        ([Band(Decimal(0), None, (("manager", 0),))], "0 people"),
        ([Band(Decimal(0), Decimal("0.001"), ONE)], "decimals"),
    ],
)
def test_bands_with_gaps_overlaps_or_impossible_steps_are_refused(
    cast: Cast, now: datetime, bands: list[Band], fault: str
) -> None:
    with pytest.raises(RulesRefusedError, match=fault):
        rule_sets.propose_bands(company=cast.company, bands=bands, by=cast.erin, at=now)
    assert not ProposedChange.objects.exists()


def test_rules_take_two_administrators(cast: Cast, now: datetime) -> None:
    change = rule_sets.propose_bands(
        company=cast.company, bands=[Band(Decimal(0), None, ONE)], by=cast.erin, at=now
    )
    payment = make.payment(cast)
    with pytest.raises(NoRuleError):
        preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    for person in (cast.erin, cast.bob, cast.carol):
        with pytest.raises((changes.ChangeRefusedError, AccessDeniedError)):
            changes.confirm(change=change, by=person, at=now)
    changes.confirm(change=change, by=cast.eve, at=now)
    assert preparing.submit_payment(payment=payment, by=cast.alice, at=now).state == "SUBMITTED"


def test_a_new_set_of_bands_retires_the_old_one_at_once(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), None, ONE))
    make.rule_set(cast, Band(Decimal(0), Decimal(1000), ONE), Band(Decimal(1000), None, TWO))
    assert rule_sets.in_force(cast.company, now.date()).count() == 2
    payment = make.submitted_payment(cast, "1000.00")
    assert payment.approval_requests.get().steps == [{"order": 1, "role": "manager", "required": 2}]


def test_a_change_of_rules_leaves_open_requests_as_they_were_asked(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), None, TWO))
    payment = make.submitted_payment(cast)
    make.rule_set(cast, Band(Decimal(0), None, ONE))
    again = approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.bob, at=now)
    assert again.state == "SUBMITTED"


@pytest.mark.parametrize(
    ("amount", "people"), [("999.99", 1), ("1000.00", 2), ("4999.99", 2), ("5000.00", None)]
)
def test_a_band_holds_from_its_start_up_to_before_its_end(
    cast: Cast, now: datetime, amount: str, people: int | None
) -> None:
    make.rule_set(cast, Band(Decimal(0), Decimal(1000), ONE), Band(Decimal(1000), Decimal(5000), TWO))
    payment = make.payment(cast, amount)
    if people is None:
        with pytest.raises(NoRuleError, match="Ask an administrator"):
            preparing.submit_payment(payment=payment, by=cast.alice, at=now)
        return
    row = preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    assert row.approval_requests.get().steps[0]["required"] == people


def test_the_narrowest_scope_decides_alone(cast: Cast, now: datetime) -> None:
    second = make.account(cast.company, "6225000000000066")
    third = make.account(cast.company, "6225000000000067")
    make.rule_set(cast, Band(Decimal(0), None, (("manager", 4),)))
    make.rule_set(cast, Band(Decimal(0), None, (("manager", 3),)), kind="TRANSFER")
    make.rule_set(cast, Band(Decimal(0), None, (("manager", 2),)), account=second)
    make.rule_set(cast, Band(Decimal(0), Decimal(500), (("manager", 1),)), account=second, kind="TRANSFER")

    def people(**fields: Any) -> int:
        request = make.submitted_payment(cast, "100.00", **fields).approval_requests.get()
        return int(request.steps[0]["required"])

    assert people() == 4
    assert people(own_account=third) == 3
    assert people(account=second) == 2
    assert people(account=second, own_account=third) == 1
    too_much = make.payment(cast, "500.00", account=second, own_account=third)
    with pytest.raises(NoRuleError):
        preparing.submit_payment(payment=too_much, by=cast.alice, at=now)


def test_the_band_is_chosen_in_the_company_s_base_currency(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), Decimal(1000), ONE), Band(Decimal(1000), None, TWO))
    payment = make.payment(cast, "200.00", account=cast.usd)
    with pytest.raises(NoRateError, match="USD"):
        preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    ExchangeRate.objects.create(currency="USD", quote="CNY", rate=Decimal("7.1"), on=now.date())
    request = preparing.submit_payment(payment=payment, by=cast.alice, at=now).approval_requests.get()
    assert (request.base_amount, request.steps[0]["required"]) == (Decimal("1420.00"), 2)


def test_a_batch_submits_what_it_can_and_names_what_it_cannot(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), Decimal(1000), ONE))
    payee = make.beneficiary(cast)
    wishes = [
        Wish(
            account=cast.cny,
            beneficiary=payee,
            amount=Decimal(amount),
            currency="CNY",
            execute_on=now.date(),
        )
        for amount in ("10", "2000", "20")
    ]
    batch = batches.create_batch(
        account=cast.cny, name="Tuesday", source="API", by=cast.alice, at=now, wishes=wishes
    )
    results = preparing.submit_batch(batch=batch, by=cast.alice, at=now)
    assert [r.code for r in results] == ["", "payments.no_rule", ""]
    with pytest.raises(AlreadyMovingError, match="2 payments"):
        batches.cancel_batch(batch=batch, by=cast.alice, at=now)


def test_a_date_that_passed_between_entry_and_submission_is_refused(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    payment = make.payment(cast)
    with pytest.raises(PaymentRefusedError, match="in the past"):
        preparing.submit_payment(payment=payment, by=cast.alice, at=now + timedelta(days=1))
