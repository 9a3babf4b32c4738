"""Two people at once, each with a connection of their own: somebody wins, nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from banks.models import Connection
from payments.models import ApprovalRequest, Decision, Dispatch, Payment
from payments.services import approving, beneficiaries, preparing, querying, releasing
from payments.services.rule_sets import Band
from payments.states import TRANSITIONS
from tests import make
from tests.make import Cast
from treasury.services import auditing, changes
from treasury.services.moving import move

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run every act in its own thread and connection at the same moment; results or exceptions."""
    gate, outcome = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        gate.wait(timeout=10)
        try:
            outcome[place] = act()
        except Exception as error:  # noqa: BLE001 - the losing side's refusal is the result
            outcome[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    return outcome


def consistent(payment: Payment) -> Payment:
    """The payment from the database, after the checks that hold whoever won."""
    row = Payment.objects.select_related("account").get(pk=payment.pk)
    assert row.digest == row.compute_digest()
    live = ApprovalRequest.objects.filter(payment=row, state__in=["OPEN", "COMPLETE"])
    assert live.count() == (1 if row.state in {"SUBMITTED", "APPROVED"} else 0)
    if row.state == "APPROVED":
        releasing.verify_release(payment=row)
    assert auditing.verify().intact
    return row


def yes(payment: Payment, by: Any, at: datetime) -> Callable[[], Any]:
    return lambda: approving.approve_payment(payment=payment, expected_digest=payment.digest, by=by, at=at)


def test_two_approvers_at_once_are_two_approvals(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), None, (("manager", 2),)))
    for _round in range(ROUNDS):
        payment = make.submitted_payment(cast)
        together(yes(payment, cast.bob, now), yes(payment, cast.bella, now))
        assert consistent(payment).state == "APPROVED"


def test_the_same_approver_twice_at_once_is_one_approval(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, Band(Decimal(0), None, (("manager", 2),)))
    for _round in range(ROUNDS):
        payment = make.submitted_payment(cast)
        outcome = together(yes(payment, cast.bob, now), yes(payment, cast.bob, now))
        assert sorted(type(o).__name__ for o in outcome) == ["AlreadyDecidedError", "Payment"]
        assert Decision.objects.filter(request__payment=payment).count() == 1
        assert consistent(payment).state == "SUBMITTED"


def test_an_edit_against_an_approval_never_leaves_an_approved_other_amount(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    for _round in range(ROUNDS):
        payment = make.submitted_payment(cast)
        together(
            yes(payment, cast.bob, now),
            lambda p=payment: preparing.edit_payment(
                payment=p, by=cast.alice, at=now, amount=Decimal("77.00")
            ),
        )
        row = consistent(payment)
        assert (row.state, row.amount) == ("DRAFT", Decimal("77.00"))


def test_a_withdrawal_against_an_approval_has_one_winner(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    for _round in range(ROUNDS):
        payment = make.submitted_payment(cast)
        outcome = together(
            yes(payment, cast.bob, now),
            lambda p=payment: preparing.withdraw_payment(payment=p, by=cast.alice, at=now),
        )
        row = consistent(payment)
        assert sum(isinstance(o, Exception) for o in outcome) == 1
        assert row.state == ("DRAFT" if isinstance(outcome[0], Exception) else "APPROVED")


def test_approve_reject_and_cancel_at_once_have_one_end(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    for _round in range(ROUNDS):
        payment = make.submitted_payment(cast)
        together(
            yes(payment, cast.bob, now),
            lambda p=payment: approving.reject(
                payment=p, expected_digest=p.digest, reason="no", by=cast.bella, at=now
            ),
            lambda p=payment: preparing.cancel_payment(payment=p, by=cast.alice, at=now, reason="no"),
        )
        assert consistent(payment).state in {"APPROVED", "REJECTED", "CANCELLED"}


def test_a_submission_twice_at_once_opens_one_request(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    for _round in range(ROUNDS):
        payment = make.payment(cast)
        outcome = together(
            *[lambda p=payment: preparing.submit_payment(payment=p, by=cast.alice, at=now)] * 2
        )
        assert sum(isinstance(o, Exception) for o in outcome) == 1
        assert consistent(payment).state == "SUBMITTED"


def test_a_payee_change_against_an_approval_leaves_nothing_releasable_to_the_old_account(
    cast: Cast, now: datetime
) -> None:
    make.rule_set(cast)
    payee = make.beneficiary(cast)
    for number in range(ROUNDS):
        payment = make.submitted_payment(cast, to=payee)
        change = beneficiaries.propose_change(
            beneficiary=payee, by=cast.alice, at=now, account_number=f"62220000{number}"
        )
        together(
            yes(payment, cast.bob, now), lambda c=change: changes.confirm(change=c, by=cast.carol, at=now)
        )
        payee.refresh_from_db()
        assert payee.account_number == f"62220000{number}"
        assert consistent(payment).state == "DRAFT"


def test_two_people_confirming_one_change_at_once_apply_it_once(cast: Cast, now: datetime) -> None:
    for n in range(ROUNDS):
        payee = make.beneficiary(cast, f"62170000000010{n:02d}")
        change = beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, name=f"Other {n}")
        results = together(
            lambda change=change: changes.confirm(change=change, by=cast.bob, at=now),  # type: ignore[misc]
            lambda change=change: changes.confirm(change=change, by=cast.carol, at=now),  # type: ignore[misc]
        )
        assert sorted(type(r).__name__ for r in results) == ["Beneficiary", "ChangeRefusedError"]
        payee.refresh_from_db()
        assert payee.version == 2


def test_making_an_enquiry_due_waits_for_nobody_who_is_busy_with_the_payment(
    cast: Cast, now: datetime
) -> None:
    busy, free = make.approved_payment(cast), make.approved_payment(cast)
    line = Connection.objects.create(name="Silent", bank=cast.cny.bank, connector="simulated")
    for payment in (busy, free):
        Dispatch.objects.create(payment=payment, connection=line, digest=payment.digest)
        for state in ("SENDING", "UNKNOWN"):
            move(row=payment, to=state, transitions=TRANSITIONS, by=None, at=now, action="test.moved")
    done: list[int] = []

    def ask() -> None:
        try:
            done.append(querying.ask_soon(references=[busy.reference, free.reference], at=now))
            done.append(querying.find_forgotten(at=now))
        finally:
            connection.close()

    with transaction.atomic():
        Dispatch.objects.select_for_update().get(payment=busy)
        asker = threading.Thread(target=ask)
        asker.start()
        asker.join(timeout=20)
        assert done == [1, 0]
    assert querying.find_forgotten(at=now) == 1
