"""The simulated bank as a real process for tests, and the fixtures that give it.

A test asks for `bank` (or `start_bank`, for several or with options):

    def test_money_leaves(bank):
        bank.open_account("6225001", "CNY", opening="1000.00", name="Alpha Ltd")
        bank.fault("drop_after", count=1)             # books, then hangs up without an answer
        connector = bank.connector()                  # banks.connectors.simulated, ready to talk
        ...
        assert bank.times_booked("REF-1") == 1        # from GET /ledger: the bank's own truth
        assert bank.balance("6225001") == Decimal("900.00")

`SimulatedBank.start(folder, …)` starts one by hand and is a context manager; `stop()` ends it
politely, `kill()` is kill -9, `restart()` brings it up again on the same store, port and key.
All orders of the control API (`banks.simulator.client.Control`) are methods: `open_account`,
`fault`, `faults`, `clear_faults`, `release`, `stalls`, `advance`, `set_clock_offset`,
`close_day`, `business_day`, `credit`, `enter`, `return_payment`, `freeze`, `ledger`.

Kinds of fault and their conditions (prefix, references, amount, min_amount, account, probability,
every, skip, count, seed, on, code, text, seconds, queries) are in `banks.simulator.faults`.

`advance(61)` ends the received window of messages sent before it without waiting; the bank stays
that much ahead, so put it back with `set_clock_offset(0)` before sending anew. A held payment's
delay in `seconds` runs by the same clock.

Unless told otherwise the business day is today at the bank and moves only by `close_day`.
"""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from banks.simulator.client import Control

ROOT = Path(__file__).resolve().parent.parent
KEY = "shared-key-of-the-tests"


def wait_until(true: Callable[[], Any], *, seconds: float = 10.0, what: str = "it") -> Any:
    """Poll until `true()` is truthy and give it; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds} s in vain for {what}.")
        time.sleep(0.01)


class SimulatedBank(Control):
    """One simulated bank in its own process."""

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self.folder = folder
        self._options = options
        self.process: subprocess.Popen[str] | None = None
        super().__init__("", options["--key"])

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        key: str = KEY,
        window: float = 60.0,
        business_day: date | None = None,
        bank_code: str = "SIMUCNSH",
        follow_clock: bool = False,
        message_limit: int = 500,
    ) -> SimulatedBank:
        """Start a bank whose store is in `folder`; `window` is its received window in seconds."""
        clock = "auto" if follow_clock else "manual"
        if business_day is not None:
            clock = business_day.isoformat()
        bank = cls(
            folder,
            {
                "--store": str(folder / f"{bank_code}.sqlite"),
                "--key": key,
                "--port": "0",
                "--window": str(window),
                "--clock": clock,
                "--bank-code": bank_code,
                "--message-limit": str(message_limit),
            },
        )
        bank._launch()
        return bank

    def _launch(self) -> None:
        arguments = [part for option in self._options.items() for part in option]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "banks.simulator", "--with-parent", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.kill()
            raise AssertionError("The simulated bank did not start.")
        self.url = json.loads(line)["url"]
        self._options["--port"] = self.url.rsplit(":", 1)[1]

    def __enter__(self) -> SimulatedBank:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def stop(self) -> int:
        """End it politely; gives the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        code = process.wait(timeout=20)
        if process.stdout is not None:
            process.stdout.close()
        return code

    def restart(self) -> None:
        """Bring it up again on the same store, port and key."""
        self.stop()
        self._launch()

    @property
    def config(self) -> dict[str, Any]:
        """Values for the `Config` of `banks.connectors.simulated`."""
        return {
            "base_url": self.url,
            "key": self.key,
            "timeout_seconds": 5,
            "no_record_window_seconds": float(self._options["--window"]),
        }

    def connector(self, *, clock: Callable[[], datetime] | None = None, **config: Any) -> Any:
        """A connector to this bank; keywords replace values of `config`."""
        from banks.connectors import package

        simulated = package("simulated")
        return simulated.connect(
            simulated.Config(**{**self.config, **config}), clock=clock or (lambda: datetime.now(UTC))
        )

    def balance(self, number: str) -> Decimal:
        """Booked balance of an account, summed by the bank from its legs."""
        return next(Decimal(a["balance"]) for a in self.ledger()["accounts"] if a["number"] == number)

    def payment(self, reference: str) -> dict[str, Any] | None:
        """The payment as the bank's ledger has it, or None."""
        return next((p for p in self.ledger()["payments"] if p["reference"] == reference), None)

    def times_booked(self, reference: str) -> int:
        """How often the bank booked a payment: 0 or 1, or something is very wrong."""
        return sum(b["kind"] == "payment" and b["payment"] == reference for b in self.ledger()["bookings"])

    def assert_books_balance(self) -> dict[str, Any]:
        """Fail unless the ledger's identities hold; gives the ledger.

        Legs of each booking sum to zero per currency, each account's balance is the sum of its
        legs, no payment is booked or returned twice, and states agree with bookings.
        """
        ledger = self.ledger()
        assert_books_balance(ledger)
        return ledger


def assert_books_balance(ledger: dict[str, Any]) -> None:
    """As `SimulatedBank.assert_books_balance`, for a ledger already fetched."""
    totals = {a["number"]: Decimal(0) for a in ledger["accounts"]}
    booked: dict[tuple[str, str], int] = {}
    for booking in ledger["bookings"]:
        sums: dict[str, Decimal] = {}
        for leg in booking["legs"]:
            sums[leg["currency"]] = sums.get(leg["currency"], Decimal(0)) + Decimal(leg["amount"])
            totals[leg["account"]] += Decimal(leg["amount"])
        assert len(booking["legs"]) >= 2, booking
        assert not any(sums.values()), booking
        if booking["payment"] is not None:
            key = (booking["kind"], booking["payment"])
            booked[key] = booked.get(key, 0) + 1
    for account in ledger["accounts"]:
        assert Decimal(account["balance"]) == totals[account["number"]], account
        assert account["balance"] == account["carried_balance"], account
    assert all(times == 1 for times in booked.values()), booked
    for payment in ledger["payments"]:
        reference, state = payment["reference"], payment["state"]
        assert booked.get(("payment", reference), 0) == (state in ("BOOKED", "RETURNED")), payment
        assert booked.get(("return", reference), 0) == (state == "RETURNED"), payment


@dataclass
class Banks:
    """Starts any number of banks and ends them all with the test."""

    folder: Path
    started: list[SimulatedBank] = field(default_factory=list)

    def __call__(self, **options: Any) -> SimulatedBank:
        folder = self.folder / f"bank-{len(self.started) + 1}"
        folder.mkdir(parents=True)
        self.started.append(SimulatedBank.start(folder, **options))
        return self.started[-1]


@pytest.fixture
def start_bank(tmp_path: Path) -> Iterator[Banks]:
    """`start_bank(window=2.0, …)` starts a simulated bank that ends with the test."""
    banks = Banks(tmp_path)
    yield banks
    for bank in banks.started:
        bank.kill()


@pytest.fixture
def bank(start_bank: Banks) -> SimulatedBank:
    """A simulated bank with nothing in it yet."""
    return start_bank()
