"""Account statements of the simulated bank: one a closed day, and the day so far on request.

Rows remember what a day opened and closed with; the file is written from the legs with
`banks.formats` when first fetched and kept, so that every delivery has the same bytes.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from banks.formats import camt053, mt940
from banks.messages import AccountIdentity, DatedAmount, Entry, Party, Statement
from banks.simulator import ledger
from banks.simulator.currencies import to_text
from banks.simulator.errors import BankError
from banks.simulator.store import Store

CURSOR = re.compile(r"S(\d{1,15})(?:/B(\d{1,15}))?\Z", re.ASCII)
ENDINGS = {"camt.053": "xml", "camt.052": "xml", "mt940": "sta", "mt942": "sta"}
INTRADAY = {"camt.053": "camt.052", "mt940": "mt942"}
MT940_NAME = 54
"""MT940 has room for so much of a counterparty's name; banks cut it off, and so does this one."""


def close_day(db: sqlite3.Connection) -> date:
    """Close the business day: a statement for every customer account, then the next day begins."""
    day = ledger.business_day(db)
    for account in db.execute("SELECT * FROM accounts WHERE kind = 'customer' ORDER BY id").fetchall():
        number = db.execute(
            "SELECT coalesce(max(number), 0) + 1 FROM statements WHERE account = ?", (account["id"],)
        ).fetchone()[0]
        opening = ledger.balance_before(db, account, day)
        closing = ledger.balance_before(db, account, day + timedelta(days=1))
        db.execute(
            "INSERT INTO statements (account, day, number, opening, closing) VALUES (?, ?, ?, ?, ?)",
            (account["id"], day.isoformat(), number, opening, closing),
        )
    ledger.set_business_day(db, day + timedelta(days=1))
    return day


def fetch(store: Store, number: str, *, since: str, limit: int, intraday: bool) -> dict[str, Any]:
    """Statement files of an account after cursor `since` ("" is the beginning).

    Raises BankError for an unknown account or a cursor this bank did not hand out.
    """
    last, last_leg = _read_cursor(since)
    with store.read() as db:
        account = ledger.get_account(db, number)
        rows = db.execute(
            "SELECT * FROM statements WHERE account = ? AND number > ? ORDER BY number LIMIT ?",
            (account["id"], last, limit + 1),
        ).fetchall()
        more, rows = len(rows) > limit, rows[:limit]
        files, unwritten = [], {}
        for row in rows:
            content = row["content"]
            if content is None:
                content = unwritten[row["id"]] = _write(db, account, row)
            files.append(_file(account, account["format"], row["day"], content))
            last, last_leg = row["number"], 0
        if intraday and not more:
            newest = _newest_leg(db, account)
            if newest > last_leg:
                content = _write_intraday(db, account, last + 1)
                label = f"{ledger.business_day(db)}-intraday-{newest}"
                files.append(_file(account, INTRADAY[account["format"]], label, content))
                last_leg = newest
    if unwritten:
        with store.write() as db:
            db.executemany(
                "UPDATE statements SET content = ? WHERE id = ? AND content IS NULL",
                [(content, row_id) for row_id, content in unwritten.items()],
            )
    cursor = f"S{last}/B{last_leg}" if last_leg else f"S{last}"
    return {"account": number, "files": files, "cursor": cursor, "more": more}


def _read_cursor(cursor: str) -> tuple[int, int]:
    found = CURSOR.match(cursor or "S0")
    if found is None:
        raise BankError(400, "BAD_CURSOR", f"Cursor {cursor[:40]!r} is not one this bank handed out.")
    return int(found[1]), int(found[2] or 0)


def _file(account: sqlite3.Row, format: str, label: str, content: bytes) -> dict[str, str]:
    return {
        "name": f"{account['number']}-{label}.{ENDINGS[format]}",
        "format": format,
        "content": base64.b64encode(content).decode(),
    }


def _newest_leg(db: sqlite3.Connection, account: sqlite3.Row) -> int:
    row = db.execute(
        "SELECT coalesce(max(id), 0) FROM legs WHERE account = ? AND booked_on = ?",
        (account["id"], ledger.business_day(db).isoformat()),
    ).fetchone()
    return int(row[0])


def _write(db: sqlite3.Connection, account: sqlite3.Row, row: sqlite3.Row) -> bytes:
    day = date.fromisoformat(row["day"])
    return _bytes(
        account,
        Statement(
            account=_identity(account),
            currency=account["currency"],
            number=str(row["number"]),
            opening=_dated(account, row["opening"], day),
            closing=_dated(account, row["closing"], day),
            entries=_entries(db, account, day),
        ),
    )


def _write_intraday(db: sqlite3.Connection, account: sqlite3.Row, number: int) -> bytes:
    day = ledger.business_day(db)
    return _bytes(
        account,
        Statement(
            account=_identity(account),
            currency=account["currency"],
            number=str(number),
            opening=_dated(account, ledger.balance_before(db, account, day), day),
            closing=_dated(account, ledger.balance(db, account), day),
            entries=_entries(db, account, day),
            intraday=True,
        ),
    )


def _bytes(account: sqlite3.Row, statement: Statement) -> bytes:
    if account["format"] == "mt940":
        return mt940.write([statement])
    return camt053.write([statement], message="052" if statement.intraday else "053")


def _identity(account: sqlite3.Row) -> AccountIdentity:
    return AccountIdentity(
        number=account["number"],
        currency=account["currency"],
        bank_code=account["bank_code"],
        name=account["name"],
    )


def _dated(account: sqlite3.Row, minor: int, day: date) -> DatedAmount:
    return DatedAmount(amount=Decimal(to_text(minor, account["currency"])), on=day)


def _entries(db: sqlite3.Connection, account: sqlite3.Row, day: date) -> tuple[Entry, ...]:
    rows = db.execute(
        "SELECT legs.*, bookings.kind, bookings.bank_reference, bookings.text, bookings.code, "
        "bookings.end_to_end, bookings.return_reason FROM legs "
        "JOIN bookings ON bookings.id = legs.booking "
        "WHERE legs.account = ? AND legs.booked_on = ? ORDER BY legs.id",
        (account["id"], day.isoformat()),
    )
    room = MT940_NAME if account["format"] == "mt940" else None
    return tuple(
        Entry(
            amount=Decimal(to_text(row["amount"], row["currency"])),
            currency=row["currency"],
            booked_on=day,
            value_on=day,
            reference=row["end_to_end"],
            bank_reference=row["bank_reference"],
            counterparty=Party(
                name=row["party_name"][:room].strip(),
                account=row["party_account"],
                bank_code=row["party_bank"],
            ),
            text=row["text"],
            code="" if row["kind"] == "return" else row["code"],
            return_reason=row["return_reason"],
            position=place,
        )
        for place, row in enumerate(rows, start=1)
    )
