"""The simulated bank's books: accounts, bookings with their legs, balances, the business day.

Amounts are whole minor units; money into an account is positive. Every function works inside
the caller's transaction. What a booking means (a payment, a return) is for `payments`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from banks.simulator.clock import at_bank, instant_text
from banks.simulator.currencies import MINOR_UNITS, to_text
from banks.simulator.errors import BankError
from banks.simulator.store import get_meta, set_meta

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z", re.ASCII)
FORMATS = ("camt.053", "mt940")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One side of a booking on one account, and who stands on the other side of it."""

    account: sqlite3.Row
    amount: int
    party_name: str = ""
    party_account: str = ""
    party_bank: str = ""


def business_day(db: sqlite3.Connection) -> date:
    day = get_meta(db, "business_day")
    if day is None:
        raise RuntimeError("The bank's store has no business day; open it with `Bank`.")
    return date.fromisoformat(day)


def set_business_day(db: sqlite3.Connection, day: date) -> None:
    set_meta(db, "business_day", day.isoformat())


def find_account(db: sqlite3.Connection, number: str) -> sqlite3.Row | None:
    """The customer account of that number, or None."""
    row = db.execute("SELECT * FROM accounts WHERE number = ? AND kind = 'customer'", (number,)).fetchone()
    return row if isinstance(row, sqlite3.Row) else None


def get_account(db: sqlite3.Connection, number: str) -> sqlite3.Row:
    """As `find_account`; raises BankError 404 when there is none."""
    row = find_account(db, number)
    if row is None:
        raise BankError(404, "UNKNOWN_ACCOUNT", f"This bank keeps no account {number!r}.")
    return row


def settlement_account(db: sqlite3.Connection, currency: str) -> sqlite3.Row:
    """The bank's own account towards the outside world in `currency`; made when first needed."""
    number = f"SETTLEMENT-{currency}"
    db.execute(
        "INSERT OR IGNORE INTO accounts (number, currency, name, bank_code, kind, format, opened_on) "
        "VALUES (?, ?, 'Settlement with other banks', '', 'internal', '', ?)",
        (number, currency, business_day(db).isoformat()),
    )
    row: sqlite3.Row = db.execute("SELECT * FROM accounts WHERE number = ?", (number,)).fetchone()
    return row


def open_account(
    db: sqlite3.Connection,
    *,
    number: str,
    currency: str,
    opening: int,
    name: str,
    bank_code: str,
    format: str,
    now: float,
) -> None:
    """Open a customer account; an opening balance is booked on the business day before.

    Raises BankError when the number is taken or the currency or statement format is unknown.
    """
    if currency not in MINOR_UNITS:
        raise BankError(400, "UNKNOWN_CURRENCY", f"Currency {currency!r} is not an ISO 4217 code.")
    if format not in FORMATS:
        raise BankError(400, "UNKNOWN_FORMAT", f"Format {format!r} is not one of {', '.join(FORMATS)}.")
    if not NUMBER.match(number) or len(bank_code) + len(number) > 34:
        text = (
            f"Account {number!r} must be letters, digits or -, at most 34 with its bank code {bank_code!r}."
        )
        raise BankError(400, "FIELD_LENGTH", text)
    if db.execute("SELECT 1 FROM accounts WHERE number = ?", (number,)).fetchone():
        raise BankError(400, "ACCOUNT_EXISTS", f"Account {number} is open already.")
    opened = date.fromordinal(business_day(db).toordinal() - 1)
    db.execute(
        "INSERT INTO accounts (number, currency, name, bank_code, kind, format, opened_on) "
        "VALUES (?, ?, ?, ?, 'customer', ?, ?)",
        (number, currency, name, bank_code, format, opened.isoformat()),
    )
    if opening:
        legs = (
            Leg(account=get_account(db, number), amount=opening),
            Leg(account=settlement_account(db, currency), amount=-opening),
        )
        text = "Opening balance"
        book(db, reference=f"OPEN:{number}", kind="opening", legs=legs, text=text, now=now, on=opened)


def book(
    db: sqlite3.Connection,
    *,
    reference: str,
    kind: str,
    legs: Sequence[Leg],
    text: str,
    now: float,
    on: date | None = None,
    payment: str | None = None,
    bank_reference: str = "",
    code: str = "",
    end_to_end: str = "",
    return_reason: str = "",
) -> str:
    """Write one booking with its legs and give its bank reference.

    The schema refuses legs that do not sum to zero and a reference that is booked already
    (sqlite3.IntegrityError).
    """
    day = on or business_day(db)
    number = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM bookings").fetchone()[0])
    bank_reference = bank_reference or f"B{day:%y%m%d}{number:09d}"
    _write_legs(db, number, legs, day)
    names = "id, reference, kind, payment, bank_reference, booked_on, booked_at, text, code, end_to_end"
    said = (text, code, end_to_end, return_reason)
    db.execute(
        f"INSERT INTO bookings ({names}, return_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (number, reference, kind, payment, bank_reference, day.isoformat(), at_bank(day, now), *said),
    )
    return bank_reference


def _write_legs(db: sqlite3.Connection, booking: int, legs: Sequence[Leg], day: date) -> None:
    db.executemany(
        "INSERT INTO legs (booking, account, amount, currency, booked_on, party_name, party_account, "
        "party_bank) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                booking,
                leg.account["id"],
                leg.amount,
                leg.account["currency"],
                day.isoformat(),
                leg.party_name,
                leg.party_account,
                leg.party_bank,
            )
            for leg in legs
        ],
    )


def balance(db: sqlite3.Connection, account: sqlite3.Row) -> int:
    """The booked balance carried with the account (the schema adds every leg to it)."""
    return int(db.execute("SELECT balance FROM accounts WHERE id = ?", (account["id"],)).fetchone()[0])


def available(db: sqlite3.Connection, account: sqlite3.Row) -> int:
    """Booked balance less what is frozen."""
    row = db.execute("SELECT balance - frozen FROM accounts WHERE id = ?", (account["id"],)).fetchone()
    return int(row[0])


def balance_before(db: sqlite3.Connection, account: sqlite3.Row, day: date) -> int:
    """The booked balance at the close of the day before `day`, from the legs themselves."""
    later = db.execute(
        "SELECT coalesce(sum(amount), 0) FROM legs WHERE account = ? AND booked_on >= ?",
        (account["id"], day.isoformat()),
    ).fetchone()[0]
    return balance(db, account) - int(later)


def freeze(db: sqlite3.Connection, *, number: str, amount: int) -> None:
    """Set (not add) the frozen amount of an account."""
    if amount < 0:
        raise BankError(400, "BAD_AMOUNT", "A frozen amount is zero or more.")
    db.execute("UPDATE accounts SET frozen = ? WHERE id = ?", (amount, get_account(db, number)["id"]))


def describe_balance(db: sqlite3.Connection, number: str, now: float) -> dict[str, str]:
    """The four figures of an account, as the balance service answers them."""
    account, day = get_account(db, number), business_day(db)
    currency = account["currency"]
    return {
        "account": number,
        "currency": currency,
        "bank_code": account["bank_code"],
        "name": account["name"],
        "ledger": to_text(account["balance"], currency),
        "available": to_text(account["balance"] - account["frozen"], currency),
        "frozen": to_text(account["frozen"], currency),
        "previous_day": to_text(balance_before(db, account, day), currency),
        "as_of": at_bank(day, now),
        "answered_at": instant_text(now),
    }
