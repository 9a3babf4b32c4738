"""The demonstration on real processes: a day played to the end, a comparison that can fail, and a
portal that is built once, served twice and leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from banks.simulator.bank import Bank, Settings
from banks.simulator.orders import Order
from reconciliation.demo import comparison, stage
from tests.make import Cast, approved_payment
from tests.simulated_bank import ROOT, wait_until
from treasury.supervisor import free_port

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@dataclass
class Place:
    """A database and a data folder for one demonstration."""

    url: str
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if k != "BROKER_URL"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *arguments],
            cwd=ROOT,
            env={**environment, "DATABASE_URL": self.url, "ZHILIAN_DATA_FOLDER": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and everything printed."""
        process = self.start(*arguments)
        said, _nothing = process.communicate(timeout=300)
        return process.returncode, said

    def serve(self, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        """A demonstration that is ready, and what it printed until then."""
        process, said = self.start(*arguments), ""
        deadline = time.monotonic() + 150
        assert process.stdout is not None
        while "Ctrl-C" not in said:
            left = max(deadline - time.monotonic(), 0)
            assert select.select([process.stdout], [], [], left)[0], said
            heard = os.read(process.stdout.fileno(), 65536)
            assert heard, said
            said += heard.decode(errors="replace")
        return process, said

    def count(self, table: str) -> int:
        with psycopg.connect(self.url) as connection:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with stage.temporary_database(f"demo_{os.getpid()}_{time.monotonic_ns()}") as url:
        made = Place(url, tmp_path / "data")
        yield made
        for process in made.started:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def test_a_day_is_played_and_the_banks_agree_until_somebody_tampers(place: Place) -> None:
    code, said = place.run("--once", "--here")
    assert code == 0, said
    assert re.search(r"days closed +10 +10 with difference 0", said), said
    assert re.search(r"statements +10 +10 with opening \+ entries = closing", said), said
    assert re.search(r"settled +\d+ +\d+ asked about, [1-9]\d* sent anew", said), said
    for currency in ("CNY", "EUR", "JPY", "USD"):
        assert re.search(rf"{currency} .* 0(\.00)?$", said, re.MULTILINE), said
    assert "The banks' ledgers agree" in said

    pay_behind_our_back(place.folder / "demo" / "EASTBANK.sqlite")
    code, said = place.run("--check")
    assert code == 1, said
    assert "EASTBANK: the bank has payment SMUGGLED-1, the portal does not" in said

    code, said = place.run("--once", "--here")
    assert code == 1, said
    assert "needs an empty database" in said


def pay_behind_our_back(store: Path) -> None:
    """A payment that the bank books and nobody in the portal entered."""
    bank = Bank(store, Settings(follow_clock=False))
    order = Order(
        reference="SMUGGLED-1",
        debtor_account="9929010100000017",
        creditor_account="9991001000000117",
        creditor_name="Mallory",
        creditor_bank_code="999100100115",
        amount="1000.00",
        currency="CNY",
        requested_on="2099-01-01",
        purpose="",
        urgent=False,
    )
    day = bank.accounts()["business_day"]
    bank.take_payments([Order(**{**vars_of(order), "requested_on": day})], sent=time.time())
    bank.close()


def vars_of(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in order.__dataclass_fields__}


def test_it_is_built_once_served_twice_and_leaves_nothing_behind(place: Place) -> None:
    port = free_port()
    process, said = place.serve("--days", "5", "--port", str(port))
    assert f"http://127.0.0.1:{port}/" in said
    assert re.search(r"mallory +clerk", said)
    assert sign_in_page(port) == 200
    code, second = place.run()
    assert code == 1
    assert "is running in" in second
    payments, people = place.count("payments_payment"), place.count("treasury_user")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 10  # five leashes, three banks, a worker with its own, a web server with its own
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    wait_until(lambda: not any(child.is_running() for child in family), what="the end of every process")

    process, said = place.serve("--port", str(port))
    assert "Using the demonstration built before" in said
    assert sign_in_page(port) == 200
    assert (place.count("payments_payment"), place.count("treasury_user")) == (payments, people)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    wait_until(lambda: not any(map(lives, family)), seconds=30, what="the end of every process")


def lives(child: psutil.Process) -> bool:
    try:
        return child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def sign_in_page(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/accounts/login/")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_database_with_other_data_is_refused_and_left_alone(cast: Cast) -> None:
    for options in ({}, {"reset": True}, {"once": True, "here": True}):
        with pytest.raises(CommandError, match="not a demonstration; nothing was changed"):
            call_command("demo", **options)
    cast.company.refresh_from_db()


def test_what_the_bank_has_otherwise_is_named(cast: Cast) -> None:
    at = datetime.now(UTC)
    payment = approved_payment(cast, "700.00", at=at)
    account = cast.cny.number
    ledger: dict[str, Any] = {
        "accounts": [{"number": account, "balance": "-700.00"}, {"number": "X", "balance": "690.00"}],
        "bookings": [
            {
                "reference": f"PAY:{payment.reference}",
                "kind": "payment",
                "payment": payment.reference,
                "bank_reference": "B1",
                "booked_on": "2026-11-24",
                "legs": [
                    {"account": account, "amount": "-700.00", "currency": "CNY"},
                    {"account": "X", "amount": "690.00", "currency": "CNY"},
                ],
            }
        ]
        * 2,
        "payments": [
            {"reference": payment.reference, "state": "BOOKED", "times_booked": 2, "times_returned": 0}
        ],
    }
    code = cast.cny.bank.code
    found = "\n".join(comparison.compare({code: ledger}, final=True).disagreements)
    for what in (
        "does not sum to zero",
        f"the balance of {account} is not the sum of its legs",
        f"{payment.reference} has 2 bookings of kind payment",
        f"{payment.reference} is still APPROVED",
        f"{payment.reference} is APPROVED here, yet the bank has it as BOOKED",
        f"{account} has no statement here",
    ):
        assert what in found
    assert payment.amount == Decimal(700)
