"""The books of the simulated bank balance whatever is done to them, and cannot be tampered with."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.simulator import control
from banks.simulator.errors import BankError
from tests.banks.simulator.conftest import Books, item
from tests.simulated_bank import assert_books_balance

REFERENCES = st.sampled_from([f"REF-{n}" for n in range(6)])
AMOUNTS = st.decimals("0.01", "900", places=2).map(str)
FAULTS = st.sampled_from(["reject", "delay", "processing", "bank_approval", "return_later"])
ACTS = st.one_of(
    st.tuples(st.just("pay"), REFERENCES, AMOUNTS, st.sampled_from(["B", "ELSEWHERE"])),
    st.tuples(st.just("enter"), st.sampled_from(["A", "B"]), AMOUNTS, st.booleans()),
    st.tuples(st.just("fault"), FAULTS, st.integers(0, 2)),
    st.tuples(st.just("query"), REFERENCES),
    st.tuples(st.just("release"), st.sampled_from(["book", "reject"])),
    st.tuples(st.just("return"), REFERENCES),
    st.tuples(st.just("freeze"), AMOUNTS),
    st.tuples(st.just("advance"), st.integers(0, 5)),
    st.tuples(st.just("close")),
)


def act(books: Books, what: tuple) -> None:
    match what:
        case ("pay", reference, amount, payee):
            day = books.ledger()["business_day"]
            books.pay(item(reference, amount, creditor_account=payee, requested_on=day))
        case ("enter", account, amount, out):
            entry = {"account": account, "amount": f"-{amount}" if out else amount}
            control.inject_entries(books.bank, {"entries": [entry]})
        case ("fault", kind, queries):
            rule = {"kind": kind, "count": 1, "queries": queries}
            control.add_fault(books.bank, rule)
        case ("query", reference):
            books.query(reference)
        case ("release", outcome):
            control.release_payments(books.bank, {"outcome": outcome})
        case ("return", reference):
            control.return_payment(books.bank, {"reference": reference})
        case ("freeze", amount):
            control.freeze(books.bank, {"account": "A", "amount": amount})
        case ("advance", seconds):
            control.set_clock(books.bank, {"advance_seconds": seconds})
        case ("close",):
            books.bank.close_days()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTS, max_size=25))
def test_any_sequence_of_acts_keeps_legs_at_zero_and_balances_derived(acts: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        books = Books(Path(folder) / "bank.sqlite")
        books.open("A")
        books.open("B", opening="0")
        for what in acts:
            with suppress(BankError):
                act(books, what)
        ledger = books.ledger()
        assert_books_balance(ledger)
        for account in ledger["accounts"]:
            moved = sum(
                (
                    Decimal(leg["amount"])
                    for booking in ledger["bookings"]
                    if booking["kind"] != "opening"
                    for leg in booking["legs"]
                    if leg["account"] == account["number"]
                ),
                Decimal(0),
            )
            assert Decimal(account["balance"]) == Decimal(account["opening"]) + moved
        assert sum(Decimal(a["balance"]) for a in ledger["accounts"]) == 0
        books.bank.close()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE legs SET amount = amount + 1",
        "DELETE FROM legs",
        "UPDATE bookings SET text = 'x'",
        "DELETE FROM bookings",
        "DELETE FROM payments",
        "UPDATE payments SET state = 'PROCESSING'",
        "INSERT INTO legs (booking, account, amount, currency, booked_on, party_name, party_account, "
        "party_bank) SELECT booking, account, 5, currency, booked_on, '', '', '' FROM legs LIMIT 1",
    ],
)
def test_what_is_booked_cannot_be_changed(books: Books, tampering: str) -> None:
    books.pay(item())
    before = books.ledger()
    with pytest.raises(sqlite3.IntegrityError), books.bank.store.write() as db:
        db.execute(tampering)
    assert books.ledger() == before


def test_legs_without_a_booking_do_not_survive_the_transaction(books: Books) -> None:
    with pytest.raises(sqlite3.IntegrityError), books.bank.store.write() as db:
        db.execute(
            "INSERT INTO legs (booking, account, amount, currency, booked_on, party_name, party_account, "
            "party_bank) VALUES (99, 1, 5, 'CNY', '2026-11-24', '', '', '')"
        )
    assert_books_balance(books.ledger())


def book_by_hand(books: Books, *amounts: int) -> None:
    with books.bank.store.write() as db:
        for account, amount in enumerate(amounts, start=1):
            db.execute(
                "INSERT INTO legs (booking, account, amount, currency, booked_on, party_name, "
                "party_account, party_bank) VALUES (99, ?, ?, 'CNY', '2026-11-24', '', '', '')",
                (account, amount),
            )
        db.execute(
            "INSERT INTO bookings VALUES (99, 'X', 'entry', NULL, 'X', '2026-11-24', '', '', '', '', '')"
        )


@pytest.mark.parametrize("amounts", [(5, -4), (5,), ()])
def test_a_booking_whose_legs_do_not_sum_to_zero_is_refused(books: Books, amounts: tuple[int, ...]) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="sum to zero"):
        book_by_hand(books, *amounts)
    assert_books_balance(books.ledger())
    book_by_hand(books, 5, -5)
    assert_books_balance(books.ledger())


def test_an_account_number_is_opened_once(books: Books) -> None:
    with pytest.raises(BankError, match="open already"):
        books.open("A")


def test_frozen_money_cannot_be_paid_out_and_shows_in_the_four_figures(books: Books) -> None:
    control.freeze(books.bank, {"account": "A", "amount": "995.00"})
    assert books.pay(item())[0]["code"] == "INSUFFICIENT_FUNDS"
    figures = books.bank.balance("A")
    assert (figures["ledger"], figures["available"], figures["frozen"]) == ("1000.00", "5.00", "995.00")


def test_the_previous_day_figure_is_the_close_of_the_day_before(books: Books) -> None:
    books.pay(item())
    assert books.bank.balance("A")["previous_day"] == "1000.00"
    books.bank.close_days()
    assert books.bank.balance("A")["previous_day"] == "990.00"


@pytest.mark.parametrize(("currency", "text"), [("JPY", "7"), ("CNY", "7.05"), ("KWD", "7.005")])
def test_amounts_keep_exactly_the_digits_of_their_currency(books: Books, currency: str, text: str) -> None:
    books.open(f"C-{currency}", currency, text)
    assert books.balance(f"C-{currency}") == text
