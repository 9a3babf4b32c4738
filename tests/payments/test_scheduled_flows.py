"""What payments tell the forecast: submitted and later, until a balance shows them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from guardian.shortcuts import assign_perm

from payments.models import Payment
from payments.services import approving, preparing
from payments.states import TRANSITIONS
from tests import make
from tests.make import Cast
from treasury.models import Account, Balance
from treasury.services.forecasting import Forecast, forecast
from treasury.services.moving import move


def opened(cast: Cast, now: datetime, *accounts: Account) -> None:
    for account in accounts:
        Balance.objects.create(
            account=account, ledger=Decimal(50000), as_of=now, source="BANK", received_at=now
        )


def seen(user: Any, at: datetime) -> Forecast:
    return forecast(user=user, at=at)["CNY"]


def settle(payment: Payment, cast: Cast, now: datetime) -> Payment:
    """Approved, sent and settled five minutes later, without a bank."""
    payment = approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.bob, at=now)
    settled = now + timedelta(minutes=5)
    for to, changes in (("SENDING", None), ("SETTLED", {"settled_at": settled})):
        payment = move(
            row=payment, to=to, transitions=TRANSITIONS, by=None, at=settled, action="t", changes=changes
        )
    return payment


def test_a_payment_counts_from_submission_on_its_day(cast: Cast, now: datetime) -> None:
    opened(cast, now, cast.cny)
    make.payment(cast, "100", at=now)
    assert seen(cast.carol, now).weeks[0].outflow == 0
    make.submitted_payment(cast, "1200", execute_on=date(2026, 12, 3), at=now)
    found = seen(cast.carol, now)
    assert [week.outflow for week in found.weeks[:3]] == [0, -1200, 0]
    (flow,) = found.of_week(date(2026, 11, 30))
    assert (flow.on, flow.amount) == (date(2026, 12, 3), -1200)
    payment = Payment.objects.get(state="SUBMITTED")
    assert flow.link == reverse("payments:payment", args=[payment.pk])


def test_a_settled_payment_of_an_account_without_balance_is_no_flow(cast: Cast, now: datetime) -> None:
    opened(cast, now - timedelta(days=9), cast.usd)
    settle(make.submitted_payment(cast, "1200", at=now), cast, now)
    assert seen(cast.carol, now).weeks[0].outflow == 0


def test_a_transfer_between_own_accounts_has_two_legs(cast: Cast, now: datetime) -> None:
    second = make.account(cast.company, "6225000000000003", "CNY")
    opened(cast, now, cast.cny, second)
    make.submitted_payment(cast, "700", own_account=second, at=now)
    week = seen(cast.carol, now).weeks[0]
    assert (week.inflow, week.outflow, week.closing) == (700, -700, 100000)
    assign_perm("treasury.view_account", cast.mallory, second)
    (flow,) = seen(cast.mallory, now).of_week(date(2026, 11, 23))
    assert (flow.amount, flow.link) == (700, "")


def test_overdue_payments_are_still_to_come_and_withdrawn_ones_are_not(cast: Cast, now: datetime) -> None:
    opened(cast, now, cast.cny)
    payment = make.submitted_payment(cast, "1200", at=now)
    later = now + timedelta(days=7)
    assert seen(cast.carol, later).weeks[0].outflow == -1200
    preparing.withdraw_payment(payment=payment, by=cast.alice, at=later)
    assert seen(cast.carol, later).weeks[0].outflow == 0


def test_a_settled_payment_counts_until_a_newer_balance(cast: Cast, now: datetime) -> None:
    opened(cast, now, cast.cny)
    payment = settle(make.submitted_payment(cast, "1200", at=now), cast, now)
    later = now + timedelta(minutes=30)
    assert seen(cast.carol, later).weeks[0].closing == 48800
    Balance.objects.create(account=cast.cny, ledger=48800, as_of=later, source="BANK", received_at=later)
    assert seen(cast.carol, later).weeks[0].closing == 48800
    assert Payment.objects.get(pk=payment.pk).state == "SETTLED"
