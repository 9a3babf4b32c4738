"""Acts on one payment by the API: the rules of the pages, role by role, and the states they need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payments.models import Decision, Dispatch, Payment
from payments.services import approving
from payments.services.rule_sets import Band
from tests import make
from tests.make import Cast
from tests.programs import Program
from treasury import calendars
from treasury.models import AuditEvent


@pytest.fixture
def today() -> datetime:
    """The real instant: the API asks the real clock."""
    return datetime.now(UTC)


@pytest.fixture
def waiting(cast: Cast, today: datetime) -> Payment:
    """A payment that Alice submitted; one manager has to approve it."""
    on = calendars.next_business_day((today + timedelta(days=2)).date(), "CN")
    return make.submitted_payment(cast, at=today, execute_on=on)


def state_of(payment: Payment) -> str:
    return Payment.objects.get(pk=payment.pk).state


APPROVE = {"alice": 403, "bob": 200, "carol": 403, "dave": 403, "erin": 403, "mallory": 404}
SUBMIT = {"alice": 200, "bob": 403, "carol": 200, "dave": 403, "erin": 403, "mallory": 404}
CANCEL = {"alice": 200, "bob": 200, "carol": 200, "dave": 403, "erin": 403, "mallory": 404}
WITHDRAW = {"alice": 200, "bob": 403, "carol": 403, "dave": 403, "erin": 403, "mallory": 404}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("approve", APPROVE),
        ("send-back", APPROVE),
        ("reject", APPROVE),
        ("withdraw", WITHDRAW),
        ("cancel", CANCEL),
        ("submit", SUBMIT),
    ],
)
def test_who_may_do_what(
    cast: Cast, waiting: Payment, today: datetime, act: str, expected: dict[str, int]
) -> None:
    for name, status in expected.items():
        one = waiting
        if act == "submit":
            one = make.payment(cast, at=today, execute_on=waiting.execute_on)
        elif state_of(waiting) != "SUBMITTED":
            one = make.submitted_payment(cast, at=today, execute_on=waiting.execute_on)
        needs = {"expected_digest": one.digest} if act in {"approve", "send-back", "reject"} else {}
        why = {"reason": "wrong payee"} if act in {"send-back", "reject", "cancel"} else {}
        was = state_of(one)
        answer = Program(getattr(cast, name)).act(f"payments/{one.pk}/{act}/", needs | why)
        assert answer.status_code == status, (name, answer.json())
        assert (state_of(one) == was) == (status != 200), name


def test_nobody_approves_what_they_made(cast: Cast, waiting: Payment, today: datetime) -> None:
    on = waiting.execute_on
    make.rule_set(cast, Band(make.Decimal(0), None, (("treasurer", 1),)), at=today)
    own = make.submitted_payment(cast, at=today, by=cast.carol, execute_on=on)
    answer = Program(cast.carol).act(f"payments/{own.pk}/approve/", {"expected_digest": own.digest})
    assert (answer.status_code, answer.json()["code"]) == (403, "payments.same_person")
    assert not Decision.objects.filter(request__payment=own).exists()


def test_a_step_of_another_role_is_not_ones_own(cast: Cast, waiting: Payment, today: datetime) -> None:
    make.rule_set(cast, Band(make.Decimal(0), None, (("treasurer", 1),)), at=today)
    own = make.submitted_payment(cast, at=today, execute_on=waiting.execute_on)
    answer = Program(cast.bob).act(f"payments/{own.pk}/approve/", {"expected_digest": own.digest})
    assert (answer.status_code, answer.json()["code"]) == (403, "payments.wrong_step")


def test_an_approval_binds_exactly_the_digest_it_names(cast: Cast, waiting: Payment) -> None:
    bob = Program(cast.bob)
    wrong = bob.act(f"payments/{waiting.pk}/approve/", {"expected_digest": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "payments.changed_since")
    for body in ({}, {"expected_digest": "abc"}, {"expected_digest": waiting.digest, "state": "APPROVED"}):
        answer = bob.act(f"payments/{waiting.pk}/approve/", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "treasury.request_invalid")
    assert state_of(waiting) == "SUBMITTED"
    seen = bob.read(f"payments/{waiting.pk}/").json()["digest"]
    done = bob.act(f"payments/{waiting.pk}/approve/", {"expected_digest": seen})
    assert (done.status_code, done.json()["state"]) == (200, "APPROVED")
    assert done.json()["approvals"][0]["decisions"][0]["person"] == "bob"


def test_an_approval_sent_twice_is_one_decision(cast: Cast, waiting: Payment) -> None:
    bob, body = Program(cast.bob), {"expected_digest": waiting.digest}
    path = f"payments/{waiting.pk}/approve/"
    first, second = bob.act(path, body, key="yes"), bob.act(path, body, key="yes")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    again = bob.act(path, body)
    assert (again.status_code, again.json()["code"]) == (409, "payments.not_waiting")
    assert Decision.objects.filter(request__payment=waiting).count() == 1


def test_a_reason_is_needed_where_people_read_it(cast: Cast, waiting: Payment) -> None:
    bob, body = Program(cast.bob), {"expected_digest": waiting.digest}
    assert bob.act(f"payments/{waiting.pk}/reject/", body).json()["errors"][0]["field"] == "reason"
    refused = Program(cast.alice).act(f"payments/{waiting.pk}/cancel/")
    assert (refused.status_code, refused.json()["code"]) == (422, "payments.reason_missing")
    assert refused.json()["errors"][0]["field"] == "reason"
    back = bob.act(f"payments/{waiting.pk}/send-back/", body | {"reason": "wrong month"})
    assert (back.json()["state"], back.json()["note"], back.json()["version"]) == ("DRAFT", "wrong month", 2)


def test_a_state_is_not_writable(cast: Cast, waiting: Payment) -> None:
    alice = Program(cast.alice)
    for method in (alice.put, alice.patch, alice.delete):
        answer = method(f"/api/v1/payments/{waiting.pk}/", {"state": "APPROVED"}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (405, "treasury.method_not_allowed")
    assert alice.act("payments/", {"state": "APPROVED"}).status_code == 405
    assert state_of(waiting) == "SUBMITTED"


def test_the_bank_is_asked_about_a_payment_that_is_there(
    cast: Cast, waiting: Payment, today: datetime
) -> None:
    carol = Program(cast.carol)
    early = carol.act(f"payments/{waiting.pk}/ask-bank/")
    assert (early.status_code, early.json()["code"]) == (409, "payments.already_moving")
    line = make.Connection.objects.create(name="Line", bank=waiting.account.bank, connector="simulated")
    Dispatch.objects.create(payment=waiting, connection=line, digest=waiting.digest, attempts=1)
    approving.approve_payment(payment=waiting, expected_digest=waiting.digest, by=cast.bob, at=today)
    for state in ("SENDING", "UNKNOWN"):
        Payment.objects.filter(pk=waiting.pk).update(state=state)
    asked = carol.act(f"payments/{waiting.pk}/ask-bank/")
    assert asked.status_code == 200, asked.json()
    assert asked.json()["dispatch"]["connection"] == "Line"
    assert asked.json()["dispatch"]["next_query_at"] is not None
    assert Program(cast.mallory).act(f"payments/{waiting.pk}/ask-bank/").status_code == 404


def test_what_a_program_does_stands_in_the_audit_trail_under_its_person(cast: Cast, waiting: Payment) -> None:
    Program(cast.bob).act(f"payments/{waiting.pk}/approve/", {"expected_digest": waiting.digest})
    event = AuditEvent.objects.get(action="payments.approved")
    assert (event.actor, event.ip) == (cast.bob, "127.0.0.1")


def test_acts_on_a_batch(cast: Cast, today: datetime, waiting: Payment) -> None:
    from payments.services import batches
    from payments.services.writing import wish_of

    batch = batches.create_batch(
        account=cast.cny, name="B", source="FORM", by=cast.alice, at=today, wishes=[wish_of(waiting)] * 2
    )
    for name, status in {"bob": 403, "mallory": 404, "alice": 200}.items():
        answer: Any = Program(getattr(cast, name)).act(f"payment-batches/{batch.pk}/submit/")
        assert answer.status_code == status, answer.json()
    assert [p["state"] for p in answer.json()["payments"]] == ["SUBMITTED"] * 2
