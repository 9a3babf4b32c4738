"""The arithmetic of sweeps on plain values: whatever the figures, no account ends where it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import pooling
from payments.pooling import Leg, Position, Rule, leg_from_json, plan_sweep

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HEADER = 1
amounts = st.decimals(min_value=0, max_value=10**9, places=2)


def position(account: int, available: str | Decimal | None, **more: object) -> Position:
    facts = {"label": f"account {account}", "currency": "CNY", "as_of": NOW} | more
    return Position(account=account, available=None if available is None else Decimal(available), **facts)


def sweep_rule(member: int = 2, **more: object) -> Rule:
    facts = {
        "id": member, "name": f"rule {member}", "header": HEADER, "collects": True, "funds": True,
        "target": Decimal(100), "minimum": Decimal(0), "leave_in_header": Decimal(0),
    } | more  # fmt: skip
    return Rule(member=member, **facts)


def one(rule: Rule, member: Position, header: Position, **more: object) -> Leg:
    balances = {member.account: member, header.account: header}
    return plan_sweep(rules=[rule], balances=balances, **more)[0]


positions = st.builds(
    lambda available, outgoing, incoming, fresh: position(
        0, available, outgoing=outgoing, incoming=incoming, fresh=fresh
    ),
    amounts,
    amounts,
    amounts,
    st.booleans(),
)
rules_ = st.builds(
    lambda collects, funds, target, minimum, leave: sweep_rule(
        collects=collects, funds=funds or not collects, target=target, minimum=minimum, leave_in_header=leave
    ),
    st.booleans(),
    st.booleans(),
    amounts,
    st.decimals(min_value=0, max_value=10**6, places=2),
    st.just(Decimal(500)),
)


@given(positions, st.lists(st.tuples(positions, rules_), min_size=1, max_size=6), st.sets(st.integers(2, 7)))
def test_no_plan_moves_what_it_may_not(
    header: Position, members: list[tuple[Position, Rule]], already: set[int]
) -> None:
    header = replace(header, account=HEADER)
    balances = {HEADER: header} | {n: replace(p, account=n) for n, (p, _r) in enumerate(members, start=2)}
    rules = [replace(rule, id=n, member=n) for n, (_p, rule) in enumerate(members, start=2)]
    legs = plan_sweep(rules=rules, balances=balances, already_run=already)
    assert [leg.rule for leg in legs] == [rule.id for rule in rules]

    after = {n: (p.available or 0) - p.outgoing for n, p in balances.items()}
    for leg in legs:
        after[leg.debit] -= leg.amount
        after[leg.credit] += leg.amount
    assert sum(after.values()) == sum((p.available or 0) - p.outgoing for p in balances.values())

    funded = sum(leg.amount for leg in legs if leg.direction == "FUND")
    if funded:
        assert (header.available or 0) - header.outgoing - funded >= 500
        assert header.fresh
    for rule, leg in zip(rules, legs, strict=True):
        member = balances[rule.member]
        assert leg.moves == (leg.outcome != pooling.SKIP)
        if not leg.moves:
            assert leg.why
            continue
        assert rule.id not in already
        assert leg.amount >= rule.minimum
        assert member.fresh
        expected = after[rule.member] + (member.incoming if leg.direction == "FUND" else 0)
        if leg.outcome == pooling.MOVE:
            assert expected == rule.target
        else:
            assert expected < rule.target
        assert rule.collects if leg.direction == "COLLECT" else rule.funds


@given(amounts, amounts, amounts)
def test_a_second_plan_with_the_first_on_its_way_moves_nothing(
    have: Decimal, target: Decimal, header: Decimal
) -> None:
    rule = sweep_rule(target=target)
    first = one(rule, position(2, have), position(HEADER, header))
    member = position(
        2,
        have,
        outgoing=first.amount if first.debit == 2 else Decimal(0),
        incoming=first.amount if first.credit == 2 else Decimal(0),
    )
    top = position(HEADER, header, outgoing=first.amount if first.debit == HEADER else Decimal(0))
    assert not one(rule, member, top).moves


@pytest.mark.parametrize(
    ("rule", "member", "header", "why"),
    [
        (sweep_rule(), position(2, "100"), position(1, "0"), pooling.AT_TARGET),
        (sweep_rule(minimum=Decimal(60)), position(2, "150"), position(1, "0"), pooling.BELOW_MINIMUM),
        (sweep_rule(), position(2, "150", fresh=False), position(1, "0"), pooling.STALE),
        (sweep_rule(), position(2, None, as_of=None), position(1, "0"), pooling.NO_BALANCE),
        (sweep_rule(), position(2, "150"), position(1, "0", currency="USD"), pooling.CURRENCY),
        (sweep_rule(), position(2, "150", active=False), position(1, "0"), pooling.NOT_ACTIVE),
        (sweep_rule(), position(2, "50"), position(1, "0"), pooling.HEADER_SHORT),
        (sweep_rule(minimum=Decimal(40)), position(2, "50"), position(1, "30"), pooling.HEADER_SHORT),
        (sweep_rule(), position(2, "50"), position(1, None, as_of=None), pooling.HEADER_STALE),
        (sweep_rule(funds=False), position(2, "50"), position(1, "999"), pooling.AT_TARGET),
        (sweep_rule(collects=False), position(2, "150"), position(1, "999"), pooling.AT_TARGET),
    ],
)
def test_each_reason_not_to_move(rule: Rule, member: Position, header: Position, why: str) -> None:
    leg = one(rule, member, header)
    assert (leg.outcome, leg.why, leg.amount) == (pooling.SKIP, why, 0)


def test_a_short_main_account_cuts_the_leg() -> None:
    leg = one(sweep_rule(leave_in_header=Decimal(70)), position(2, "50"), position(1, "100"))
    assert (leg.outcome, leg.wanted, leg.amount) == (pooling.CUT, 50, 30)


def test_a_stale_main_account_still_takes_in() -> None:
    leg = one(sweep_rule(), position(2, "150"), position(1, "0", fresh=False))
    assert (leg.outcome, leg.direction, leg.amount) == (pooling.MOVE, "COLLECT", 50)


def test_only_payable_amounts_are_moved() -> None:
    yen = {"currency": "JPY"}
    leg = one(sweep_rule(target=Decimal("0.5")), position(2, "150", **yen), position(1, "0", **yen))
    assert leg.amount == 149


def test_a_leg_survives_being_stored() -> None:
    leg = one(sweep_rule(), position(2, "150", outgoing=Decimal("0.01")), position(1, "0"))
    assert leg_from_json(leg.as_json()) == leg
    empty = one(sweep_rule(), position(2, None, as_of=None), position(1, "0"))
    assert leg_from_json(empty.as_json()) == empty
