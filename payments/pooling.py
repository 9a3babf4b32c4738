"""Pure arithmetic of moving cash between own accounts (资金归集 up, 下拨 down).

Rules and positions in, explained legs out; no database and no clock. Every doubt is decided for
moving less: money on its way out is gone, money on its way in is counted only against funding
it a second time, a balance not of today moves nothing, a short main account cuts or skips a leg.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from treasury import money

ZERO = Decimal(0)

MOVE, CUT, SKIP = "MOVE", "CUT", "SKIP"
# why a leg is skipped
AT_TARGET = "AT_TARGET"
BELOW_MINIMUM = "BELOW_MINIMUM"
STALE = "STALE"
NO_BALANCE = "NO_BALANCE"
CURRENCY = "CURRENCY"
HEADER_SHORT = "HEADER_SHORT"
HEADER_STALE = "HEADER_STALE"
NOT_ACTIVE = "NOT_ACTIVE"
ALREADY_RUN = "ALREADY_RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A sweep rule as the arithmetic needs it; see `payments.models.SweepRule`."""

    id: int
    name: str
    header: int
    member: int
    collects: bool
    funds: bool
    target: Decimal
    minimum: Decimal
    leave_in_header: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is known of one account: the money it may use, as of when, and what is on its way.

    `outgoing` are payments that will leave it and are not in the balance yet, `incoming`
    transfers that will reach it. `available` is None when no balance was ever received; `fresh`
    says whether the balance is of today.
    """

    account: int
    label: str
    currency: str
    available: Decimal | None
    as_of: datetime | None
    outgoing: Decimal = ZERO
    incoming: Decimal = ZERO
    fresh: bool = True
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What one rule comes to, with every figure used. `amount` is zero when nothing moves.

    `wanted` is what the target asks for, before the main account's limit; `usable` is what the
    paying account could give. `debit` and `credit` are account ids.
    """

    rule: int
    name: str
    outcome: str
    why: str
    direction: str
    debit: int
    credit: int
    currency: str
    member: str
    header: str
    target: Decimal
    minimum: Decimal
    available: Decimal | None
    as_of: datetime | None
    outgoing: Decimal
    incoming: Decimal
    leave_in_header: Decimal
    usable: Decimal
    wanted: Decimal
    amount: Decimal

    @property
    def moves(self) -> bool:
        return self.amount > 0

    def as_json(self) -> dict[str, Any]:
        """The leg as it is kept in a run: amounts and instants as text."""
        return {
            key: str(value) if isinstance(value, Decimal | datetime) else value
            for key, value in asdict(self).items()
        }


_AMOUNTS = frozenset(
    "target minimum available outgoing incoming leave_in_header usable wanted amount".split()
)


def leg_from_json(stored: Mapping[str, Any]) -> Leg:
    """A leg as it was kept in a run."""
    facts = {key: value for key, value in stored.items() if key in Leg.__slots__}
    for key in _AMOUNTS:
        facts[key] = None if facts[key] is None else Decimal(facts[key])
    facts["as_of"] = datetime.fromisoformat(facts["as_of"]) if facts["as_of"] else None
    return Leg(**facts)


def fingerprint(legs: Iterable[Leg]) -> str:
    """SHA-256 of what would move: two plans share it when they move the same money."""
    moving = sorted((leg.rule, leg.debit, leg.credit, str(leg.amount)) for leg in legs if leg.moves)
    return hashlib.sha256(json.dumps(moving).encode()).hexdigest()


def plan_sweep(
    *,
    rules: Iterable[Rule],
    balances: Mapping[int, Position],
    already_run: Collection[int] = (),
) -> list[Leg]:
    """One leg per rule, in the order of the rules, each with its figures and its reason.

    `balances` are positions by account as they are known now. Legs see what earlier legs of the
    same plan take away. A rule in `already_run` moves nothing.
    """
    taken: dict[int, Decimal] = {}
    given: dict[int, Decimal] = {}
    legs = []
    for rule in rules:
        leg = _leg(rule, balances[rule.member], balances[rule.header], taken, given, already_run)
        if leg.moves:
            taken[leg.debit] = taken.get(leg.debit, ZERO) + leg.amount
            given[leg.credit] = given.get(leg.credit, ZERO) + leg.amount
        legs.append(leg)
    return legs


def _leg(
    rule: Rule,
    member: Position,
    header: Position,
    taken: Mapping[int, Decimal],
    given: Mapping[int, Decimal],
    already_run: Collection[int],
) -> Leg:
    free = (member.available or ZERO) - member.outgoing - taken.get(member.account, ZERO)
    expected = free + member.incoming + given.get(member.account, ZERO)
    header_free = max(
        ZERO,
        (header.available or ZERO) - header.outgoing - taken.get(header.account, ZERO) - rule.leave_in_header,
    )
    funding = rule.funds and (expected < rule.target or not rule.collects)
    if funding:
        wanted, usable = max(ZERO, rule.target - expected), header_free
    else:
        wanted = max(ZERO, free - rule.target)
        usable = wanted
    wanted = _whole(wanted, member.currency)
    amount = min(wanted, _whole(usable, member.currency))
    why = _why_not(rule, member, header, rule.id in already_run, funding, wanted, amount)
    return Leg(
        rule=rule.id,
        name=rule.name,
        outcome=SKIP if why else (CUT if amount < wanted else MOVE),
        why=why,
        direction="FUND" if funding else "COLLECT",
        debit=header.account if funding else member.account,
        credit=member.account if funding else header.account,
        currency=member.currency,
        member=member.label,
        header=header.label,
        target=rule.target,
        minimum=rule.minimum,
        available=member.available,
        as_of=member.as_of,
        outgoing=member.outgoing + taken.get(member.account, ZERO),
        incoming=member.incoming + given.get(member.account, ZERO),
        leave_in_header=rule.leave_in_header,
        usable=usable,
        wanted=wanted,
        amount=ZERO if why else amount,
    )


def _why_not(
    rule: Rule,
    member: Position,
    header: Position,
    already: bool,
    funding: bool,
    wanted: Decimal,
    amount: Decimal,
) -> str:
    """The first reason that speaks against moving anything; "" when none does."""
    header_known = header.available is not None and header.fresh
    checks = (
        (already, ALREADY_RUN),
        (not (member.active and header.active), NOT_ACTIVE),
        (member.currency != header.currency, CURRENCY),
        (member.available is None, NO_BALANCE),
        (not member.fresh, STALE),
        (wanted <= 0, AT_TARGET),
        (wanted < rule.minimum, BELOW_MINIMUM),
        (funding and not header_known, HEADER_STALE),
        (amount <= 0 or amount < rule.minimum, HEADER_SHORT),
    )
    return next((why for speaks_against, why in checks if speaks_against), "")


def _whole(amount: Decimal, currency: str) -> Decimal:
    """`amount` cut down to what can be paid in `currency`."""
    return amount.quantize(Decimal(1).scaleb(-money.minor_units(currency)), rounding=ROUND_DOWN)
