"""Bank lines and journals for these tests.

Journals go through the real import. Bank lines come as one statement with balances that add up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from banks.models import Entry, InboundFile, Statement
from reconciliation.models import LedgerEntry, LedgerImport
from reconciliation.services import booking
from treasury.models import Account, User

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
_numbers = count(1)


def day(offset: int = 0) -> date:
    return DAY + timedelta(days=offset)


def statement(
    account: Account,
    lines: Iterable[Mapping[str, Any]],
    *,
    on: date = DAY,
    opening: str | Decimal = "1000",
    **fields: Any,
) -> list[Entry]:
    """One statement closing on `on` whose opening and lines give its closing."""
    number = next(_numbers)
    digest = hashlib.sha256(f"statement {number}".encode()).hexdigest()
    lines = list(lines)
    total = sum((Decimal(str(line["amount"])) for line in lines), Decimal(0))
    file = InboundFile.objects.create(
        name=f"statement-{number}.xml",
        sha256=digest,
        size=1,
        received_at=NOW,
        state="READ",
    )
    made = Statement.objects.create(
        account=account,
        file=file,
        number=str(number),
        currency=account.currency,
        opening_on=fields.pop("opening_on", on),
        opening=Decimal(opening),
        closing_on=on,
        closing=fields.pop("closing", Decimal(opening) + total),
        entries_sum=total,
        entries_count=len(lines),
        new_count=len(lines),
        balanced=fields.pop("balanced", True),
        continuous=True,
        imported_at=NOW,
        **fields,
    )
    return Entry.objects.bulk_create(
        Entry(
            account=account,
            statement=made,
            position=n,
            booked_on=line.get("on", on),
            amount=Decimal(str(line["amount"])),
            currency=account.currency,
            reference=line.get("reference", ""),
            bank_reference=line.get("bank_reference", ""),
            counterparty_name=line.get("name", ""),
            text=line.get("text", ""),
            identity=f"{number}-{n}",
            status=line.get("status", "BOOK"),
        )
        for n, line in enumerate(lines)
    )


def csv_of(lines: Iterable[Mapping[str, Any]]) -> bytes:
    rows = ["date,voucher,amount,reference,bank reference,counterparty,text"]
    for line in lines:
        cells = (
            line.get("on", DAY),
            line.get("voucher", f"V{next(_numbers)}"),
            line["amount"],
            line.get("reference", ""),
            line.get("bank_reference", ""),
            line.get("name", ""),
            line.get("text", ""),
        )
        rows.append(",".join(map(str, cells)))
    return "\r\n".join(rows).encode()


def journal(
    account: Account, lines: Iterable[Mapping[str, Any]], *, by: User, at: datetime = NOW
) -> list[LedgerEntry]:
    """A journal booked through the real import; its lines in the order given."""
    made = booked(account, lines, by=by, at=at)
    return list(LedgerEntry.objects.filter(imported=made).order_by("row"))


def booked(
    account: Account, lines: Iterable[Mapping[str, Any]], *, by: User, at: datetime = NOW
) -> LedgerImport:
    return booking.import_journal(account=account, name="journal.csv", content=csv_of(lines), by=by, at=at)
