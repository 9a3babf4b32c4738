"""Payments at the simulated bank: accept, hold, book, reject, return.

A reference is accepted once, for ever: a repeat with the same content answers with the state of
the first, other content under it is refused with DUPLICATE and changes nothing. Every function
works inside the caller's transaction. What is odd about an order is decided by `orders`; which
payments misbehave is decided by the caller and handed in as a `Treatment`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from banks.simulator import ledger
from banks.simulator.clock import at_bank
from banks.simulator.errors import BankError
from banks.simulator.ledger import Leg
from banks.simulator.orders import Order, Refusal, check_order

HOLDS = {"delay": "PROCESSING", "processing": "PROCESSING", "bank_approval": "BANK_APPROVAL"}
RETURN_TEXT = "Returned by the receiving bank: account and name do not agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one payment is to be treated instead of being booked at once."""

    reject: tuple[str, str] | None = None
    hold: str = ""
    hold_seconds: float | None = None
    hold_queries: int | None = None
    returns: bool = False
    return_seconds: float | None = None
    return_queries: int | None = None
    return_code: str = "AC01"
    return_text: str = RETURN_TEXT


def find(db: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    row = db.execute("SELECT * FROM payments WHERE reference = ?", (reference,)).fetchone()
    return row if isinstance(row, sqlite3.Row) else None


def accept(
    db: sqlite3.Connection, order: Order, *, treat: Callable[[Order], Treatment], now: float
) -> sqlite3.Row | Refusal:
    """Record a payment that is new to this bank and book it, unless treated otherwise.

    `treat` is asked only for a payment that would otherwise be booked. Gives the payment's row;
    for a repeat the row as it is by now. A Refusal means that nothing was recorded under the
    reference by this order.
    """
    first = find(db, order.reference)
    if first is not None:
        if first["content"] == order.content:
            return first
        return Refusal("DUPLICATE", f"Reference {order.reference} was used before for another payment.")
    day = ledger.business_day(db)
    refusal = check_order(db, order, day)
    if refusal is not None and not refusal.recorded:
        return refusal
    _record(db, order, day=day, now=now)
    treatment = treat(order) if refusal is None else Treatment()
    if treatment.reject is not None:
        refusal = Refusal(*treatment.reject)
    if refusal is not None:
        _move(db, order.reference, "REJECTED", refusal.code, refusal.text, now)
    else:
        _plan(db, order, treatment, day=day, now=now)
    return _get(db, order.reference)


def _record(db: sqlite3.Connection, order: Order, *, day: date, now: float) -> None:
    debtor = ledger.find_account(db, order.debtor_account)
    number = int(db.execute("SELECT coalesce(max(rowid), 0) + 1 FROM payments").fetchone()[0])
    db.execute(
        "INSERT INTO payments (reference, content, debtor, amount, currency, requested_on, state, code, "
        "text, bank_reference, changed_at) VALUES (?, ?, ?, ?, ?, ?, 'PROCESSING', '', 'Received', ?, ?)",
        (
            order.reference,
            order.content,
            debtor["id"] if debtor else None,
            order.minor,
            order.currency,
            order.requested_on,
            f"P{day:%y%m%d}{number:09d}",
            at_bank(day, now),
        ),
    )


def _plan(db: sqlite3.Connection, order: Order, treatment: Treatment, *, day: date, now: float) -> None:
    """Book now, or write down what the payment waits for."""
    if treatment.returns:
        db.execute(
            "UPDATE payments SET return_at = ?, return_queries = ?, return_on = ?, return_code = ?, "
            "return_text = ? WHERE reference = ?",
            (
                None if treatment.return_seconds is None else now + treatment.return_seconds,
                treatment.return_queries,
                day.isoformat(),
                treatment.return_code,
                treatment.return_text,
                order.reference,
            ),
        )
    if treatment.hold:
        db.execute(
            "UPDATE payments SET hold = ?, due_at = ?, queries_left = ? WHERE reference = ?",
            (
                treatment.hold,
                None if treatment.hold_seconds is None else now + treatment.hold_seconds,
                treatment.hold_queries,
                order.reference,
            ),
        )
        text = "Waiting for approval at the bank" if treatment.hold == "bank_approval" else "In processing"
        _move(db, order.reference, HOLDS[treatment.hold], "", text, now)
    elif order.requested_on > day.isoformat():
        db.execute("UPDATE payments SET hold = 'future' WHERE reference = ?", (order.reference,))
        _move(
            db, order.reference, "PROCESSING", "FUTURE_DATED", f"Will be booked on {order.requested_on}", now
        )
    else:
        book_payment(db, _get(db, order.reference), now=now)


def book_payment(db: sqlite3.Connection, payment: sqlite3.Row, *, now: float) -> None:
    """Move the money of an accepted payment, or reject it when the funds are not there."""
    order = Order.from_content(payment["content"])
    debtor = ledger.get_account(db, order.debtor_account)
    amount = int(payment["amount"])
    if ledger.available(db, debtor) < amount:
        _move(db, order.reference, "REJECTED", "INSUFFICIENT_FUNDS", "The available balance is too low", now)
        return
    payee = ledger.find_account(db, order.creditor_account)
    if payee is not None and order.creditor_bank_code not in ("", payee["bank_code"]):
        payee = None
    legs = (
        Leg(
            account=debtor,
            amount=-amount,
            party_name=order.creditor_name,
            party_account=order.creditor_account,
            party_bank=order.creditor_bank_code,
        ),
        Leg(
            account=payee or ledger.settlement_account(db, order.currency),
            amount=amount,
            party_name=debtor["name"],
            party_account=order.debtor_account,
            party_bank=debtor["bank_code"],
        ),
    )
    ledger.book(
        db,
        reference=f"PAY:{order.reference}",
        kind="payment",
        legs=legs,
        text=order.purpose,
        now=now,
        payment=order.reference,
        bank_reference=payment["bank_reference"],
        end_to_end=order.reference,
    )
    _move(db, order.reference, "BOOKED", "", "Booked", now)


def return_payment(db: sqlite3.Connection, reference: str, *, code: str, text: str, now: float) -> None:
    """Book a booked payment's money back (退票). Raises BankError when it is not booked."""
    payment = find(db, reference)
    if payment is None or payment["state"] != "BOOKED":
        state = "unknown" if payment is None else payment["state"]
        raise BankError(400, "NOT_BOOKED", f"Payment {reference} is {state}; only a BOOKED one is returned.")
    sent = db.execute(
        "SELECT legs.*, accounts.number, accounts.currency AS account_currency FROM legs "
        "JOIN bookings ON bookings.id = legs.booking JOIN accounts ON accounts.id = legs.account "
        "WHERE bookings.payment = ? AND bookings.kind = 'payment' ORDER BY legs.id",
        (reference,),
    ).fetchall()
    legs = [
        Leg(
            account=db.execute("SELECT * FROM accounts WHERE id = ?", (leg["account"],)).fetchone(),
            amount=-leg["amount"],
            party_name=leg["party_name"],
            party_account=leg["party_account"],
            party_bank=leg["party_bank"],
        )
        for leg in sent
    ]
    ledger.book(
        db,
        reference=f"RET:{reference}",
        kind="return",
        legs=legs,
        text=f"退票 {reference}: {text}",
        now=now,
        payment=reference,
        code=code,
        end_to_end=reference,
        return_reason=code,
    )
    _move(db, reference, "RETURNED", code, text, now)


def settle_due(db: sqlite3.Connection, *, now: float) -> None:
    """Do what time has brought: book delayed and future-dated payments, send back returns."""
    day = ledger.business_day(db).isoformat()
    due = db.execute(
        "SELECT * FROM payments WHERE due_at <= ? UNION ALL "
        "SELECT * FROM payments WHERE hold = 'future' AND requested_on <= ?",
        (now, day),
    ).fetchall()
    for payment in due:
        release(db, payment, now=now)
    for payment in db.execute(
        "SELECT * FROM payments WHERE return_at <= ? AND state = 'BOOKED'", (now,)
    ).fetchall():
        _return_as_planned(db, payment, now=now)


def anything_due(db: sqlite3.Connection, *, now: float) -> bool:
    """Whether `settle_due` would find work; cheap, for the ticker."""
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM payments WHERE due_at <= ?) "
        "OR EXISTS (SELECT 1 FROM payments WHERE return_at <= ? AND state = 'BOOKED')",
        (now, now),
    ).fetchone()
    return bool(row[0])


