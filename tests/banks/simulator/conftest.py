"""A simulated bank inside the test's own process, for what needs no line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from banks.simulator import control
from banks.simulator.bank import Bank, Settings
from banks.simulator.orders import Order
from banks.simulator.truth import whole_ledger

DAY = date(2026, 11, 24)


class Books:
    """A bank opened in process, and short ways to order it about."""

    def __init__(self, path: Path, **settings: Any) -> None:
        values = {"business_day": DAY, "follow_clock": False, **settings}
        self.bank = Bank(path, Settings(**values))

    def open(self, number: str, currency: str = "CNY", opening: str = "1000.00", **more: Any) -> None:
        data = {"number": number, "currency": currency, "opening": opening, **more}
        control.open_account(self.bank, data)

    def pay(self, *items: dict[str, Any], age: float = 0.0) -> list[dict[str, str]]:
        orders = [Order.read(item) for item in items]
        sent = self.bank.clock.now() - age
        return list(self.bank.take_payments(orders, sent=sent)["reports"])

    def query(self, *references: str) -> list[dict[str, str]]:
        return list(self.bank.query(references)["reports"])

    def ledger(self) -> dict[str, Any]:
        with self.bank.store.read() as db:
            return whole_ledger(db)

    def balance(self, number: str) -> str:
        return next(str(a["balance"]) for a in self.ledger()["accounts"] if a["number"] == number)


def item(reference: str = "REF-1", amount: str = "10.00", **changes: Any) -> dict[str, Any]:
    """One payment as it stands in a message, from account A to account B."""
    return {
        "reference": reference,
        "debtor_account": "A",
        "creditor_account": "B",
        "creditor_name": "乙公司",
        "creditor_bank_code": "",
        "amount": amount,
        "currency": "CNY",
        "requested_on": DAY.isoformat(),
        "purpose": "货款",
        "urgent": False,
        **changes,
    }


@pytest.fixture
def open_books(tmp_path: Path) -> Iterator[Callable[..., Books]]:
    """`open_books(received_window_seconds=…)`: a bank in process, closed with the test."""
    opened: list[Books] = []

    def start(**settings: Any) -> Books:
        opened.append(Books(tmp_path / f"{len(opened)}.sqlite", **settings))
        return opened[-1]

    yield start
    for books in opened:
        books.bank.close()


@pytest.fixture
def books(open_books: Callable[..., Books]) -> Books:
    """A bank in process with accounts A (1000.00) and B (0.00) in CNY."""
    books = open_books()
    books.open("A", name="甲公司")
    books.open("B", opening="0", name="乙公司")
    return books
