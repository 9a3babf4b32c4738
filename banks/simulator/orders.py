"""Payment orders as the simulated bank reads them off the wire, and what it objects to.

`Order.read` checks the shape (a wrong shape refuses the whole message); `check_order` checks
the business of one order against the books and gives the reason of refusal, if any.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any
from unicodedata import category

from banks.simulator import ledger
from banks.simulator.currencies import AmountError, to_minor
from banks.simulator.errors import BankError

REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,34}\Z", re.ASCII)
IDENTIFIER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ./-]*[A-Za-z0-9])?\Z", re.ASCII)
"""What an account number or bank code may look like, at this bank or another."""
LENGTHS = {
    "debtor_account": 34,
    "creditor_account": 34,
    "creditor_name": 140,
    "creditor_bank_code": 35,
    "purpose": 140,
}
REQUIRED = ("debtor_account", "creditor_account", "creditor_name")


def is_plain(text: str) -> bool:
    """Whether a text has only characters that a statement can carry: no control characters."""
    return all(category(c) not in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") for c in text)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order is refused; `recorded` when the bank keeps it as a rejected payment."""

    code: str
    text: str
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order with the fields of the wire, unchanged."""

    reference: str
    debtor_account: str
    creditor_account: str
    creditor_name: str
    creditor_bank_code: str
    amount: str
    currency: str
    requested_on: str
    purpose: str
    urgent: bool

    @classmethod
    def read(cls, item: Any) -> Order:
        """An order from decoded JSON. Raises BankError 400 naming the field that is wrong."""
        if not isinstance(item, dict):
            raise BankError(400, "MALFORMED", "Each payment must be a JSON object.")
        names = {f.name for f in fields(cls)}
        if set(item) != names:
            odd = ", ".join(sorted(set(item) ^ names))
            raise BankError(400, "MALFORMED", f"A payment has fields missing or unknown: {odd}.")
        for name, value in item.items():
            if not isinstance(value, bool if name == "urgent" else str):
                raise BankError(400, "MALFORMED", f"Field {name} has the wrong type.")
        return cls(**item)

    @classmethod
    def from_content(cls, content: str) -> Order:
        return cls(**json.loads(content))

    @property
    def content(self) -> str:
        """Canonical text; two orders are the same exactly when this is."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def minor(self) -> int | None:
        """The amount in minor units, None when it is not an amount in its currency."""
        try:
            return to_minor(self.amount, self.currency)
        except AmountError:
            return None


def check_order(db: sqlite3.Connection, order: Order, day: date) -> Refusal | None:
    """The first objection to `order` on business day `day`, or None."""
    if not REFERENCE.match(order.reference):
        rule = "Reference must have 1 to 35 characters: letters, digits and . _ / + -"
        return Refusal("BAD_REFERENCE", f"{rule}; it was {order.reference[:50]!r}.")
    return _check_fields(order) or _check_date(order, day) or _check_accounts(db, order)


def _check_fields(order: Order) -> Refusal | None:
    for name, limit in LENGTHS.items():
        value = getattr(order, name)
        if len(value) > limit or (name in REQUIRED and not value.strip()):
            least = 1 if name in REQUIRED else 0
            text = f"Field {name} must have {least} to {limit} characters; it has {len(value)}."
            return Refusal("FIELD_LENGTH", text, recorded=True)
        if not is_plain(value):
            return Refusal("FIELD_CHARACTERS", f"Field {name} has control characters.", recorded=True)
        if name.endswith(("_account", "_code")) and value and not IDENTIFIER.match(value):
            text = f"Field {name} has letters, digits and . / - only; it was {value!r}."
            return Refusal("FIELD_CHARACTERS", text, recorded=True)
    try:
        minor = to_minor(order.amount, order.currency)
    except AmountError as error:
        return Refusal("BAD_AMOUNT", str(error), recorded=True)
    if minor <= 0:
        return Refusal("BAD_AMOUNT", f"Amount {order.amount} must be above zero.", recorded=True)
    return None


def _check_date(order: Order, day: date) -> Refusal | None:
    try:
        asked = date.fromisoformat(order.requested_on)
    except ValueError:
        text = f"Date {order.requested_on!r} is not of the form YYYY-MM-DD."
        return Refusal("BAD_DATE", text, recorded=True)
    if asked.isoformat() != order.requested_on:
        text = f"Date {order.requested_on!r} is not of the form YYYY-MM-DD."
        return Refusal("BAD_DATE", text, recorded=True)
    if asked < day:
        return Refusal("PAST_DATE", f"Date {asked} is before the bank's business day {day}.", recorded=True)
    if (asked - day).days > 366:
        return Refusal("BAD_DATE", f"Date {asked} is more than a year ahead.", recorded=True)
    return None


def _check_accounts(db: sqlite3.Connection, order: Order) -> Refusal | None:
    debtor = ledger.find_account(db, order.debtor_account)
    if debtor is None:
        text = f"This bank keeps no account {order.debtor_account!r}."
        return Refusal("UNKNOWN_ACCOUNT", text, recorded=True)
    if order.creditor_account == order.debtor_account:
        return Refusal("SAME_ACCOUNT", "Payer and payee are the same account.", recorded=True)
    payee = ledger.find_account(db, order.creditor_account)
    if payee is not None and order.creditor_bank_code not in ("", payee["bank_code"]):
        payee = None
    for account in (debtor, payee):
        if account is not None and account["currency"] != order.currency:
            text = f"Account {account['number']} is kept in {account['currency']}, not {order.currency}."
            return Refusal("CURRENCY_MISMATCH", text, recorded=True)
    return None
