"""The whole truth of the simulated bank, read from the stored legs: what tests compare against."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from banks.simulator.currencies import to_text
from banks.simulator.ledger import business_day


def whole_ledger(db: sqlite3.Connection) -> dict[str, Any]:
    """Every account, booking and payment. Balances and counts come from the legs, not from states."""
    bookings = _bookings(db)
    return {
        "business_day": business_day(db).isoformat(),
        "accounts": _accounts(db),
        "bookings": bookings,
        "payments": _payments(db),
    }


def _accounts(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT accounts.*, "
        "(SELECT coalesce(sum(amount), 0) FROM legs WHERE account = accounts.id) AS total, "
        "(SELECT coalesce(sum(amount), 0) FROM legs JOIN bookings ON bookings.id = legs.booking "
        " WHERE account = accounts.id AND bookings.kind = 'opening') AS opened FROM accounts ORDER BY id"
    )
    return [
        {
            "number": row["number"],
            "kind": row["kind"],
            "currency": row["currency"],
            "name": row["name"],
            "bank_code": row["bank_code"],
            "format": row["format"],
            "opening": to_text(row["opened"], row["currency"]),
            "balance": to_text(row["total"], row["currency"]),
            "carried_balance": to_text(row["balance"], row["currency"]),
            "frozen": to_text(row["frozen"], row["currency"]),
        }
        for row in rows
    ]


def _bookings(db: sqlite3.Connection) -> list[dict[str, Any]]:
    legs: dict[int, list[dict[str, str]]] = {}
    for row in db.execute(
        "SELECT legs.*, accounts.number FROM legs "
        "JOIN accounts ON accounts.id = legs.account ORDER BY legs.id"
    ):
        legs.setdefault(row["booking"], []).append(
            {
                "account": row["number"],
                "amount": to_text(row["amount"], row["currency"]),
                "currency": row["currency"],
            }
        )
    return [
        {
            "reference": row["reference"],
            "kind": row["kind"],
            "payment": row["payment"],
            "bank_reference": row["bank_reference"],
            "booked_on": row["booked_on"],
            "booked_at": row["booked_at"],
            "text": row["text"],
            "legs": legs.get(row["id"], []),
        }
        for row in db.execute("SELECT * FROM bookings ORDER BY id")
    ]


def _payments(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT payments.*, "
        "(SELECT count(*) FROM bookings WHERE payment = payments.reference AND kind = 'payment') AS times, "
        "(SELECT count(*) FROM bookings WHERE payment = payments.reference AND kind = 'return') AS back "
        "FROM payments ORDER BY rowid"
    )
    return [
        {
            **json.loads(row["content"]),
            "state": row["state"],
            "code": row["code"],
            "text": row["text"],
            "hold": row["hold"],
            "bank_reference": row["bank_reference"],
            "times_booked": row["times"],
            "times_returned": row["back"],
        }
        for row in rows
    ]
