"""The control side of the simulated bank: what a tester or a demo may order it to do.

Each function takes the bank and the decoded JSON and gives what is answered. Paths are listed
in `ROUTES`; the same key signs them as signs payments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from typing import Any

from banks.simulator import ledger, payments
from banks.simulator.bank import Bank
from banks.simulator.clock import instant_text
from banks.simulator.currencies import AmountError, to_minor
from banks.simulator.errors import BankError
from banks.simulator.faults import Rule
from banks.simulator.ledger import Leg
from banks.simulator.orders import IDENTIFIER, is_plain

Json = dict[str, Any]


def open_account(bank: Bank, data: Json) -> Json:
    """Open an account: number, currency, and optionally opening, name, bank_code, format."""
    currency = _text(data, "currency")
    with bank.store.write() as db:
        ledger.open_account(
            db,
            number=_text(data, "number"),
            currency=currency,
            opening=_amount(data.get("opening", "0"), currency),
            name=_text(data, "name", "", limit=70),
            bank_code=_identifier(data, "bank_code", limit=14) or bank.settings.bank_code,
            format=_text(data, "format", "camt.053"),
            now=bank.clock.now(),
        )
        return ledger.describe_balance(db, data["number"], bank.clock.now())


def add_fault(bank: Bank, data: Json) -> Json:
    """Put a fault rule in force; its fields are those of `faults.Rule`."""
    rule = Rule.read(data)
    with bank.store.write() as db:
        return {"id": bank.faults.add(db, rule)}


def list_faults(bank: Bank, data: Json) -> Json:
    return {"faults": bank.faults.listing()}


def clear_faults(bank: Bank, data: Json) -> Json:
    """Clear the fault of `id`, or all."""
    with bank.store.write() as db:
        bank.faults.clear(db, data.get("id"))
    return list_faults(bank, data)


def release_payments(bank: Bank, data: Json) -> Json:
    """End the wait of held payments (of `reference`, or all): `outcome` is "book" or "reject"."""
    outcome = _text(data, "outcome", "book")
    if outcome not in ("book", "reject"):
        raise BankError(400, "MALFORMED", f"Outcome {outcome!r} is neither 'book' nor 'reject'.")
    reject = (_text(data, "code", "AC01"), _text(data, "text", "Refused at the bank"))
    with bank.store.write() as db:
        held = payments.held(db, data.get("reference"))
        for payment in held:
            payments.release(
                db, payment, now=bank.clock.now(), reject=reject if outcome == "reject" else None
            )
    return {"released": [payment["reference"] for payment in held]}


def set_clock(bank: Bank, data: Json) -> Json:
    """Set the wire clock: `advance_seconds` adds, `offset_seconds` sets its lead over the machine."""
    try:
        offset = float(data.get("offset_seconds", bank.clock.offset_seconds))
        bank.set_clock(offset + float(data.get("advance_seconds", 0)))
    except (TypeError, ValueError):
        raise BankError(400, "MALFORMED", "Clock seconds must be numbers.") from None
    bank.tick()
    return {"now": instant_text(bank.clock.now()), "offset_seconds": bank.clock.offset_seconds}


def close_days(bank: Bank, data: Json) -> Json:
    """Close business days: `days` (1 when not said), or up to the date `to`."""
    try:
        to = date.fromisoformat(data["to"]) if "to" in data else None
        day = bank.close_days(days=int(data.get("days", 1)), to=to)
    except (TypeError, ValueError):
        raise BankError(400, "MALFORMED", "`days` is a whole number and `to` a date YYYY-MM-DD.") from None
    return {"business_day": day.isoformat()}


def tell_day(bank: Bank, data: Json) -> Json:
    with bank.store.read() as db:
        return {"business_day": ledger.business_day(db).isoformat()}


def inject_entries(bank: Bank, data: Json) -> Json:
    """Book money from or to the outside world: `entries` of account, amount (credit positive), …

    Optional for each: party_name, party_account, party_bank_code, text, code, reference. Funds
    are not asked for: a bank takes its fees.
    """
    entries = data.get("entries")
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise BankError(400, "MALFORMED", "`entries` must be a list of objects.")
    with bank.store.write() as db:
        now = bank.clock.now()
        return {"bank_references": [_inject(db, entry, now) for entry in entries]}


def _inject(db: sqlite3.Connection, entry: Json, now: float) -> str:
    account = ledger.get_account(db, _text(entry, "account"))
    amount = _amount(entry.get("amount"), account["currency"])
    if amount == 0:
        raise BankError(400, "BAD_AMOUNT", "An entry of zero is not booked.")
    own = Leg(
        account=account,
        amount=amount,
        party_name=_text(entry, "party_name", ""),
        party_account=_identifier(entry, "party_account", limit=34),
        party_bank=_identifier(entry, "party_bank_code", limit=35),
    )
    other = Leg(account=ledger.settlement_account(db, account["currency"]), amount=-amount)
    number = db.execute("SELECT coalesce(max(id), 0) + 1 FROM bookings").fetchone()[0]
    return ledger.book(
        db,
        reference=f"ENT:{number}",
        kind="entry",
        legs=(own, other),
        text=_text(entry, "text", ""),
        code=_text(entry, "code", "", limit=35),
        end_to_end=_text(entry, "reference", "", limit=35),
        now=now,
    )


def return_payment(bank: Bank, data: Json) -> Json:
    """Return a booked payment (退票): `reference`, and optionally `code` and `text`."""
    with bank.store.write() as db:
        payments.return_payment(
            db,
            _text(data, "reference"),
            code=_text(data, "code", "AC01", limit=35),
            text=_text(data, "text", payments.RETURN_TEXT),
            now=bank.clock.now(),
        )
    return {"returned": data["reference"]}


def freeze(bank: Bank, data: Json) -> Json:
    """Set the frozen amount of an account (冻结); zero lifts it."""
    with bank.store.write() as db:
        account = ledger.get_account(db, _text(data, "account"))
        amount = _amount(data.get("amount"), account["currency"])
        ledger.freeze(db, number=account["number"], amount=amount)
        return ledger.describe_balance(db, account["number"], bank.clock.now())


ROUTES: dict[tuple[str, str], Callable[[Bank, Json], Json]] = {
    ("POST", "/control/accounts"): open_account,
    ("POST", "/control/faults"): add_fault,
    ("GET", "/control/faults"): list_faults,
    ("POST", "/control/faults/clear"): clear_faults,
    ("POST", "/control/clock"): set_clock,
    ("POST", "/control/day"): close_days,
    ("GET", "/control/day"): tell_day,
    ("POST", "/control/entries"): inject_entries,
    ("POST", "/control/returns"): return_payment,
    ("POST", "/control/freeze"): freeze,
}


def _text(data: Json, name: str, default: str | None = None, *, limit: int = 140) -> str:
    value = data.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise BankError(400, "MALFORMED", f"Field {name} must be a text.")
    if len(value) > limit or not is_plain(value):
        raise BankError(400, "MALFORMED", f"Field {name} must be a plain text of at most {limit} characters.")
    return value.strip()


def _identifier(data: Json, name: str, *, limit: int) -> str:
    """An account number or bank code, or "" when not given."""
    value = _text(data, name, "", limit=limit)
    if value and not IDENTIFIER.match(value):
        raise BankError(400, "MALFORMED", f"Field {name} has letters, digits and . / - only, not {value!r}.")
    return value


def _amount(value: Any, currency: str) -> int:
    try:
        return to_minor(value, currency)
    except AmountError as error:
        raise BankError(400, "BAD_AMOUNT", str(error)) from None
