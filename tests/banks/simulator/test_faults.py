"""Fault rules: when they fire, and that a run can be repeated exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from banks.simulator import control
from banks.simulator.errors import BankError
from tests.banks.simulator.conftest import Books, item


def rejected(books: Books, *references: str, amount: str = "1.00") -> list[str]:
    reports = books.pay(*(item(r, amount) for r in references))
    return [r["reference"] for r in reports if r["state"] == "REJECTED"]


def test_a_rule_by_prefix_leaves_others_alone(books: Books) -> None:
    control.add_fault(books.bank, {"kind": "reject", "prefix": "BAD"})
    assert rejected(books, "BAD-1", "GOOD-1", "BAD-2") == ["BAD-1", "BAD-2"]


def test_a_rule_by_references(books: Books) -> None:
    control.add_fault(books.bank, {"kind": "reject", "references": ["R2"]})
    assert rejected(books, "R1", "R2") == ["R2"]


@pytest.mark.parametrize("rule", [{"amount": "7.00"}, {"min_amount": "6.99"}, {"account": "A"}])
def test_a_rule_by_amount_or_account(books: Books, rule: dict[str, str]) -> None:
    control.add_fault(books.bank, {"kind": "reject", **rule})
    assert rejected(books, "R1", amount="7.00") == ["R1"]


def test_every_third_after_skipping_one_and_twice_at_most(books: Books) -> None:
    control.add_fault(books.bank, {"kind": "reject", "every": 3, "skip": 1, "count": 2})
    assert rejected(books, *(f"R{n}" for n in range(1, 15))) == ["R4", "R7"]


def test_probability_follows_the_seed(open_books: Callable[..., Books]) -> None:
    def run(seed: int) -> list[str]:
        books = open_books()
        books.open("A")
        control.add_fault(books.bank, {"kind": "reject", "probability": 0.3, "seed": seed})
        return rejected(books, *(f"R{n}" for n in range(200)))

    first, again, other = run(1), run(1), run(2)
    assert first == again
    assert first != other
    assert 30 <= len(first) <= 90


def test_counters_outlive_the_process(open_books: Callable[..., Books], tmp_path: Any) -> None:
    books = open_books()
    books.open("A")
    control.add_fault(books.bank, {"kind": "reject", "count": 1})
    assert rejected(books, "R1") == ["R1"]
    books.bank.close()
    again = Books(tmp_path / "0.sqlite")
    assert rejected(again, "R2") == []
    assert control.list_faults(again.bank, {})["faults"][0]["fired"] == 1
    again.bank.close()


def test_faults_can_be_cleared_one_by_one(books: Books) -> None:
    first = control.add_fault(books.bank, {"kind": "reject", "prefix": "X"})["id"]
    control.add_fault(books.bank, {"kind": "reject", "prefix": "Y"})
    control.clear_faults(books.bank, {"id": first})
    assert rejected(books, "X1", "Y1") == ["Y1"]
    control.clear_faults(books.bank, {})
    assert control.list_faults(books.bank, {})["faults"] == []


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "explode"},
        {"kind": "reject", "colour": "red"},
        {"kind": "reject", "on": "lunch"},
        {"kind": "reject", "every": 0},
        {"kind": "reject", "probability": 2},
        {"kind": "reject", "amount": "much"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(books: Books, rule: dict[str, Any]) -> None:
    with pytest.raises(BankError):
        control.add_fault(books.bank, rule)
