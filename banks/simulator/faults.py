"""How the simulated bank misbehaves on command: rules, when they fire, and what they say to do.

A rule has a kind and conditions. Kinds of one payment decide its fate when it is first
accepted; kinds of one request decide what happens to the talk, before anything is booked or
after. Whether a rule fires is settled by its seed, so a run can be repeated exactly.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from banks.simulator.errors import BankError
from banks.simulator.orders import Order, is_plain
from banks.simulator.payments import RETURN_TEXT, Treatment

PAYMENT_KINDS = {
    "reject": "refuse the payment with `code` and `text`",
    "delay": "answer PROCESSING and book after `seconds` or after `queries` enquiries",
    "processing": "answer PROCESSING until released",
    "bank_approval": "answer BANK_APPROVAL until released",
    "return_later": "book, then return (退票) after `seconds`, `queries`, or else at close of day",
}
REQUEST_KINDS = {
    "throttle": "refuse the whole message with 429; nothing is processed",
    "drop_before": "close the connection before anything is processed",
    "drop_midway": "process orders up to and including the one matched, then close the connection",
    "drop_after": "process everything, then close the connection without an answer",
    "garbage_after": "process everything, then answer bytes that are not JSON",
    "truncated_after": "process everything, then break the answer off half-way",
    "error_before": "answer HTTP 500 before anything is processed",
    "error_after": "process everything, then answer HTTP 500",
    "stall_before": "hold the request, before processing, for `seconds` or until released",
    "stall_after": "process everything, hold the answer for `seconds` or until released",
    "repeat": "process the message twice and report everything twice",
    "empty": "process everything and answer without a single report",
}
KINDS = PAYMENT_KINDS | REQUEST_KINDS
OPERATIONS = ("payments", "query", "accounts", "balances", "statements", "returns", "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault. Conditions left empty always hold; `count` is how often it may fire at most."""

    kind: str
    on: str = "payments"
    prefix: str = ""
    references: tuple[str, ...] = ()
    amount: str = ""
    min_amount: str = ""
    account: str = ""
    probability: float = 1.0
    every: int = 1
    skip: int = 0
    count: int | None = None
    seed: int = 0
    code: str = ""
    text: str = ""
    seconds: float | None = None
    queries: int | None = None

    @classmethod
    def read(cls, data: dict[str, Any]) -> Rule:
        """A rule from decoded JSON. Raises BankError 400 naming what is wrong with it."""
        try:
            rule = cls(**{**data, "references": tuple(data.get("references", ()))})
            for value in (rule.amount, rule.min_amount):
                Decimal(value or "0")
        except (TypeError, InvalidOperation) as error:
            raise BankError(400, "MALFORMED", f"Not a fault rule: {error}.") from error
        if rule.kind not in KINDS:
            raise BankError(400, "MALFORMED", f"Fault {rule.kind!r} is none of: {', '.join(KINDS)}.")
        if rule.on not in OPERATIONS:
            raise BankError(400, "MALFORMED", f"Operation {rule.on!r} is none of: {', '.join(OPERATIONS)}.")
        if len(rule.code) > 35 or len(rule.text) > 140 or not is_plain(rule.code + rule.text):
            raise BankError(
                400, "MALFORMED", "`code` has at most 35 and `text` at most 140 plain characters."
            )
        if rule.every < 1 or not 0 <= rule.probability <= 1:
            raise BankError(400, "MALFORMED", "`every` is 1 or more and `probability` between 0 and 1.")
        return rule

    def concerns(self, reference: str, order: Order | None) -> bool:
        """Whether reference (and order, where the request carries one) meet the conditions."""
        if not reference.startswith(self.prefix):
            return False
        if self.references and reference not in self.references:
            return False
        if not (self.amount or self.min_amount or self.account):
            return True
        if order is None or order.minor is None:
            return False
        value = Decimal(order.amount)
        return (
            (not self.amount or value == Decimal(self.amount))
            and (not self.min_amount or value >= Decimal(self.min_amount))
            and (not self.account or order.debtor_account == self.account)
        )


