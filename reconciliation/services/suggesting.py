"""What could explain one open line: candidates of the other side, ranked, each with its reasons.

A suggestion always sums to the line exactly; it is offered to a person, never taken by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q

from reconciliation.models import OpenBankLine, OpenBookLine
from reconciliation.models.open_lines import OpenLine
from reconciliation.rules import covering_sets

WINDOW = timedelta(days=45)
POOL = 40
"""The most lines a covering set is searched in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Lines of the other side that together are the same money. `reasons` are stable keys."""

    lines: tuple[int, ...]
    amount: Decimal
    score: int
    reasons: tuple[str, ...]
    days: int
    """The longest distance in days between the line and a suggested one."""


def suggest(*, line: OpenLine, most: int = 3) -> list[Suggestion]:
    """Up to `most` suggestions for an open line of either side, the best first."""
    other: type[OpenBankLine] | type[OpenBookLine] = (
        OpenBookLine if isinstance(line, OpenBankLine) else OpenBankLine
    )
    near = other.objects.filter(account=line.account_id, on__range=(line.on - WINDOW, line.on + WINDOW))
    singles = list(near.filter(amount=line.amount).order_by("-on")[:200])
    if line.reference:
        singles += list(
            other.objects.filter(
                account=line.account_id, amount=line.amount, reference=line.reference
            ).exclude(pk__in=[single.pk for single in singles])[:10]
        )
    found = [_judged(line, (single,)) for single in singles]
    if len(found) < most:
        found += _sets(line, other, most - len(found))
    return sorted(found, key=lambda s: (-s.score, s.days, s.lines))[:most]


def _sets(line: OpenLine, other: type[OpenBankLine] | type[OpenBookLine], wanted: int) -> list[Suggestion]:
    """Sets of several lines; lines of the same reference or counterparty are tried first."""
    sign = {"amount__gt": 0} if line.amount > 0 else {"amount__lt": 0}
    near = other.objects.filter(
        account=line.account_id, on__range=(line.on - WINDOW, line.on + WINDOW), **sign
    )
    pools = []
    if line.reference or line.party:
        same = Q(pk__in=[])
        if line.reference:
            same |= Q(reference=line.reference)
        if line.party:
            same |= Q(party=line.party)
        pools.append(near.filter(same))
    pools.append(near)
    for pool in pools:
        lines = sorted(pool.order_by("-on")[: POOL * 5], key=lambda o: abs((o.on - line.on).days))[:POOL]
        sets = covering_sets(line.amount, [o.amount for o in lines], wanted=wanted)
        if sets:
            return [_judged(line, tuple(lines[n] for n in chosen)) for chosen in sets]
    return []


def _judged(line: OpenLine, others: tuple[OpenLine, ...]) -> Suggestion:
    days = max(abs((other.on - line.on).days) for other in others)
    reasons = ["amount" if len(others) == 1 else "sum"]
    score = 40 if len(others) == 1 else 20 - 2 * len(others)
    for key, worth in (("reference", 40), ("bank_reference", 35), ("party", 25)):
        mine, theirs = getattr(line, key), [getattr(other, key) for other in others]
        if mine and all(value == mine for value in theirs):
            reasons.append(key)
            score += worth
        elif mine and key != "party" and any(value and value != mine for value in theirs):
            reasons.append(f"other_{key}")
            score -= worth // 2
    return Suggestion(
        lines=tuple(other.pk for other in others),
        amount=line.amount,
        score=score - days,
        reasons=tuple(reasons),
        days=days,
    )
