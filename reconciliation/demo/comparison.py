"""The banks' own ledgers against the portal: every payment, every line and every balance.

The ledger is what the simulated bank's `GET /ledger` tells, summed here from its legs. The
comparison trusts neither side's states alone and can fail: see `tests/stories/test_demo.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from banks.models import Entry, Statement
from payments.models import Payment
from payments.states import PaymentState
from treasury.models import Account

Ledger = Mapping[str, Any]
SIMPLE = {
    PaymentState.SETTLED: ("BOOKED", 1, 0),
    PaymentState.RETURNED: ("RETURNED", 1, 1),
    PaymentState.PROCESSING: ("PROCESSING", 0, 0),
    PaymentState.BANK_APPROVAL: ("BANK_APPROVAL", 0, 0),
}
"""Our state to the bank's state, times booked, times returned."""
FINAL = frozenset({PaymentState.SETTLED, PaymentState.RETURNED, PaymentState.FAILED})
NEVER_SENT = frozenset(
    {PaymentState.DRAFT, PaymentState.SUBMITTED, PaymentState.REJECTED, PaymentState.CANCELLED}
)


class Leg(NamedTuple):
    """One side of a booking on one account, as the bank's ledger tells it."""

    on: date
    amount: Decimal
    bank_reference: str
    kind: str


@dataclass(slots=True)
class Totals:
    """What happened in one currency, and what both sides hold at the end."""

    paid: Decimal = Decimal(0)
    payments: int = 0
    returned: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    at_bank: Decimal = Decimal(0)
    in_portal: Decimal = Decimal(0)


@dataclass(slots=True)
class Comparison:
    """Every disagreement in words, and the totals per currency."""

    disagreements: list[str] = field(default_factory=list)
    totals: dict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))
    payments: int = 0
    lines: int = 0

    @property
    def agrees(self) -> bool:
        return not self.disagreements


def compare(ledgers: Mapping[str, Ledger], *, final: bool) -> Comparison:
    """Compare the portal with the ledger of each bank (by its code).

    `final` says that nothing may be under way any more: no payment unknown, in process or due.
    """
    result = Comparison()
    for code, ledger in sorted(ledgers.items()):
        problems = result.disagreements
        problems += [f"{code}: {text}" for text in books_that_do_not_balance(ledger)]
        ours = Payment.objects.filter(account__bank__code=code).select_related("account")
        problems += [f"{code}: {text}" for text in _payments(list(ours), ledger, final, result)]
        for account in Account.objects.filter(bank__code=code).order_by("number"):
            problems += [f"{code}: {text}" for text in _account(account, ledger, result)]
    return result


def books_that_do_not_balance(ledger: Ledger) -> Iterator[str]:
    """Identities that a bank's ledger must hold, whatever we think."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for booking in ledger["bookings"]:
        by_currency: dict[str, Decimal] = defaultdict(Decimal)
        for leg in booking["legs"]:
            by_currency[leg["currency"]] += Decimal(leg["amount"])
            sums[leg["account"]] += Decimal(leg["amount"])
        if any(by_currency.values()):
            yield f"booking {booking['reference']} does not sum to zero"
    for account in ledger["accounts"]:
        if sums[account["number"]] != Decimal(account["balance"]):
            yield f"the balance of {account['number']} is not the sum of its legs"
    times = Counter((b["kind"], b["payment"]) for b in ledger["bookings"] if b["payment"])
    for (kind, reference), count in times.items():
        if count > 1:
            yield f"{reference} has {count} bookings of kind {kind}"


# --- payments -----------------------------------------------------------------------------


def _payments(ours: Iterable[Payment], ledger: Ledger, final: bool, result: Comparison) -> Iterator[str]:
    theirs = {payment["reference"]: payment for payment in ledger["payments"]}
    known = set()
    for payment in ours:
        known.add(payment.reference)
        result.payments += 1
        yield from _payment(payment, theirs.get(payment.reference), final)
        _count(payment, result.totals[payment.currency])
    for reference in sorted(set(theirs) - known):
        yield f"the bank has payment {reference}, the portal does not"


def _payment(ours: Payment, theirs: Mapping[str, Any] | None, final: bool) -> Iterator[str]:
    name, state = ours.reference, PaymentState(ours.state)
    if final and state not in NEVER_SENT | FINAL:
        yield f"{name} is still {state}"
    if theirs is None:
        if state in SIMPLE:
            yield f"{name} is {state} here, the bank has no record of it"
        return
    if state in NEVER_SENT or state == PaymentState.APPROVED:
        yield f"{name} is {state} here, yet the bank has it as {theirs['state']}"
        return
    yield from _standing(name, state, theirs)
    for what, here, there in (
        ("amount", ours.amount, Decimal(theirs["amount"])),
        ("currency", ours.currency, theirs["currency"]),
        ("debit account", ours.account.number, theirs["debtor_account"]),
        ("payee account", ours.payee_account, theirs["creditor_account"]),
    ):
        if here != there:
            yield f"{name}: {what} is {here} here and {there} at the bank"


def _standing(name: str, state: PaymentState, theirs: Mapping[str, Any]) -> Iterator[str]:
    """Our state against the bank's, and how often the money moved."""
    standing = (theirs["state"], theirs["times_booked"], theirs["times_returned"])
    if state in SIMPLE and standing != SIMPLE[state]:
        there = "{} (booked {} ×, returned {} ×)".format(*standing)
        yield f"{name} is {state} here; at the bank it is {there}"
    if state == PaymentState.FAILED and standing != ("REJECTED", 0, 0):
        yield f"{name} failed here; at the bank it is {standing[0]}, booked {standing[1]} ×"
    if theirs["times_booked"] > 1:
        yield f"{name} was booked {theirs['times_booked']} times"


