"""The simulated bank as a process: it obeys signals and outlives kill -9 with its books in order."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from banks.connectors.abilities import ConnectorError
from banks.messages import AccountIdentity, Party, PaymentOrder, PaymentState
from banks.simulator.client import Control
from tests.simulated_bank import ROOT, SimulatedBank, wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def peer(bank: SimulatedBank) -> SimulatedBank:
    bank.open_account("A", "CNY", opening="1000000.00")
    bank.open_account("B", "CNY")
    return bank


def orders(bank: SimulatedBank, references: list[str]) -> list[PaymentOrder]:
    day = bank.business_day()
    return [
        PaymentOrder(
            reference=reference,
            debtor=AccountIdentity(number="A", currency="CNY"),
            creditor=Party(name="Beta", account="B"),
            amount=Decimal("1.00"),
            currency="CNY",
            requested_on=day,
        )
        for reference in references
    ]


def test_it_exits_with_zero_when_asked_to_stop(peer: SimulatedBank) -> None:
    assert peer.stop() == 0


def test_it_stops_cleanly_while_a_request_is_stalled_and_books_none_of_it(peer: SimulatedBank) -> None:
    peer.fault("stall_before")
    connector = peer.connector(timeout_seconds=30)
    message = connector.compose(orders(peer, ["R1"]))
    sender = threading.Thread(target=quietly, args=(lambda: connector.send(message),))
    sender.start()
    wait_until(peer.stalls, what="the request to stall")
    assert peer.stop() == 0
    sender.join(10)
    peer.restart()
    assert peer.ledger()["payments"] == []


def test_a_bank_started_with_a_parent_ends_when_that_was_killed(tmp_path: Path) -> None:
    start = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-m', 'banks.simulator', "
        f"'--with-parent', '--store', {str(tmp_path / 'b.sqlite')!r}]); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", start], cwd=ROOT, stdout=subprocess.PIPE)
    with parent, parent.stdout as told:
        address = json.loads(told.readline())["url"].removeprefix("http://")
        parent.kill()

    def gone() -> bool:
        host, port = address.split(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    wait_until(gone, what="the bank to end")


def test_it_runs_as_a_management_command_too(tmp_path: Path) -> None:
    arguments = [
        "simulate_bank",
        "--store",
        str(tmp_path / "b.sqlite"),
        "--key",
        "k",
        "--clock",
        "2026-11-24",
    ]
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process, process.stdout as told:
        line = json.loads(told.readline())
        control = Control(line["url"], "k")
        assert control.business_day().isoformat() == line["business_day"] == "2026-11-24"
        process.terminate()
        assert process.wait(20) == 0


def start_in_vain(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "banks.simulator", "--store", str(folder / "b.sqlite"), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_start_that_cannot_succeed_says_why(tmp_path: Path) -> None:
    assert "YYYY-MM-DD" in start_in_vain(tmp_path, "--clock", "soon")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port" in start_in_vain(tmp_path, "--port", str(taken.getsockname()[1]))


def test_what_was_answered_is_there_after_kill_9(peer: SimulatedBank) -> None:
    connector = peer.connector()
    connector.send(connector.compose(orders(peer, ["R1", "R2"])))
    before = peer.ledger()
    peer.kill()
    peer.restart()
    assert peer.ledger() == before


def quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except ConnectorError:
        return


def test_kill_9_during_traffic_leaves_consistent_books_and_each_reference_once(peer: SimulatedBank) -> None:
    """Senders repeat every message until it is answered, as no portal should, across three kills."""
    answered: set[str] = set()
    numbers, over, calm = count(), threading.Event(), threading.Lock()
    model = orders(peer, ["-"])[0]
    connector = peer.connector(timeout_seconds=2)

    def traffic() -> None:
        while not over.is_set():
            with calm:
                batch = [f"R{next(numbers)}" for _ in range(5)]
            message = connector.compose([replace(model, reference=r) for r in batch])
            while not over.is_set():
                try:
                    reports = connector.send(message).reports
                except ConnectorError:
                    continue
                assert all(report.state is PaymentState.BOOKED for report in reports)
                with calm:
                    answered.update(report.reference for report in reports)
                break

    senders = [threading.Thread(target=traffic) for _ in range(3)]
    for sender in senders:
        sender.start()
    dice = random.Random(7)
    for _ in range(3):
        reached = len(answered) + dice.randint(50, 150)
        wait_until(lambda reached=reached: len(answered) >= reached, what="traffic")
        peer.kill()
        peer.restart()
    over.set()
    for sender in senders:
        sender.join(10)
    ledger = peer.assert_books_balance()
    booked = {p["reference"] for p in ledger["payments"] if p["times_booked"] == 1}
    assert answered <= booked
    assert peer.balance("B") == len(booked)
