"""The company's bank journal as its bookkeeping would export it, written from what the bank booked.

Most lines agree with the bank's. Some are left out, split or only in the books, so that there is
something to reconcile.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from banks.models import Entry
from reconciliation.demo.figures import FEES
from treasury import money
from treasury.models import Account

HEADER = ("日期", "凭证号", "借方", "贷方", "币种", "付款参考号", "流水号", "对方户名", "摘要")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the journal; money in is positive."""

    on: date
    amount: Decimal
    reference: str
    bank_reference: str
    counterparty: str
    text: str


def rows_of(entries: Iterable[Entry], chance: random.Random) -> Iterator[Row]:
    """Lines for the bank's entries: with our reference, the bank's, or neither."""
    for entry in entries:
        by_name = not entry.reference and chance.random() < 0.3
        yield Row(
            on=entry.booked_on,
            amount=entry.amount,
            reference=entry.reference,
            bank_reference="" if by_name or entry.reference else entry.bank_reference,
            counterparty=entry.counterparty_name,
            text=entry.text.split("\n")[0][:100],
        )


def is_fee(entry: Entry) -> bool:
    amount: Decimal = entry.amount
    return amount == -Decimal(FEES[entry.currency][0])


def untidy(entries: Iterable[Entry], chance: random.Random, account: Account, last: date) -> Iterator[Row]:
    """As the last days of a month are: fees not booked yet, a receipt in two parts, one unknown, a
    cheque that the bank has not seen."""
    entries = [entry for entry in entries if not is_fee(entry)]
    receipts = [e for e in entries if e.amount > 0 and not e.reference]
    unknown = receipts[-1].pk if len(receipts) > 3 else 0
    split = receipts[-2].pk if len(receipts) > 3 else 0
    for entry in entries:
        (row,) = rows_of([entry], chance)
        if entry.pk == split:
            part = Decimal(int(entry.amount) * 4 // 10)
            yield Row(row.on, part, "", "", row.counterparty, f"{row.text} 1/2")
            yield Row(row.on, entry.amount - part, "", "", row.counterparty, f"{row.text} 2/2")
        elif entry.pk != unknown:
            yield row
    cheque = {"CNY": "-28600.00", "USD": "-4100.00", "EUR": "-3900.00", "JPY": "-410000"}[account.currency]
    yield Row(last, Decimal(cheque), "", "", "示例律师事务所 Example Attorneys", "转账支票 Cheque in transit")


def journal(rows: Iterable[Row], account: Account, prefix: str) -> tuple[bytes, int]:
    """The CSV file and its number of lines."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    count = 0
    for count, row in enumerate(rows, start=1):
        shown = f"{money.quantize(abs(row.amount), account.currency):f}"
        kind, debit, credit = ("银收", shown, "") if row.amount > 0 else ("银付", "", shown)
        writer.writerow(
            (
                row.on.isoformat(),
                f"{kind}-{prefix}-{count:03d}",
                debit,
                credit,
                account.currency,
                row.reference,
                row.bank_reference,
                row.counterparty,
                row.text,
            )
        )
    return out.getvalue().encode(), count
