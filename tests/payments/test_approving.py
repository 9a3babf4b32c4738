"""Who may approve what, and that a yes binds exactly what was seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payments.models import Beneficiary, Decision
from payments.services import approving, beneficiaries, preparing, releasing, signing
from payments.services.approving import (
    AlreadyDecidedError,
    ChangedSinceError,
    NotWaitingError,
    ReasonMissingError,
    SamePersonError,
    TooLateError,
    WrongStepError,
)
from payments.services.rule_sets import Band
from payments.states import RequestState
from tests import make
from tests.make import Cast
from treasury.models import ProposedChange
from treasury.services import auditing, changes
from treasury.services.access import AccessDeniedError

TWO_STEPS = Band(Decimal(0), None, (("manager", 2), ("treasurer", 1)))


def approve(payment: Any, by: Any, at: datetime) -> Any:
    return approving.approve_payment(payment=payment, expected_digest=payment.digest, by=by, at=at)


def test_the_last_yes_approves_and_the_payment_may_leave(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast, "1200.00")
    assert payment.state == "APPROVED"
    releasing.verify_release(payment=payment)
    decision = Decision.objects.select_related("request__payment").get()
    assert signing.decision_verifies(decision)
    decision.person_id = cast.bella.pk
    assert not signing.decision_verifies(decision)


def test_steps_are_taken_in_order_and_every_person_counts_once(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, TWO_STEPS)
    payee = make.beneficiary(cast)
    # Carol confirmed this payee; somebody else must be treasurer
    colin = make.person("Colin", "treasurer", cast.company)
    colin.groups.add(*cast.bob.groups.all())
    payment = make.submitted_payment(cast, to=payee)
    with pytest.raises(WrongStepError, match="manager"):
        approve(payment, make.person("Cleo", "treasurer", cast.company), now)
    assert approve(payment, colin, now).state == "SUBMITTED"
    with pytest.raises(AlreadyDecidedError):
        approve(payment, colin, now)
    assert approve(payment, cast.bob, now).state == "SUBMITTED"
    with pytest.raises(AlreadyDecidedError, match="Another person"):
        approve(payment, colin, now)  # holds the treasurer's role too, but counts once
    with pytest.raises(WrongStepError, match="treasurer"):
        approve(payment, cast.bella, now)
    done = approve(payment, make.person("Conny", "treasurer", cast.company), now)
    assert done.state == "APPROVED"
    releasing.verify_release(payment=done)


@pytest.mark.parametrize("part", ["created", "edited", "submitted", "edited long ago"])
def test_nobody_approves_what_they_had_a_hand_in(cast: Cast, now: datetime, part: str) -> None:
    make.rule_set(cast)
    cast.bob.groups.add(*cast.alice.groups.all())
    payment = make.payment(cast, by=cast.bob if part == "created" else cast.alice)
    if part.startswith("edited"):
        payment = preparing.edit_payment(payment=payment, by=cast.bob, at=now, purpose="Invoice 7")
    if part == "edited long ago":
        payment = preparing.edit_payment(payment=payment, by=cast.alice, at=now, purpose="Invoice 8")
    payment = preparing.submit_payment(
        payment=payment, by=cast.bob if part == "submitted" else cast.alice, at=now
    )
    with pytest.raises(SamePersonError, match="Bob"):
        approve(payment, cast.bob, now)
    assert approve(payment, cast.bella, now).state == "APPROVED"


def test_nobody_approves_for_a_payee_they_confirmed(cast: Cast, now: datetime) -> None:
    row = beneficiaries.propose_beneficiary(
        company=cast.company, name="Payee", account_number="622200001", currency="CNY", by=cast.alice, at=now
    )
    changes.confirm(change=ProposedChange.objects.get(object_id=row.pk), by=cast.bob, at=now)
    payment = make.submitted_payment(cast, to=Beneficiary.objects.get(pk=row.pk))
    with pytest.raises(SamePersonError, match="beneficiary"):
        approve(payment, cast.bob, now)
    assert approve(payment, cast.bella, now).state == "APPROVED"


def test_who_changed_the_payee_before_the_last_change_is_still_barred(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    for number, confirmer in (("622200002", cast.bob), ("622200003", cast.carol)):
        change = beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, account_number=number)
        changes.confirm(change=change, by=confirmer, at=now)
        payee.refresh_from_db()
    payment = make.submitted_payment(cast, to=payee)
    with pytest.raises(SamePersonError):
        approve(payment, cast.bob, now)


def test_an_approval_of_other_data_than_shown_is_refused(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast, "1200.00")
    seen = payment.digest
    preparing.edit_payment(payment=payment, by=cast.alice, at=now, amount=Decimal("9999.00"))
    again = preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    with pytest.raises(ChangedSinceError, match="changed since you opened it"):
        approving.approve_payment(payment=payment, expected_digest=seen, by=cast.bob, at=now)
    assert approve(again, cast.bob, now).amount == Decimal("9999.00")


@pytest.mark.parametrize(
    "change",
    [
        lambda cast: {"amount": Decimal("1.00")},
        lambda cast: {"execute_on": make.NOW.date() + timedelta(days=1)},
        lambda cast: {"beneficiary": make.beneficiary(cast, "622299999")},
        lambda cast: {"account": make.account(cast.company, "6225000000000077")},
        lambda cast: {"purpose": "Another purpose"},
        lambda cast: {"urgent": True},
    ],
)
def test_an_edit_voids_every_approval(
    cast: Cast, now: datetime, change: Callable[[Cast], dict[str, Any]]
) -> None:
    payment = make.approved_payment(cast)
    edited = preparing.edit_payment(payment=payment, by=cast.alice, at=now, **change(cast))
    assert (edited.state, edited.version) == ("DRAFT", payment.version + 1)
    assert edited.digest != payment.digest
    assert edited.approval_requests.get().state == RequestState.VOID
    with pytest.raises(releasing.NotReleasableError, match="no complete approval"):
        releasing.verify_release(payment=edited)


def test_send_back_gives_the_reason_and_the_same_approver_decides_anew(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    with pytest.raises(ReasonMissingError):
        approving.send_back(payment=payment, expected_digest=payment.digest, reason=" ", by=cast.bob, at=now)
    back = approving.send_back(
        payment=payment, expected_digest=payment.digest, reason="Wrong invoice", by=cast.bob, at=now
    )
    assert (back.state, back.note, back.version) == ("DRAFT", "Wrong invoice", 2)
    again = preparing.submit_payment(payment=back, by=cast.alice, at=now)
    assert approve(again, cast.bob, now).state == "APPROVED"


def test_reject_is_the_end(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    gone = approving.reject(
        payment=payment, expected_digest=payment.digest, reason="Not ours", by=cast.bob, at=now
    )
    assert gone.state == "REJECTED"
    with pytest.raises(NotWaitingError):
        approve(gone, cast.bella, now)
    with pytest.raises(Exception, match="is Rejected"):
        preparing.submit_payment(payment=gone, by=cast.alice, at=now)


def test_people_without_the_right_or_the_grant_cannot_decide(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    stranger = make.person("Sam", "manager")
    for person in (cast.alice, cast.dave, cast.erin, cast.mallory, stranger):
        with pytest.raises(AccessDeniedError):
            approve(payment, person, now)
    superuser = make.person("Root", None, cast.company, is_superuser=True)
    with pytest.raises(AccessDeniedError):
        approve(payment, superuser, now)
    outcome = approving.approve_payments(expectations=[(payment.pk, payment.digest)], by=stranger, at=now)
    assert outcome[0].code == "payments.not_found"


def test_an_approval_after_the_execution_date_is_refused(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    with pytest.raises(TooLateError, match="new date"):
        approve(payment, cast.bob, now + timedelta(days=1))


def test_bulk_approval_tells_the_outcome_of_every_row(cast: Cast, now: datetime) -> None:
    good = make.submitted_payment(cast, "10.00")
    changed = make.submitted_payment(cast, "20.00")
    own = make.submitted_payment(cast, "30.00")
    preparing.withdraw_payment(payment=changed, by=cast.alice, at=now)
    cast.bob.groups.add(*cast.alice.groups.all())
    preparing.withdraw_payment(payment=own, by=cast.alice, at=now)
    own = preparing.submit_payment(payment=own, by=cast.bob, at=now)
    results = approving.approve_payments(
        expectations=[(p.pk, p.digest) for p in (good, changed, own)] + [(10**9, "")], by=cast.bob, at=now
    )
    assert [r.code for r in results] == [
        "",
        "payments.not_waiting",
        "payments.same_person",
        "payments.not_found",
    ]
    repeated = approving.approve_payments(expectations=[(good.pk, good.digest)], by=cast.bob, at=now)
    assert repeated[0].code == "payments.not_waiting"
    assert Decision.objects.filter(request__payment=good).count() == 1


def test_bulk_approval_leaves_what_carries_a_red_flag_to_be_opened(cast: Cast, now: datetime) -> None:
    twins = [make.submitted_payment(cast, "10.00"), make.submitted_payment(cast, "10.00")]
    plain = make.submitted_payment(cast, "20.00")
    shown = [(p.pk, p.digest) for p in (*twins, plain)]
    results = approving.approve_payments(expectations=shown, by=cast.bob, at=now)
    assert [r.code for r in results] == ["payments.flagged", "payments.flagged", ""]
    assert twins[1].reference in results[0].error
    assert not Decision.objects.filter(request__payment__in=twins).exists()
    assert approve(twins[0], cast.bob, now).state == "APPROVED"
    opened = approving.approve_payments(expectations=shown[1:2], by=cast.bob, at=now, each_opened=True)
    assert opened[0].done


def test_every_act_leaves_its_trace(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast)
    assert [e.action for e in auditing.of(payment)] == [
        "payments.created",
        "payments.submitted",
        "payments.decided",
        "payments.approved",
    ]
