"""How many payments a second the simulated bank takes: `python -m tests.bench.bench_simulated_bank`.

Its floor is 500 a second in batches and 200 singly, on one core shared with the client.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from banks.messages import AccountIdentity, Party, PaymentOrder
from tests.simulated_bank import SimulatedBank


def measure(name: str, count: int, act: Callable[[], None]) -> None:
    started = time.perf_counter()
    act()
    sys.stdout.write(f"{name:28} {count / (time.perf_counter() - started):9.0f} a second\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bank = SimulatedBank.start(Path(folder))
        bank.open_account("A", "CNY", opening="10000000.00")
        bank.open_account("B", "CNY")
        connector, day = bank.connector(), bank.business_day()

        def orders(start: int, count: int) -> list[PaymentOrder]:
            return [
                PaymentOrder(
                    reference=f"R{n}",
                    debtor=AccountIdentity(number="A"),
                    creditor=Party(name="Beta", account="B"),
                    amount=Decimal("1.00"),
                    currency="CNY",
                    requested_on=day,
                )
                for n in range(start, start + count)
            ]

        def singly() -> None:
            for n in range(1_000):
                connector.send(connector.compose(orders(n, 1)))

        def batches() -> None:
            for n in range(10_000, 30_000, 200):
                connector.send(connector.compose(orders(n, 200)))

        def queries() -> None:
            connector.query_payments([f"R{n}" for n in range(10_000, 30_000)])

        measure("sent one by one", 1_000, singly)
        measure("sent in batches of 200", 20_000, batches)
        measure("queried", 20_000, queries)
        measure("closed on a statement", 21_000, lambda: bank.close_day() and None)
        measure(
            "lines in a statement file",
            21_000,
            lambda: connector.fetch_statements(AccountIdentity(number="A"), "") and None,
        )
        measure("bookings checked", 21_000, lambda: bank.assert_books_balance() and None)
        bank.kill()


if __name__ == "__main__":
    main()
