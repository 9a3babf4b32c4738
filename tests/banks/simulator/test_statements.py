"""Statements of the simulated bank: one a closed day, the same bytes at every delivery."""

from __future__ import annotations

import base64
import tempfile
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from banks import formats
from banks.simulator import control
from banks.simulator.errors import BankError
from tests.banks.simulator.conftest import Books, item


def fetch(
    books: Books, account: str, since: str = "", limit: int = 20, intraday: bool = False
) -> dict[str, Any]:
    return books.bank.statements(account, since=since, limit=limit, intraday=intraday)


def content(file: dict[str, str]) -> bytes:
    return base64.b64decode(file["content"])


def figures(xml: bytes) -> tuple[list[Decimal], list[Decimal]]:
    """Balances and entries of a camt file, signed."""
    tree = etree.fromstring(xml)

    def signed(tag: str) -> list[Decimal]:
        return [
            Decimal(node.findtext("{*}Amt")) * (-1 if node.findtext("{*}CdtDbtInd") == "DBIT" else 1)
            for node in tree.iter("{*}" + tag)
        ]

    return signed("Bal"), signed("Ntry")


def test_a_closed_day_has_a_statement_whose_entries_explain_its_balances(books: Books) -> None:
    books.pay(item("R1", "10.00"), item("R2", "0.50"))
    control.inject_entries(books.bank, {"entries": [{"account": "A", "amount": "3.25", "text": "收入"}]})
    books.bank.close_days()
    files = fetch(books, "A")["files"]
    balances, entries = figures(content(files[0]))
    assert len(files) == 1
    assert balances == [Decimal("1000.00"), Decimal("992.75")]
    assert entries == [Decimal("-10.00"), Decimal("-0.50"), Decimal("3.25")]


def test_statements_follow_on_from_each_other_day_by_day(books: Books) -> None:
    for n in range(4):
        day = books.ledger()["business_day"]
        books.pay(item(f"R{n}", requested_on=day))
        books.bank.close_days(days=2)
    chain = [figures(content(f))[0] for f in fetch(books, "A")["files"]]
    assert len(chain) == 8
    assert all(before[1] == after[0] for before, after in pairwise(chain))


def test_a_second_delivery_has_the_same_bytes(books: Books) -> None:
    books.pay(item())
    books.bank.close_days()
    first = fetch(books, "A")
    control.return_payment(books.bank, {"reference": "REF-1"})
    books.bank.close_days()
    assert fetch(books, "A")["files"][0] == first["files"][0]


def test_the_cursor_pages_without_gap_or_repeat(books: Books) -> None:
    books.bank.close_days(days=5)
    names, cursor, more = [], "", True
    while more:
        page = fetch(books, "A", cursor, limit=2)
        names += [f["name"] for f in page["files"]]
        cursor, more = page["cursor"], page["more"]
    assert names == sorted(set(names))
    assert len(names) == 5
    assert fetch(books, "A", cursor)["files"] == []
    books.bank.close_days()
    assert len(fetch(books, "A", cursor)["files"]) == 1


def test_a_returned_payment_stands_on_the_statement_with_its_reason(books: Books) -> None:
    books.pay(item())
    control.return_payment(books.bank, {"reference": "REF-1", "code": "AC04"})
    books.bank.close_days()
    xml = content(fetch(books, "A")["files"][0])
    assert figures(xml)[1] == [Decimal("-10.00"), Decimal("10.00")]
    assert xml.count(b"<EndToEndId>REF-1</EndToEndId>") == 2
    assert b"<Cd>AC04</Cd>" in xml


def test_an_account_may_have_its_statements_in_mt940(books: Books) -> None:
    books.open("M", opening="5.00", format="mt940")
    books.pay(item(creditor_account="M", creditor_name="名" * 140, purpose="货" * 140))
    control.return_payment(books.bank, {"reference": "REF-1", "text": "退" * 140})
    books.bank.close_days()
    file = fetch(books, "M")["files"][0]
    assert file["format"] == "mt940"
    assert b":60F:C261124CNY5,00" in content(file)
    assert b"//P261124" in content(file)