def return_at_close(db: sqlite3.Connection, closed: date, *, now: float) -> None:
    """Send back what was planned to return once the day of its acceptance closed."""
    rows = db.execute(
        "SELECT * FROM payments WHERE return_on <= ? AND return_at IS NULL AND return_queries IS NULL "
        "AND state = 'BOOKED'",
        (closed.isoformat(),),
    ).fetchall()
    for payment in rows:
        _return_as_planned(db, payment, now=now)


def release(
    db: sqlite3.Connection,
    payment: sqlite3.Row,
    *,
    now: float,
    reject: tuple[str, str] | None = None,
) -> None:
    """End the wait of a held payment: reject it, or book it (on its day, when that is still to come)."""
    db.execute(
        "UPDATE payments SET hold = '', due_at = NULL, queries_left = NULL WHERE reference = ?",
        (payment["reference"],),
    )
    day = ledger.business_day(db).isoformat()
    if reject is not None:
        _move(db, payment["reference"], "REJECTED", *reject, now)
    elif payment["requested_on"] > day:
        db.execute("UPDATE payments SET hold = 'future' WHERE reference = ?", (payment["reference"],))
        text = f"Will be booked on {payment['requested_on']}"
        _move(db, payment["reference"], "PROCESSING", "FUTURE_DATED", text, now)
    else:
        book_payment(db, payment, now=now)


