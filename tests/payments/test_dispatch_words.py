"""Words of a bank that come late, twice, about nothing, or not at all: none doubles or loses a payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from banks import connectors
from banks.connectors.abilities import NotSentError, RefusedError
from banks.messages import Answer
from banks.messages import PaymentState as BankState
from banks.models import ConnectedAccount, Connection, Exchange
from banks.services import connections
from payments.models import Dispatch, Payment
from payments.services import claiming, dispatching, preparing, querying, sending
from tests import make
from tests.make import Cast
from tests.payments import scripted_bank
from tests.payments.scripted_bank import said
from treasury.models import AuditEvent
from treasury.services import auditing, changes

LATER = timedelta(minutes=10)


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> scripted_bank.Script:
    monkeypatch.setitem(connectors.BUILT_IN, "scripted", "tests.payments.scripted_bank")
    script = scripted_bank.Script()
    monkeypatch.setattr(scripted_bank, "SCRIPT", script)
    return script


def connected(account: Any, name: str = "Scripted") -> Connection:
    line = Connection.objects.create(name=name, bank=account.bank, connector="scripted", state="ACTIVE")
    ConnectedAccount.objects.create(connection=line, account=account)
    return line


@pytest.fixture
def line(cast: Cast, bank: scripted_bank.Script) -> Connection:
    return connected(cast.cny)


def work(at: datetime) -> None:
    """One run of a worker whose clock stands still, after the connection has rested."""
    Connection.objects.update(retry_at=None)
    clock = iter([at] * 60)
    dispatching.work_off(budget=timedelta(seconds=1), clock=lambda: next(clock, at + timedelta(hours=1)))


def states(*payments: Payment) -> list[str]:
    return [Payment.objects.get(pk=payment.pk).state for payment in payments]


def no_record_heard(payment: Payment, line: Connection, at: datetime) -> None:
    """The bank is asked long after the sending and knows nothing of the payment."""
    Dispatch.objects.filter(payment=payment).update(next_query_at=at, lease_until=None)
    question = querying.claim_questions(worker="asker", at=at)
    assert question is not None
    querying.ask_question(question, clock=lambda: at)


# --- one bad order ------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 100])
def test_an_order_refused_again_and_again_holds_up_no_other(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script, limit: int
) -> None:
    bank.batch_limit = limit
    bad, first, second = (make.approved_payment(cast, Decimal(n)) for n in (13, 20, 30))

    def refuse(references: Sequence[str]) -> Answer:
        if bad.reference in references:
            raise RefusedError("Malformed.")
        return said(references, BankState.BOOKED)

    bank.sending = refuse
    for n in range(6):
        work(now + timedelta(minutes=n))
    assert states(bad, first, second) == ["APPROVED", "SETTLED", "SETTLED"]
    assert [r for sent in bank.sent for r in sent].count(first.reference) <= 2


def test_an_order_that_cannot_be_written_goes_back_and_the_others_leave(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    bank.unwritable = frozenset({"货款"})
    bad = make.approved_payment(cast, purpose="货款")
    good = [make.approved_payment(cast, Decimal(n)) for n in (20, 30)]
    work(now)
    assert states(bad, *good) == ["DRAFT", "SETTLED", "SETTLED"]
    assert "货款" in Payment.objects.get(pk=bad.pk).note
    assert bank.sent == [tuple(p.reference for p in good)]


def test_a_connection_that_cannot_work_at_all_does_not_stop_the_others(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    connected(cast.usd, "Other")
    lame = make.approved_payment(cast)
    other = make.approved_payment(cast, account=cast.usd) if _rate(now) else lame
    Connection.objects.filter(pk=line.pk).update(connector="uninstalled")
    work(now)
    assert states(lame, other) == ["APPROVED", "SETTLED"]
    line.refresh_from_db()
    assert "uninstalled" in line.last_error
    assert line.retry_at is not None


def _rate(now: datetime) -> bool:
    from treasury.services.rates import import_rates

    rates = f"date,currency,quote,rate\n{now.date()},USD,CNY,7\n".encode()
    return bool(import_rates(name="rates.csv", content=rates, by=None, at=now).added)


# --- late and lost words ------------------------------------------------------------------


def test_an_answer_that_comes_after_no_record_keeps_the_payment_from_being_sent_again(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    claim = claiming.claim_due(connection=line, worker="slow", clock=lambda: now)
    assert claim is not None
    no_record_heard(payment, line, now + LATER)
    assert states(payment) == ["APPROVED"]
    answer = said([payment.reference], BankState.PROCESSING)
    sending.settle_answer(claim=claim, answer=answer, at=now + LATER)
    assert states(payment) == ["PROCESSING"]
    bank.states[payment.reference] = BankState.BOOKED
    work(now + 2 * LATER)
    assert states(payment) == ["SETTLED"]
    assert bank.sent == []


def test_an_answer_to_an_older_sending_is_put_on_record_and_outweighs_no_record(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    old = claiming.claim_due(connection=line, worker="slow", clock=lambda: now)
    assert old is not None
    no_record_heard(payment, line, now + LATER)
    new = claiming.claim_due(connection=line, worker="quick", clock=lambda: now + LATER)
    assert new is not None
    sending.settle_answer(claim=old, answer=said([payment.reference], BankState.PROCESSING), at=now + LATER)
    assert auditing.of(payment).filter(action="payments.bank_contradicts").exists()

    def dead(references: Sequence[str]) -> Answer:
        raise NotSentError("No connection.")

    bank.sending = dead
    sending.send_claim(new)
    no_record_heard(payment, line, now + 2 * LATER)
    assert states(payment) == ["UNKNOWN"]


def test_a_worker_that_slept_through_its_lease_gives_its_message_up(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    at = [now]
    claim = claiming.claim_due(connection=line, worker="sleeper", clock=lambda: at[0])
    assert claim is not None
    at[0] = now + LATER
    sending.send_claim(claim)
    assert states(payment) == ["APPROVED"]
    assert Exchange.objects.get(pk=claim.exchange.pk).outcome == Exchange.Outcome.NOT_SENT
    assert bank.sent == []


def test_the_message_of_a_dead_worker_does_not_stay_open(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    claim = claiming.claim_due(connection=line, worker="dead", clock=lambda: now)
    assert claim is not None
    querying.claim_questions(worker="asker", at=now + LATER)
    assert Exchange.objects.get(pk=claim.exchange.pk).outcome == Exchange.Outcome.UNCERTAIN
    assert states(payment) == ["UNKNOWN"]


def test_no_record_over_changed_settings_proves_nothing(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    claiming.claim_due(connection=line, worker="dead", clock=lambda: now)
    change = connections.change_connection(
        connection=line,
        name=line.name,
        values={"address": "https://another.example"},
        accounts=[cast.cny],
        by=cast.erin,
        at=now + timedelta(seconds=5),
    )
    changes.confirm(change=change, by=cast.eve, at=now + timedelta(seconds=6))
    no_record_heard(payment, line, now + LATER)
    assert states(payment) == ["UNKNOWN"]


def test_no_record_after_a_pause_with_the_same_settings_is_proof(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    claiming.claim_due(connection=line, worker="dead", clock=lambda: now)
    soon = now + timedelta(seconds=5)
    connections.pause_connection(connection=line, by=cast.erin, at=soon, reason="Works at the bank")
    change = connections.resume_connection(connection=line, by=cast.erin, at=soon)
    changes.confirm(change=change, by=cast.eve, at=soon)
    no_record_heard(payment, line, now + LATER)
    assert states(payment) == ["APPROVED"]


def test_a_bank_s_text_with_a_nul_character_loses_no_answer(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    bank.sending = lambda references: said(references, BankState.REJECTED, "Account\0 closed")
    work(now)
    payment = Payment.objects.get(pk=payment.pk)
    assert (payment.state, payment.note) == ("FAILED", "Account closed")


def test_a_payment_cancelled_after_all_is_not_asked_about_for_ever(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    claiming.claim_due(connection=line, worker="dead", clock=lambda: now)
    no_record_heard(payment, line, now + LATER)
    preparing.cancel_payment(payment=payment, by=cast.alice, at=now + LATER, reason="Not needed")
    no_record_heard(payment, line, now + 2 * LATER)
    assert states(payment) == ["CANCELLED"]
    assert Dispatch.objects.get(payment=payment).next_query_at is None


def test_every_step_of_a_sending_is_in_the_trail_of_its_company(
    cast: Cast, now: datetime, line: Connection, bank: scripted_bank.Script
) -> None:
    payment = make.approved_payment(cast)
    work(now)
    trail = AuditEvent.objects.filter(object_type="payments.payment", object_id=payment.pk)
    assert trail.filter(action="payments.claimed").exists()
    assert not trail.filter(company=None).values_list("action", flat=True)