@pytest.mark.parametrize(("format", "expected"), [("camt.053", "camt.052"), ("mt940", "mt942")])
def test_the_day_so_far_comes_only_when_asked_for_and_only_when_it_grew(
    books: Books, format: str, expected: str
) -> None:
    books.open("I", format=format)
    assert fetch(books, "I")["files"] == []
    control.inject_entries(books.bank, {"entries": [{"account": "I", "amount": "3.25"}]})
    page = fetch(books, "I", intraday=True)
    assert [f["format"] for f in page["files"]] == [expected]
    assert fetch(books, "I", page["cursor"], intraday=True)["files"] == []
    books.bank.close_days()
    assert [f["format"] for f in fetch(books, "I", page["cursor"])["files"]] == [format]


@pytest.mark.parametrize("format", ["camt.053", "mt940"])
def test_what_it_writes_is_read_back_as_what_was_booked(books: Books, format: str) -> None:
    books.open("F", format=format, name="丙公司")
    books.pay(
        item("R-1", "10.00", debtor_account="F", purpose="货款 七月"),
        item("R-2", "0.01", creditor_account="F"),
    )
    control.return_payment(books.bank, {"reference": "R-1", "code": "AC04", "text": "账户已销户"})
    control.inject_entries(
        books.bank,
        {"entries": [{"account": "F", "amount": "5.55", "party_name": "客户", "reference": "INV-7"}]},
    )
    books.bank.close_days()
    file = fetch(books, "F")["files"][0]
    start, *entries, end = formats.read(BytesIO(content(file)), file["format"])
    assert (start.account.number, start.opening.amount) == ("F", Decimal("1000.00"))
    assert end.closing.amount == Decimal("1005.56")
    assert [(e.reference, e.amount, e.counterparty.name) for e in entries] == [
        ("R-1", Decimal("-10.00"), "乙公司"),
        ("R-2", Decimal("0.01"), "甲公司"),
        ("R-1", Decimal("10.00"), "乙公司"),
        ("INV-7", Decimal("5.55"), "客户"),
    ]
    assert [e.bank_reference[0] for e in entries] == ["P", "P", "B", "B"]
    assert entries[0].text == "货款 七月"
    assert "AC04" in entries[2].return_reason


ODD = st.text(alphabet="? :-{}\u3000\u200b\x85\u2028A中&<+/\U0001f600", min_size=1, max_size=140)


@settings(max_examples=40, deadline=None)
@given(name=ODD, purpose=ODD, reason=ODD, code=ODD)
def test_whatever_text_it_takes_it_can_write(name: str, purpose: str, reason: str, code: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        books = Books(Path(folder) / "bank.sqlite")
        books.open("A")
        books.open("M", format="mt940")
        for account in ("A", "M"):
            changes = {"debtor_account": account, "creditor_name": name, "purpose": purpose}
            books.pay(item(f"R-{account}", **changes))
            with suppress(BankError):
                returned = {"reference": f"R-{account}", "code": code, "text": reason}
                control.return_payment(books.bank, returned)
            with suppress(BankError):
                entry = {"account": account, "amount": "1.00", "party_name": name, "text": reason}
                control.inject_entries(books.bank, {"entries": [{**entry, "code": code}]})
        books.bank.close_days()
        assert all(len(fetch(books, account)["files"]) == 1 for account in ("A", "M"))
        books.bank.close()


@pytest.mark.parametrize("cursor", ["x", "S", "S1/B", "S1;DROP", "S9999999999999999999", "S٣"])
def test_a_foreign_cursor_is_refused(books: Books, cursor: str) -> None:
    with pytest.raises(BankError, match="not one this bank handed out"):
        fetch(books, "A", cursor)


def test_an_unknown_account_is_refused(books: Books) -> None:
    with pytest.raises(BankError, match="keeps no account"):
        fetch(books, "NOWHERE")


def test_days_can_be_closed_up_to_a_date(books: Books) -> None:
    control.close_days(books.bank, {"to": "2026-12-01"})
    assert books.ledger()["business_day"] == "2026-12-01"
    assert len(fetch(books, "A")["files"]) == 7
