"""The simulated bank's store: one SQLite file, one writer at a time, short transactions.

The schema itself keeps the books: legs of a booking sum to zero in each currency, a booking is
sealed once written, nothing booked is ever changed or deleted, a reference is booked once. A
process killed at any moment leaves either a whole transaction or none of it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, currency TEXT NOT NULL, name TEXT NOT NULL,
  bank_code TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('customer', 'internal')),
  format TEXT NOT NULL, opened_on TEXT NOT NULL,
  frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen >= 0), balance INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS payments (
  reference TEXT PRIMARY KEY, content TEXT NOT NULL, debtor INTEGER REFERENCES accounts (id),
  amount INTEGER, currency TEXT NOT NULL, requested_on TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('PROCESSING', 'BANK_APPROVAL', 'BOOKED', 'REJECTED', 'RETURNED')),
  code TEXT NOT NULL, text TEXT NOT NULL, bank_reference TEXT NOT NULL, changed_at TEXT NOT NULL,
  hold TEXT NOT NULL DEFAULT '', due_at REAL, queries_left INTEGER,
  return_at REAL, return_queries INTEGER, return_on TEXT, return_code TEXT NOT NULL DEFAULT '',
  return_text TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payments_return ON payments (return_at) WHERE return_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payments_future ON payments (requested_on) WHERE hold = 'future';
CREATE INDEX IF NOT EXISTS payments_held ON payments (hold) WHERE hold <> '';
CREATE TABLE IF NOT EXISTS bookings (
  id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('opening', 'payment', 'return', 'entry')),
  payment TEXT REFERENCES payments (reference), bank_reference TEXT NOT NULL UNIQUE,
  booked_on TEXT NOT NULL, booked_at TEXT NOT NULL, text TEXT NOT NULL, code TEXT NOT NULL,
  end_to_end TEXT NOT NULL, return_reason TEXT NOT NULL,
  CHECK ((kind IN ('payment', 'return')) = (payment IS NOT NULL)));
CREATE UNIQUE INDEX IF NOT EXISTS bookings_once ON bookings (payment, kind) WHERE payment IS NOT NULL;
CREATE INDEX IF NOT EXISTS bookings_returns ON bookings (id) WHERE kind = 'return';
CREATE TABLE IF NOT EXISTS legs (
  id INTEGER PRIMARY KEY, booking INTEGER NOT NULL REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
  account INTEGER NOT NULL REFERENCES accounts (id), amount INTEGER NOT NULL CHECK (amount <> 0),
  currency TEXT NOT NULL, booked_on TEXT NOT NULL,
  party_name TEXT NOT NULL, party_account TEXT NOT NULL, party_bank TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS legs_booking ON legs (booking);
CREATE INDEX IF NOT EXISTS legs_account ON legs (account, booked_on, id);
CREATE TABLE IF NOT EXISTS statements (
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts (id), day TEXT NOT NULL,
  number INTEGER NOT NULL, opening INTEGER NOT NULL, closing INTEGER NOT NULL, content BLOB,
  UNIQUE (account, day), UNIQUE (account, number));
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY, rule TEXT NOT NULL,
  seen INTEGER NOT NULL DEFAULT 0, fired INTEGER NOT NULL DEFAULT 0);

CREATE TRIGGER IF NOT EXISTS bookings_balance BEFORE INSERT ON bookings
WHEN (SELECT count(*) FROM legs WHERE booking = NEW.id) < 2
  OR EXISTS (SELECT 1 FROM legs WHERE booking = NEW.id GROUP BY currency HAVING sum(amount) <> 0)
  OR EXISTS (SELECT 1 FROM legs WHERE booking = NEW.id AND booked_on <> NEW.booked_on)
BEGIN SELECT RAISE(ABORT, 'legs of a booking sum to zero per currency, on one day'); END;
CREATE TRIGGER IF NOT EXISTS legs_sealed BEFORE INSERT ON legs
WHEN EXISTS (SELECT 1 FROM bookings WHERE id = NEW.booking)
BEGIN SELECT RAISE(ABORT, 'a booking is sealed once written'); END;
CREATE TRIGGER IF NOT EXISTS legs_currency BEFORE INSERT ON legs
WHEN NEW.currency <> (SELECT currency FROM accounts WHERE id = NEW.account)
BEGIN SELECT RAISE(ABORT, 'a leg is in the currency of its account'); END;
CREATE TRIGGER IF NOT EXISTS legs_carry AFTER INSERT ON legs
BEGIN UPDATE accounts SET balance = balance + NEW.amount WHERE id = NEW.account; END;
CREATE TRIGGER IF NOT EXISTS legs_stay BEFORE UPDATE ON legs
BEGIN SELECT RAISE(ABORT, 'legs are never changed'); END;
CREATE TRIGGER IF NOT EXISTS legs_kept BEFORE DELETE ON legs
BEGIN SELECT RAISE(ABORT, 'legs are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS bookings_stay BEFORE UPDATE ON bookings
BEGIN SELECT RAISE(ABORT, 'bookings are never changed'); END;
CREATE TRIGGER IF NOT EXISTS bookings_kept BEFORE DELETE ON bookings
BEGIN SELECT RAISE(ABORT, 'bookings are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS payments_kept BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS payments_final BEFORE UPDATE OF state ON payments
WHEN NEW.state <> OLD.state AND (OLD.state IN ('REJECTED', 'RETURNED')
  OR (OLD.state = 'BOOKED' AND NEW.state <> 'RETURNED'))
BEGIN SELECT RAISE(ABORT, 'a final payment only ever goes from BOOKED to RETURNED'); END;
"""


class Store:
    """The open store. `write()` and `read()` are the only ways in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(SCHEMA)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the writer's place from its first moment to its commit."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A snapshot for reading; writers go on meanwhile."""
        connection = self._connect()
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Wait for the writer in progress, then close."""
        with self._lock:
            self._writer.close()


def get_meta(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


def set_meta(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