def _count(payment: Payment, totals: Totals) -> None:
    if payment.state in (PaymentState.SETTLED, PaymentState.RETURNED):
        totals.paid += payment.amount
        totals.payments += 1
    if payment.state == PaymentState.RETURNED:
        totals.returned += payment.amount


# --- accounts -----------------------------------------------------------------------------


def _account(account: Account, ledger: Ledger, result: Comparison) -> Iterator[str]:
    """Lines and closings of an account up to its newest statement, day by day."""
    newest = (
        Statement.objects.filter(account=account, intraday=False, closing__isnull=False)
        .order_by("-closing_on", "-id")
        .first()
    )
    if newest is None or newest.closing_on is None or newest.closing is None:
        yield f"{account.number} has no statement here"
        return
    legs = _legs(ledger, account.number, newest.closing_on)
    booked = [leg for leg in legs if leg.kind != "opening"]
    opening = total(leg.amount for leg in legs if leg.kind == "opening")
    lines = list(
        Entry.objects.filter(account=account, status="BOOK").values_list(
            "booked_on", "amount", "bank_reference"
        )
    )
    here, there = total(amount for _on, amount, _r in lines), total(leg.amount for leg in booked)
    if Counter(lines) != Counter((leg.on, leg.amount, leg.bank_reference) for leg in booked):
        yield (
            f"{account.number}: the bank booked {len(booked)} lines of {there:f} in all,"
            f" here are {len(lines)} of {here:f}"
        )
    if opening + there != newest.closing:
        yield (
            f"{account.number}: on {newest.closing_on} the bank holds {opening + there:f},"
            f" the statement closes with {newest.closing:f}"
        )
    if opening + here != newest.closing:
        yield (
            f"{account.number}: opening and lines give {opening + here:f},"
            f" the statement closes with {newest.closing:f}"
        )
    for statement in Statement.objects.filter(account=account, balanced=False):
        yield f"{account.number}: statement {statement.number} of {statement.closing_on} does not add up"
    result.lines += len(lines)
    totals = result.totals[account.currency]
    totals.at_bank += opening + there
    totals.in_portal += newest.closing
    totals.received += total(leg.amount for leg in booked if leg.amount > 0 and leg.kind == "entry")


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _legs(ledger: Ledger, number: str, until: date) -> list[Leg]:
    """Every leg of an account up to a day."""
    return [
        Leg(
            date.fromisoformat(booking["booked_on"]),
            Decimal(leg["amount"]),
            booking["bank_reference"],
            booking["kind"],
        )
        for booking in ledger["bookings"]
        for leg in booking["legs"]
        if leg["account"] == number and booking["booked_on"] <= until.isoformat()
    ]
