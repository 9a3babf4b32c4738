"""One worker, a real bank process, every way a send can end: once at the bank, never lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from banks.models import Connection, Exchange
from payments.models import Dispatch, Payment
from payments.services import claiming, dispatching, querying
from payments.states import AT_THE_BANK, PaymentState
from tests import make
from tests.make import Cast
from tests.simulated_bank import SimulatedBank
from treasury.services import auditing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
WINDOW = 0.8


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[SimulatedBank]:
    running = SimulatedBank.start(tmp_path, window=WINDOW, business_day=make.NOW.date())
    yield running
    running.stop()


@pytest.fixture
def line(cast: Cast, bank: SimulatedBank) -> Connection:
    return make.connection_to(bank, cast.cny, timeout_seconds=0.7, clock_margin_seconds=0.2)


def work_until(*payments: Payment, states: set[str] | None = None, seconds: float = 20) -> list[str]:
    """Work off until every payment is in one of `states` (final ones by default)."""
    wanted = states or {"SETTLED", "FAILED", "RETURNED"}
    deadline = time.monotonic() + seconds
    while True:
        dispatching.work_off(budget=timedelta(seconds=5))
        found = [p.state for p in Payment.objects.filter(pk__in=[p.pk for p in payments]).order_by("pk")]
        if set(found) <= wanted:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_an_approved_payment_is_sent_once_as_stored_and_settles(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payment = make.approved_payment(cast, amount=Decimal("1234.50"))
    assert work_until(payment) == ["SETTLED"]
    exchange = Exchange.objects.get(purpose="payments")
    sent = json.loads(bytes(exchange.request))["payments"]
    assert [(p["reference"], p["amount"]) for p in sent] == [(payment.reference, "1234.50")]
    assert exchange.outcome == Exchange.Outcome.ANSWERED
    assert bank.times_booked(payment.reference) == 1
    assert Payment.objects.get(pk=payment.pk).bank_reference
    bank.assert_books_balance()


UNCLEAR = [
    "drop_before",
    "drop_midway",
    "drop_after",
    "garbage_after",
    "truncated_after",
    "error_before",
    "error_after",
    "stall_before",
    "stall_after",
    "empty",
    "repeat",
]


@pytest.mark.parametrize("kind", UNCLEAR)
def test_an_unclear_ending_is_unknown_until_the_bank_is_asked_and_books_once(
    cast: Cast, line: Connection, bank: SimulatedBank, kind: str
) -> None:
    bank.fault(kind, count=1, **({"seconds": 1.5} if kind.startswith("stall") else {}))
    payments = [make.approved_payment(cast, amount=Decimal(n)) for n in (10, 20, 30)]
    claim = claiming.claim_due(connection=line, worker="test")
    assert claim is not None
    from payments.services.sending import send_claim

    send_claim(claim)
    states = set(Payment.objects.values_list("state", flat=True))
    assert states == ({"SETTLED"} if kind == "repeat" else {"UNKNOWN"})
    if kind not in {"repeat", "empty"}:
        trace = auditing.of(payments[0]).get(action="payments.outcome_unclear")
        assert "bank" in json.loads(trace.detail)["reason"]
    assert work_until(*payments) == ["SETTLED"] * 3
    assert [bank.times_booked(p.reference) for p in payments] == [1, 1, 1]
    bank.assert_books_balance()


def test_a_dead_bank_loses_nothing_and_is_tried_again(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payment = make.approved_payment(cast)
    bank.kill()
    dispatching.work_off(budget=timedelta(seconds=2))
    payment.refresh_from_db()
    line.refresh_from_db()
    assert payment.state == "APPROVED"
    assert Exchange.objects.get(purpose="payments").outcome == Exchange.Outcome.NOT_SENT
    assert "No connection" in line.last_error
    assert line.retry_at is not None
    bank.restart()
    assert work_until(payment) == ["SETTLED"]
    line.refresh_from_db()
    assert line.failures == 0
    assert bank.times_booked(payment.reference) == 1


def test_a_wrong_key_is_refused_and_the_payment_stays_due(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    right = line.secrets
    line.secrets = make.sealed(key="not the key")
    line.save()
    payment = make.approved_payment(cast)
    dispatching.work_off(budget=timedelta(seconds=2))
    payment.refresh_from_db()
    line.refresh_from_db()
    assert payment.state == "APPROVED"
    assert "key" in line.last_error
    assert bank.payment(payment.reference) is None
    Connection.objects.update(secrets=right, retry_at=None)
    assert work_until(payment) == ["SETTLED"]


def test_one_bad_order_does_not_hold_up_the_others(cast: Cast, line: Connection, bank: SimulatedBank) -> None:
    bank.fault("reject", amount="66.00", code="AC04", text="Account closed")
    good, bad = make.approved_payment(cast), make.approved_payment(cast, amount=Decimal(66))
    assert work_until(good, bad) == ["SETTLED", "FAILED"]
    bad.refresh_from_db()
    assert bad.note == "Account closed"
    assert bad.dispatch.bank_code == "AC04"
    assert bank.times_booked(bad.reference) == 0


def test_a_payment_the_bank_works_on_is_asked_about_until_it_settles(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    bank.fault("processing")
    payment = make.approved_payment(cast)
    work_until(payment, states={"PROCESSING"})
    Dispatch.objects.update(next_query_at=timezone.now())
    dispatching.work_off(budget=timedelta(seconds=1))
    payment.refresh_from_db()
    assert payment.state == "PROCESSING"
    bank.release(payment.reference)
    querying.ask_soon(references=[payment.reference], at=timezone.now())
    assert work_until(payment) == ["SETTLED"]


def test_a_settled_payment_can_come_back(cast: Cast, line: Connection, bank: SimulatedBank) -> None:
    payment = make.approved_payment(cast)
    work_until(payment)
    bank.return_payment(payment.reference, text="Beneficiary unknown")
    querying.ask_soon(references=[payment.reference], at=timezone.now())
    assert work_until(payment, states={"RETURNED"}) == ["RETURNED"]
    assert bank.balance(cast.cny.number) == make.OPENING


def test_no_record_is_no_proof_while_the_message_could_still_arrive(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payment = make.approved_payment(cast)
    sent_at = timezone.now()
    claim = claiming.claim_due(connection=line, worker="sleeper", clock=lambda: sent_at)
    assert claim is not None
    Dispatch.objects.update(lease_until=sent_at, next_query_at=sent_at)  # the worker is taken for dead
    dispatching.work_off(budget=timedelta(seconds=0.2))
    payment.refresh_from_db()
    assert payment.state == "UNKNOWN"
    assert payment.dispatch.attempts == 1
    from payments.services.sending import send_claim

    send_claim(claim)  # …but it was only slow: its message still counts
    assert work_until(payment) == ["SETTLED"]
    assert bank.times_booked(payment.reference) == 1


def test_a_sleeper_that_wakes_after_a_second_sending_books_nothing_twice(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payment = make.approved_payment(cast)
    sent_at = timezone.now()
    claim = claiming.claim_due(connection=line, worker="sleeper", clock=lambda: sent_at)
    assert claim is not None
    Dispatch.objects.update(lease_until=sent_at, next_query_at=sent_at)
    assert work_until(payment) == ["SETTLED"]
    assert Dispatch.objects.get().attempts == 2
    from payments.services.sending import send_claim

    send_claim(claim)
    payment.refresh_from_db()
    assert payment.state == "SETTLED"
    assert bank.times_booked(payment.reference) == 1
    assert bank.balance(cast.cny.number) == make.OPENING - payment.amount


def test_two_workers_at_once_never_claim_the_same_payment(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    Connection.objects.update(config=line.config | {"batch_limit": 3})
    payments = [make.approved_payment(cast, amount=Decimal(n)) for n in range(1, 25)]
    barrier = threading.Barrier(4)

    def run() -> None:
        barrier.wait()
        dispatching.work_off(budget=timedelta(seconds=10))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work_until(*payments) == ["SETTLED"] * 24
    sent = [
        p["reference"]
        for exchange in Exchange.objects.filter(purpose="payments")
        for p in json.loads(bytes(exchange.request))["payments"]
    ]
    assert sorted(sent) == sorted(p.reference for p in payments)
    assert set(Dispatch.objects.values_list("attempts", flat=True)) == {1}


def test_a_payment_changed_behind_the_approval_is_not_sent(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payment = make.approved_payment(cast)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_payment DISABLE TRIGGER payments_payment_guard")
        cursor.execute("UPDATE payments_payment SET amount = amount * 10 WHERE id = %s", [payment.pk])
        cursor.execute("ALTER TABLE payments_payment ENABLE TRIGGER payments_payment_guard")
    dispatching.work_off(budget=timedelta(seconds=2))
    payment.refresh_from_db()
    assert payment.state == "DRAFT"
    assert payment.note
    assert bank.payment(payment.reference) is None
    assert not Exchange.objects.filter(purpose="payments").exists()


def test_a_payment_of_tomorrow_waits(cast: Cast, line: Connection, bank: SimulatedBank) -> None:
    payment = make.approved_payment(cast)
    early = timezone.now() - timedelta(days=2)
    assert claiming.due_connections(early) == []
    assert claiming.claim_due(connection=line, worker="test", clock=lambda: early) is None
    payment.refresh_from_db()
    assert payment.state == "APPROVED"


def test_every_payment_at_the_bank_has_a_next_enquiry(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    bank.fault("drop_after", every=2)
    bank.fault("processing", every=3)
    for n in range(1, 7):
        make.approved_payment(cast, amount=Decimal(n))
    dispatching.work_off(budget=timedelta(seconds=1))
    for payment in Payment.objects.filter(state__in=AT_THE_BANK).select_related("dispatch"):
        assert payment.dispatch.next_query_at is not None, payment.state
    assert PaymentState.SENDING not in set(Payment.objects.values_list("state", flat=True))


def test_one_run_stays_for_an_enquiry_that_is_due_in_a_moment(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    bank.fault("drop_after", count=1)
    payment = make.approved_payment(cast)
    done = dispatching.watch(budget=timedelta(seconds=5), patience=timedelta(seconds=10))
    payment.refresh_from_db()
    assert payment.state == "SETTLED"
    assert (done.sent, done.asked) == (1, 1)


def test_only_one_process_stays(cast: Cast, line: Connection, bank: SimulatedBank) -> None:
    bank.fault("drop_after", count=1)
    payment = make.approved_payment(cast)
    dispatching.work_off(budget=timedelta(seconds=0.2))
    Dispatch.objects.update(next_query_at=timezone.now() + timedelta(seconds=4))

    def hold() -> None:
        with dispatching._only_watcher() as ours:
            assert ours
            held.set()
            enough.wait(20)
        connections.close_all()

    held, enough = threading.Event(), threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    dispatching.watch(budget=timedelta(seconds=1), patience=timedelta(seconds=30))
    enough.set()
    other.join()
    payment.refresh_from_db()
    assert (payment.state, payment.dispatch.queries) == ("UNKNOWN", 0)