def held(db: sqlite3.Connection, reference: str | None) -> list[sqlite3.Row]:
    """Payments waiting for a release (all, or the one of `reference`)."""
    return db.execute(
        "SELECT * FROM payments WHERE hold <> '' AND (? IS NULL OR reference = ?) ORDER BY rowid",
        (reference, reference),
    ).fetchall()


def note_query(db: sqlite3.Connection, reference: str, *, now: float) -> sqlite3.Row | None:
    """A payment as an enquiry finds it; an enquiry may be what a held payment was waiting for."""
    payment = find(db, reference)
    if payment is None:
        return None
    if payment["hold"] and payment["queries_left"] is not None:
        if payment["queries_left"] <= 0:
            release(db, payment, now=now)
        else:
            db.execute(
                "UPDATE payments SET queries_left = queries_left - 1 WHERE reference = ?", (reference,)
            )
    elif payment["state"] == "BOOKED" and payment["return_queries"] is not None:
        if payment["return_queries"] <= 0:
            _return_as_planned(db, payment, now=now)
        else:
            db.execute(
                "UPDATE payments SET return_queries = return_queries - 1 WHERE reference = ?", (reference,)
            )
    return find(db, reference)


def _return_as_planned(db: sqlite3.Connection, payment: sqlite3.Row, *, now: float) -> None:
    return_payment(
        db, payment["reference"], code=payment["return_code"], text=payment["return_text"], now=now
    )


def _get(db: sqlite3.Connection, reference: str) -> sqlite3.Row:
    row = find(db, reference)
    if row is None:
        raise RuntimeError(f"Payment {reference} vanished inside its own transaction.")
    return row


def _move(db: sqlite3.Connection, reference: str, state: str, code: str, text: str, now: float) -> None:
    db.execute(
        "UPDATE payments SET state = ?, code = ?, text = ?, changed_at = ? WHERE reference = ?",
        (state, code, text, at_bank(ledger.business_day(db), now), reference),
    )
