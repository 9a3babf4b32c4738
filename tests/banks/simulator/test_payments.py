"""Payments at the simulated bank: once for ever, strict about what it takes, honest about the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from banks.simulator import control
from banks.simulator.errors import BankError
from tests.banks.simulator.conftest import DAY, Books, item


def fault(books: Books, kind: str, **rule: Any) -> None:
    control.add_fault(books.bank, {"kind": kind, **rule})


def test_a_payment_moves_money_between_two_accounts_here(books: Books) -> None:
    assert books.pay(item())[0]["state"] == "BOOKED"
    assert (books.balance("A"), books.balance("B")) == ("990.00", "10.00")


def test_a_payment_to_another_bank_goes_by_settlement(books: Books) -> None:
    books.pay(item(creditor_account="B", creditor_bank_code="OTHERBANK"))
    assert (books.balance("A"), books.balance("B")) == ("990.00", "0.00")
    assert books.balance("SETTLEMENT-CNY") == "-990.00"


def test_a_repeat_answers_with_the_first_and_books_nothing(books: Books) -> None:
    first, again = books.pay(item())[0], books.pay(item())[0]
    assert first == again
    assert books.balance("A") == "990.00"


def test_a_repeat_inside_one_message_is_booked_once(books: Books) -> None:
    reports = books.pay(item(), item())
    assert reports[0] == reports[1]
    assert books.balance("A") == "990.00"


def test_a_repeat_of_a_rejected_payment_stays_rejected_though_it_could_now_be_paid(books: Books) -> None:
    assert books.pay(item(amount="5000.00"))[0]["code"] == "INSUFFICIENT_FUNDS"
    control.inject_entries(books.bank, {"entries": [{"account": "A", "amount": "9000.00"}]})
    assert books.pay(item(amount="5000.00"))[0]["state"] == "REJECTED"


@pytest.mark.parametrize(
    "change", [{"amount": "10.01"}, {"creditor_account": "C"}, {"purpose": ""}, {"urgent": True}]
)
def test_other_content_under_a_used_reference_is_refused(books: Books, change: dict[str, Any]) -> None:
    books.pay(item())
    report = books.pay(item(**change))[0]
    assert (report["state"], report["code"]) == ("REFUSED", "DUPLICATE")
    assert books.query("REF-1")[0]["state"] == "BOOKED"
    assert books.balance("A") == "990.00"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"debtor_account": "NOWHERE"}, "UNKNOWN_ACCOUNT"),
        ({"amount": "10.005"}, "BAD_AMOUNT"),
        ({"amount": "0.00"}, "BAD_AMOUNT"),
        ({"amount": "-1.00"}, "BAD_AMOUNT"),
        ({"amount": "1e3"}, "BAD_AMOUNT"),
        ({"amount": "１０"}, "BAD_AMOUNT"),
        ({"currency": "XXX"}, "BAD_AMOUNT"),
        ({"currency": "USD"}, "CURRENCY_MISMATCH"),
        ({"amount": "5000.00"}, "INSUFFICIENT_FUNDS"),
        ({"requested_on": (DAY - timedelta(days=1)).isoformat()}, "PAST_DATE"),
        ({"requested_on": "20261124"}, "BAD_DATE"),
        ({"requested_on": "2029-01-01"}, "BAD_DATE"),
        ({"creditor_name": "名" * 141}, "FIELD_LENGTH"),
        ({"creditor_name": "  "}, "FIELD_LENGTH"),
        ({"purpose": "x" * 141}, "FIELD_LENGTH"),
        ({"purpose": "a\nb"}, "FIELD_CHARACTERS"),
        ({"creditor_account": "账号"}, "FIELD_CHARACTERS"),
        ({"creditor_bank_code": " "}, "FIELD_CHARACTERS"),
        ({"creditor_account": "A"}, "SAME_ACCOUNT"),
    ],
)
def test_a_wrong_order_is_rejected_with_its_reason(books: Books, change: dict[str, Any], code: str) -> None:
    report = books.pay(item(**change))[0]
    assert (report["state"], report["code"]) == ("REJECTED", code)
    assert books.balance("A") == "1000.00"
    assert books.query("REF-1")[0]["code"] == code


@pytest.mark.parametrize("reference", ["", "a b", "x" * 36, "编号", "-1"])
def test_a_reference_it_cannot_keep_is_refused_and_never_recorded(books: Books, reference: str) -> None:
    assert books.pay(item(reference))[0]["state"] == "REFUSED"
    assert books.query(reference)[0]["state"] == "NO_RECORD"


def test_one_bad_order_does_not_hold_up_its_neighbours(books: Books) -> None:
    states = [r["state"] for r in books.pay(item("R1"), item("R2", "0.001"), item("R3"))]
    assert states == ["BOOKED", "REJECTED", "BOOKED"]


def test_a_future_date_waits_for_its_day(books: Books) -> None:
    report = books.pay(item(requested_on=(DAY + timedelta(days=2)).isoformat()))[0]
    assert (report["state"], report["code"]) == ("PROCESSING", "FUTURE_DATED")
    books.bank.close_days()
    assert books.query("REF-1")[0]["state"] == "PROCESSING"
    books.bank.close_days()
    assert books.query("REF-1")[0]["state"] == "BOOKED"


def test_a_message_older_than_the_window_is_refused_whole(books: Books) -> None:
    with pytest.raises(BankError) as refused:
        books.pay(item(), age=61.0)
    assert refused.value.code == "EXPIRED"
    assert books.query("REF-1")[0]["state"] == "NO_RECORD"


def test_too_many_payments_are_refused_whole(open_books: Any) -> None:
    books = open_books(message_limit=2)
    books.open("A")
    with pytest.raises(BankError, match="at most 2"):
        books.pay(item("R1"), item("R2"), item("R3"))
    assert books.query("R1")[0]["state"] == "NO_RECORD"


def test_a_delay_by_queries_answers_processing_so_often_and_then_books(books: Books) -> None:
    fault(books, "delay", queries=2)
    states = [books.pay(item())[0]["state"], *(books.query("REF-1")[0]["state"] for _ in range(3))]
    assert states == ["PROCESSING", "PROCESSING", "PROCESSING", "BOOKED"]


def test_a_delay_by_time_books_when_it_has_passed(books: Books) -> None:
    fault(books, "delay", seconds=30)
    books.pay(item())
    assert books.query("REF-1")[0]["state"] == "PROCESSING"
    control.set_clock(books.bank, {"advance_seconds": 31})
    assert books.query("REF-1")[0]["state"] == "BOOKED"


@pytest.mark.parametrize(
    ("kind", "state"), [("processing", "PROCESSING"), ("bank_approval", "BANK_APPROVAL")]
)
@pytest.mark.parametrize(("outcome", "end"), [("book", "BOOKED"), ("reject", "REJECTED")])
def test_a_held_payment_waits_for_its_release(
    books: Books, kind: str, state: str, outcome: str, end: str
) -> None:
    fault(books, kind)
    assert books.pay(item())[0]["state"] == state
    control.set_clock(books.bank, {"advance_seconds": 100_000})
    assert books.query("REF-1")[0]["state"] == state
    control.release_payments(books.bank, {"reference": "REF-1", "outcome": outcome})
    assert books.query("REF-1")[0]["state"] == end
    assert books.pay(item())[0]["state"] == end


def test_a_held_payment_is_rejected_when_the_money_has_gone_meanwhile(books: Books) -> None:
    fault(books, "processing", count=1)
    books.pay(item("R1", "900.00"))
    books.pay(item("R2", "900.00"))
    control.release_payments(books.bank, {})
    assert books.query("R1")[0]["code"] == "INSUFFICIENT_FUNDS"


def test_a_rejection_keeps_the_bank_s_own_words(books: Books) -> None:
    fault(books, "reject", code="E99", text="户名不符")
    report = books.pay(item())[0]
    assert (report["state"], report["code"], report["text"]) == ("REJECTED", "E99", "户名不符")


def test_a_return_books_the_money_back_and_names_the_payment(books: Books) -> None:
    books.pay(item())
    control.return_payment(books.bank, {"reference": "REF-1", "code": "AC04", "text": "账户已销户"})
    assert (books.balance("A"), books.balance("B")) == ("1000.00", "0.00")
    found = books.bank.returns("")["returns"]
    assert [(r["reference"], r["code"], r["text"]) for r in found] == [("REF-1", "AC04", "账户已销户")]


def test_a_payment_is_returned_once(books: Books) -> None:
    books.pay(item())
    control.return_payment(books.bank, {"reference": "REF-1"})
    with pytest.raises(BankError, match="only a BOOKED one"):
        control.return_payment(books.bank, {"reference": "REF-1"})


def test_a_later_return_comes_with_the_close_of_the_day(books: Books) -> None:
    fault(books, "return_later")
    assert books.pay(item())[0]["state"] == "BOOKED"
    assert books.query("REF-1")[0]["state"] == "BOOKED"
    books.bank.close_days()
    assert books.query("REF-1")[0]["state"] == "RETURNED"


def test_returns_are_paged_by_cursor(books: Books) -> None:
    for n in range(3):
        books.pay(item(f"R{n}"))
        control.return_payment(books.bank, {"reference": f"R{n}"})
    first = books.bank.returns("")
    assert [r["reference"] for r in first["returns"]] == ["R0", "R1", "R2"]
    books.pay(item("R9"))
    control.return_payment(books.bank, {"reference": "R9"})
    assert [r["reference"] for r in books.bank.returns(first["cursor"])["returns"]] == ["R9"]
