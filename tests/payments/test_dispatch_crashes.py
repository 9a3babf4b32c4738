"""kill -9 at every step of a send, in a real second process, then a fresh worker: once, never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from banks.models import Connection, Exchange
from payments.models import Payment
from tests import make, workers
from tests.make import Cast
from tests.simulated_bank import SimulatedBank, wait_until
from tests.storm import weather

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
LOCK = 424242


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[SimulatedBank]:
    running = SimulatedBank.start(tmp_path, window=1.5, business_day=make.NOW.date())
    yield running
    running.stop()


@pytest.fixture
def line(cast: Cast, bank: SimulatedBank) -> Connection:
    return make.connection_to(bank, cast.cny, timeout_seconds=1.0, clock_margin_seconds=0.3, batch_limit=10)


@contextmanager
def barrier_at(table: str, event: str, condition: str) -> Iterator[None]:
    """Whoever writes such a row waits inside the database until the block ends.

    The statement a killed worker was waiting in is ended too, as a lost client's would be.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({LOCK})")
        cursor.execute(
            f"CREATE FUNCTION test_barrier() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$;"
            f" CREATE TRIGGER test_barrier BEFORE {event} ON {table} FOR EACH ROW"
            f" WHEN ({condition}) EXECUTE FUNCTION test_barrier()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            )
            cursor.execute(f"SELECT pg_advisory_unlock({LOCK})")
            cursor.execute(f"DROP TRIGGER test_barrier ON {table}; DROP FUNCTION test_barrier()")


def waiting_in_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


def all_settled(payments: list[Payment]) -> Callable[[], bool]:
    keys = [p.pk for p in payments]
    return lambda: not Payment.objects.filter(pk__in=keys).exclude(state="SETTLED").exists()


def finish(bank: SimulatedBank, payments: list[Payment]) -> None:
    """A fresh worker brings everything to its end; the bank booked each payment exactly once."""
    fresh = workers.worker()
    try:
        wait_until(all_settled(payments), seconds=90, what="every payment to settle")
    finally:
        workers.kill(fresh)
    assert [bank.times_booked(p.reference) for p in payments] == [1] * len(payments)
    bank.assert_books_balance()
    assert bank.balance(payments[0].account.number) == make.OPENING - sum(p.amount for p in payments)


IN_THE_DATABASE = {
    "before the claim is stored": ("banks_exchange", "INSERT", "NEW.purpose = 'payments'"),
    "before the answer is stored": (
        "banks_exchange",
        "UPDATE",
        "OLD.outcome = 'OPEN' AND NEW.outcome <> 'OPEN'",
    ),
    "before the payments move on the answer": (
        "payments_payment",
        "UPDATE",
        "OLD.state = 'SENDING' AND NEW.state <> 'SENDING'",
    ),
}


@pytest.mark.parametrize("step", IN_THE_DATABASE)
def test_killed_in_the_database(cast: Cast, line: Connection, bank: SimulatedBank, step: str) -> None:
    payments = [make.approved_payment(cast, amount=Decimal(n)) for n in (11, 22, 33)]
    with barrier_at(*IN_THE_DATABASE[step]):
        victim = workers.worker()
        wait_until(waiting_in_database, seconds=30, what=step)
        workers.kill(victim)
    assert not Payment.objects.filter(state="SETTLED").exists()
    finish(bank, payments)


@pytest.mark.parametrize("fault", ["stall_before", "stall_after"])
def test_killed_while_the_bank_has_the_message(
    cast: Cast, line: Connection, bank: SimulatedBank, fault: str
) -> None:
    Connection.objects.update(config=line.config | {"timeout_seconds": 5.0})
    bank.fault(fault, count=1, seconds=20)
    payments = [make.approved_payment(cast, amount=Decimal(n)) for n in (11, 22, 33)]
    victim = workers.worker()
    wait_until(bank.stalls, seconds=30, what="the message to reach the bank")
    assert Exchange.objects.get(purpose="payments").outcome == Exchange.Outcome.OPEN
    workers.kill(victim)
    bank.release()
    finish(bank, payments)


def test_killed_between_the_claim_and_the_first_byte(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    """The claim is committed, the bank never hears of it: stopped dead, not slow."""
    payments = [make.approved_payment(cast, amount=Decimal(n)) for n in (11, 22)]
    bank.fault("drop_before", count=1)
    with barrier_at("banks_exchange", "UPDATE", "OLD.outcome = 'OPEN' AND NEW.outcome <> 'OPEN'"):
        victim = workers.worker()
        wait_until(waiting_in_database, seconds=30, what="the send to end without a booking")
        workers.kill(victim)
    assert all(bank.payment(p.reference) is None for p in payments)
    assert set(Payment.objects.values_list("state", flat=True)) == {"SENDING"}
    finish(bank, payments)


def test_a_short_storm_ends_with_every_payment_once(
    cast: Cast, line: Connection, bank: SimulatedBank
) -> None:
    payments = make.approved_payments(cast, 80)
    report = weather(bank, payments, kills=3, seed=7, seconds=120)
    assert (report.double, report.lost, report.stuck, report.disagreeing) == (0, 0, 0, []), report.lines()
    assert report.kills == 3
    assert sum(report.fired.values()) >= 15, report.lines()
