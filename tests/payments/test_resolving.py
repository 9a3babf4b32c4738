"""What the bank cannot tell is decided by two people, with a reason and evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from banks.models import Connection, Exchange
from payments.models import Dispatch, Payment
from payments.services import resolving
from payments.services.resolving import NotResolvableError
from payments.states import TRANSITIONS, PaymentState
from tests import make
from tests.make import Cast
from treasury.services import auditing, changes
from treasury.services.access import AccessDeniedError
from treasury.services.changes import ChangeRefusedError
from treasury.services.moving import move

SAID: dict[str, Any] = {"reason": "The bank's archive was lost", "evidence": "Letter of 24 November"}


@pytest.fixture
def unknown(cast: Cast, now: datetime) -> Payment:
    """A payment that left and whose outcome the bank has not told."""
    payment = make.approved_payment(cast)
    line = Connection.objects.create(
        name="Silent", bank=cast.cny.bank, connector="simulated", config={}, state="PAUSED"
    )
    exchange = Exchange.objects.create(connection=line, purpose="payments", started_at=now)
    Dispatch.objects.create(
        payment=payment, connection=line, exchange=exchange, digest=payment.digest, next_query_at=now
    )
    for state in (PaymentState.SENDING, PaymentState.UNKNOWN):
        payment = move(row=payment, to=state, transitions=TRANSITIONS, by=None, at=now, action="test.moved")
    return payment


def propose(payment: Payment, by: Any, at: datetime, outcome: str = "SETTLED", **said: Any) -> Any:
    return resolving.propose_resolution(payment=payment, outcome=outcome, by=by, at=at, **(SAID | said))


@pytest.mark.parametrize("outcome", ["SETTLED", "FAILED"])
def test_a_second_person_makes_it_so_and_the_enquiries_end(
    cast: Cast, now: datetime, unknown: Payment, outcome: str
) -> None:
    change = propose(unknown, cast.carol, now, outcome)
    unknown.refresh_from_db()
    assert unknown.state == "UNKNOWN"
    changes.confirm(change=change, by=cast.bob, at=now)
    unknown.refresh_from_db()
    assert unknown.state == outcome
    assert (unknown.settled_at is not None) is (outcome == "SETTLED")
    assert unknown.dispatch.next_query_at is None
    trace = auditing.of(unknown).filter(action="payments.resolved").get()
    assert trace.actor == cast.carol
    assert outcome in trace.detail


def test_the_proposer_cannot_confirm_and_a_clerk_cannot_propose(
    cast: Cast, now: datetime, unknown: Payment
) -> None:
    with pytest.raises(AccessDeniedError):
        propose(unknown, cast.alice, now)
    change = propose(unknown, cast.carol, now)
    with pytest.raises((ChangeRefusedError, AccessDeniedError)):
        changes.confirm(change=change, by=cast.carol, at=now)
    with pytest.raises(ChangeRefusedError, match="already waits"):
        propose(unknown, cast.carol, now, "FAILED")


def test_a_reason_and_evidence_are_needed(cast: Cast, now: datetime, unknown: Payment) -> None:
    for missing in ("reason", "evidence"):
        with pytest.raises(NotResolvableError, match="reason and the evidence"):
            propose(unknown, cast.carol, now, **{missing: "  "})


def test_only_a_payment_without_a_final_word_is_resolved(cast: Cast, now: datetime, unknown: Payment) -> None:
    with pytest.raises(NotResolvableError, match="settled or failed"):
        propose(unknown, cast.carol, now, "RETURNED")
    change = propose(unknown, cast.carol, now, "FAILED")
    settled = move(
        row=unknown, to="SETTLED", transitions=TRANSITIONS, by=None, at=now, action="payments.bank_answered"
    )
    with pytest.raises(NotResolvableError, match="final word"):
        changes.confirm(change=change, by=cast.bob, at=now)
    settled.refresh_from_db()
    assert settled.state == "SETTLED"
    with pytest.raises(NotResolvableError, match="final word"):
        propose(make.payment(cast), cast.carol, now)


def test_an_outcome_proposed_for_an_earlier_sending_says_nothing_of_a_later_one(
    cast: Cast, now: datetime, unknown: Payment
) -> None:
    change = propose(unknown, cast.carol, now, "FAILED")
    for state in ("APPROVED", "SENDING", "UNKNOWN"):  # no record, and it was sent again
        move(row=unknown, to=state, transitions=TRANSITIONS, by=None, at=now, action="test.moved")
    newer = Exchange.objects.create(
        connection=unknown.dispatch.connection, purpose="payments", started_at=now
    )
    Dispatch.objects.filter(payment=unknown).update(exchange=newer, attempts=2)
    with pytest.raises(ChangeRefusedError, match="Reject the proposal"):
        changes.confirm(change=change, by=cast.bob, at=now)
    unknown.refresh_from_db()
    assert unknown.state == "UNKNOWN"


def test_the_bank_s_word_after_the_proposal_is_looked_at_first(
    cast: Cast, now: datetime, unknown: Payment, client: Client
) -> None:
    change = propose(unknown, cast.carol, now, "FAILED")
    move(row=unknown, to="PROCESSING", transitions=TRANSITIONS, by=None, at=now, action="test.moved")
    client.force_login(cast.bob)
    answer = client.post(f"/oversight/changes/{change.pk}/decide/", {"decision": "confirm"}, follow=True)
    assert "Reject the proposal" in answer.content.decode()
    unknown.refresh_from_db()
    assert unknown.state == "PROCESSING"
