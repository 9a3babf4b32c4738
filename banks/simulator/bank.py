"""The simulated bank as a whole: its store, clock, rules of misbehaviour, and what it answers.

The rule that makes "no record" provable: a payment message is processed only while it is not
older, by its signed timestamp, than the received window. The check is made inside the very
transaction that books, after the writer's place is taken, and an enquiry takes the same place:
so an enquiry made after the window closed has seen all that this message will ever do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from banks.simulator import ledger, payments, statements
from banks.simulator.clock import Clock, instant_text
from banks.simulator.currencies import to_text
from banks.simulator.errors import BankError
from banks.simulator.faults import Faults
from banks.simulator.orders import Order, Refusal
from banks.simulator.store import Store, get_meta, set_meta

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the bank is started with."""

    bank_code: str = "SIMUCNSH"
    received_window_seconds: float = 60.0
    message_limit: int = 500
    business_day: date | None = None
    follow_clock: bool = True


class Bank:
    """One open bank. Thread-safe: every act is one transaction of the store."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(path)
        with self.store.write() as db:
            self.clock = Clock(float(get_meta(db, "clock_offset") or 0))
            if get_meta(db, "business_day") is None:
                ledger.set_business_day(db, settings.business_day or self.clock.today())
            self.faults = Faults(db)

    def close(self) -> None:
        self.store.close()

    def take_payments(
        self, orders: Sequence[Order], *, sent: float, up_to: str | None = None
    ) -> dict[str, Any]:
        """Process a payment message signed for the instant `sent`; `up_to` stops after that reference.

        Raises BankError EXPIRED, with nothing processed, when the received window is over.
        """
        window = self.settings.received_window_seconds
        if len(orders) > self.settings.message_limit:
            text = f"A message carries at most {self.settings.message_limit} payments, not {len(orders)}."
            raise BankError(400, "TOO_MANY", text)
        reports = []
        with self.store.write() as db:
            now = self.clock.now()
            if now - sent > window:
                text = f"The message is {now - sent:.1f} s old; payments are taken for {window:g} s."
                raise BankError(400, "EXPIRED", text)
            payments.settle_due(db, now=now)
            for order in orders:
                result = payments.accept(db, order, treat=self.faults.for_payment, now=now)
                reports.append(_report(order.reference, result, now))
                if order.reference == up_to:
                    break
            if self.faults.any:
                self.faults.save(db)
        return self._reports(reports, now)

    def query(self, references: Sequence[str]) -> dict[str, Any]:
        """The state of each reference, NO_RECORD where there is none."""
        with self.store.write() as db:
            now = self.clock.now()
            payments.settle_due(db, now=now)
            reports = [_report(r, payments.note_query(db, r, now=now), now) for r in references]
        return self._reports(reports, now)

    def _reports(self, reports: list[dict[str, str]], now: float) -> dict[str, Any]:
        window = self.settings.received_window_seconds
        return {"answered_at": instant_text(now), "received_window_seconds": window, "reports": reports}

    def accounts(self) -> dict[str, Any]:
        now = self.clock.now()
        with self.store.read() as db:
            rows = db.execute("SELECT * FROM accounts WHERE kind = 'customer' ORDER BY id").fetchall()
            day = ledger.business_day(db)
        names = ("number", "currency", "name", "bank_code", "format")
        return {
            "answered_at": instant_text(now),
            "business_day": day.isoformat(),
            "accounts": [{name: row[name] for name in names} for row in rows],
        }

    def balance(self, number: str) -> dict[str, Any]:
        with self.store.read() as db:
            return ledger.describe_balance(db, number, self.clock.now())

    def statements(self, number: str, *, since: str, limit: int, intraday: bool) -> dict[str, Any]:
        return statements.fetch(self.store, number, since=since, limit=limit, intraday=intraday)

    def returns(self, since: str) -> dict[str, Any]:
        """Returns after cursor `since`, oldest first, a page at a time."""
        if since and not (since.isascii() and since.isdigit() and len(since) < 16):
            raise BankError(400, "BAD_CURSOR", f"Cursor {since[:40]!r} is not one this bank handed out.")
        now = self.clock.now()
        with self.store.read() as db:
            rows = db.execute(
                "SELECT bookings.id, bookings.booked_at, bookings.bank_reference, payments.reference, "
                "payments.code, payments.text, payments.amount, payments.currency FROM bookings "
                "JOIN payments ON payments.reference = bookings.payment "
                "WHERE bookings.kind = 'return' AND bookings.id > ? ORDER BY bookings.id LIMIT ?",
                (int(since or 0), PAGE + 1),
            ).fetchall()
        more, rows = len(rows) > PAGE, rows[:PAGE]
        return {
            "answered_at": instant_text(now),
            "returns": [_returned(row) for row in rows],
            "cursor": str(rows[-1]["id"]) if rows else since or "0",
            "more": more,
        }

    def close_days(self, *, days: int = 1, to: date | None = None) -> date:
        """Close business days one by one, until `to` when given. Gives the new business day."""
        while True:
            with self.store.write() as db:
                day = ledger.business_day(db)
                if (to is not None and day >= to) or (to is None and days <= 0):
                    return day
                now = self.clock.now()
                payments.settle_due(db, now=now)
                closed = statements.close_day(db)
                payments.return_at_close(db, closed, now=now)
                payments.settle_due(db, now=now)
            days -= 1

    def tick(self) -> None:
        """Do what is due by now; called often."""
        now = self.clock.now()
        with self.store.read() as db:
            due = payments.anything_due(db, now=now)
            day = ledger.business_day(db)
        if self.settings.follow_clock and day < self.clock.today():
            self.close_days(to=self.clock.today())
        if due:
            with self.store.write() as db:
                payments.settle_due(db, now=self.clock.now())

    def set_clock(self, offset_seconds: float) -> None:
        """Set how far the wire clock is ahead of the machine's."""
        with self.store.write() as db:
            set_meta(db, "clock_offset", repr(offset_seconds))
            self.clock.set_offset(offset_seconds)


def _report(reference: str, result: sqlite3.Row | Refusal | None, now: float) -> dict[str, str]:
    if isinstance(result, sqlite3.Row):
        return {
            "reference": reference,
            "state": result["state"],
            "code": result["code"],
            "text": result["text"],
            "bank_reference": result["bank_reference"],
            "at": result["changed_at"],
        }
    state, code, text = "NO_RECORD", "", "This bank has no payment of that reference"
    if result is not None:
        state, code, text = "REFUSED", result.code, result.text
    return {
        "reference": reference,
        "state": state,
        "code": code,
        "text": text,
        "bank_reference": "",
        "at": instant_text(now),
    }


def _returned(row: sqlite3.Row) -> dict[str, str]:
    return {
        "reference": row["reference"],
        "state": "RETURNED",
        "code": row["code"],
        "text": row["text"],
        "bank_reference": row["bank_reference"],
        "at": row["booked_at"],
        "amount": to_text(row["amount"], row["currency"]),
        "currency": row["currency"],
    }