@dataclass(slots=True)
class Armed:
    """A rule in force with its counters."""

    number: int
    rule: Rule
    seen: int = 0
    fired: int = 0
    met: Counter[str] = field(default_factory=Counter)

    def fires(self, reference: str) -> bool:
        """Count one matching reference and say whether the rule fires for it."""
        rule = self.rule
        if rule.count is not None and self.fired >= rule.count:
            return False
        self.seen += 1
        self.met[reference] += 1
        if self.seen <= rule.skip or (self.seen - rule.skip) % rule.every:
            return False
        if rule.probability < 1:
            text = f"{rule.seed}:{rule.kind}:{reference}:{self.met[reference]}"
            draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
            if draw >= rule.probability:
                return False
        self.fired += 1
        return True


@dataclass(frozen=True, slots=True)
class Fired:
    """A request fault that fired, and for which reference of the request ("" for none)."""

    number: int
    rule: Rule
    reference: str


class Faults:
    """The rules in force, kept in the store so that they outlive a killed process."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._lock = threading.RLock()
        self._armed = [
            Armed(row["id"], Rule.read(json.loads(row["rule"])), row["seen"], row["fired"])
            for row in db.execute("SELECT * FROM faults ORDER BY id")
        ]

    @property
    def any(self) -> bool:
        return bool(self._armed)

    def add(self, db: sqlite3.Connection, rule: Rule) -> int:
        with self._lock:
            text = json.dumps(asdict(rule), ensure_ascii=False)
            number = int(db.execute("INSERT INTO faults (rule) VALUES (?)", (text,)).lastrowid or 0)
            self._armed.append(Armed(number, rule))
            return number

    def clear(self, db: sqlite3.Connection, number: int | None) -> None:
        """Clear one rule, or all."""
        with self._lock:
            db.execute("DELETE FROM faults WHERE ? IS NULL OR id = ?", (number, number))
            self._armed = [a for a in self._armed if number is not None and a.number != number]

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{"id": a.number, "seen": a.seen, "fired": a.fired, **asdict(a.rule)} for a in self._armed]

    def save(self, db: sqlite3.Connection) -> None:
        """Write the counters, so that `count` holds across a restart."""
        with self._lock:
            db.executemany(
                "UPDATE faults SET seen = ?, fired = ? WHERE id = ?",
                [(a.seen, a.fired, a.number) for a in self._armed],
            )

    def for_request(
        self, operation: str, references: Sequence[str], orders: Sequence[Order] = ()
    ) -> dict[str, Fired]:
        """Request faults that fire for this request, by kind; a rule fires once a request."""
        with self._lock:
            fired: dict[str, Fired] = {}
            for armed in self._armed:
                rule = armed.rule
                if rule.kind not in REQUEST_KINDS or rule.on not in (operation, "*"):
                    continue
                hit = self._first_hit(armed, references, orders)
                if hit is not None:
                    fired.setdefault(rule.kind, Fired(armed.number, rule, hit))
            return fired

    def _first_hit(self, armed: Armed, references: Sequence[str], orders: Sequence[Order]) -> str | None:
        for place, reference in enumerate(references or ("",)):
            order = orders[place] if orders else None
            if armed.rule.concerns(reference, order) and armed.fires(reference):
                return reference
        return None

    def for_payment(self, order: Order) -> Treatment:
        """How a payment that is new to the bank is to be treated; the first rule to fire decides."""
        with self._lock:
            for armed in self._armed:
                if (
                    armed.rule.kind in PAYMENT_KINDS
                    and armed.rule.concerns(order.reference, order)
                    and armed.fires(order.reference)
                ):
                    return treatment(armed.rule)
            return Treatment()


def treatment(rule: Rule) -> Treatment:
    """What a payment rule does to a payment."""
    if rule.kind == "reject":
        return Treatment(reject=(rule.code or "AC01", rule.text or "Rejected by the bank"))
    if rule.kind == "return_later":
        return Treatment(
            returns=True,
            return_seconds=rule.seconds,
            return_queries=rule.queries,
            return_code=rule.code or "AC01",
            return_text=rule.text or RETURN_TEXT,
        )
    timed = rule.kind == "delay"
    seconds = 2.0 if timed and rule.seconds is None and rule.queries is None else rule.seconds
    return Treatment(
        hold=rule.kind,
        hold_seconds=seconds if timed else None,
        hold_queries=rule.queries if timed else None,
    )
