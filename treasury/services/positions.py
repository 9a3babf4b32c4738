"""The cash position: what every visible account holds, when that was known and from where.

Figures are the newest ledger balances. Money of different currencies is never added up; a total
in one chosen currency is given beside them when rates exist, and says what it leaves out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from treasury import calendars
from treasury.models import Account, Balance, Company
from treasury.services import rates


class Freshness(models.TextChoices):
    """How much a balance still says about now, by the bank's calendar and the account's clock."""

    TODAY = "TODAY", _("of today")
    NOT_TODAY = "NOT_TODAY", _("none of today yet")
    OLD = "OLD", _("out of date")
    NONE = "NONE", _("no balance yet")


def freshness(*, as_of: datetime | None, zone: str, country: str, at: datetime) -> Freshness:
    """TODAY also holds on weekends and holidays for a balance of the last business day.

    NOT_TODAY: the last one is from the business day before. OLD: older than that.
    """
    if as_of is None:
        return Freshness.NONE
    clock = ZoneInfo(zone)
    known, today = as_of.astimezone(clock).date(), at.astimezone(clock).date()
    last = calendars.previous_business_day(today, country)
    if known >= last:
        return Freshness.TODAY
    before = calendars.previous_business_day(last - timedelta(days=1), country)
    return Freshness.NOT_TODAY if known >= before else Freshness.OLD


def freshness_of(account: Account, as_of: datetime | None, at: datetime) -> Freshness:
    """The freshness of `account`'s newest balance; its bank must be loaded."""
    return freshness(as_of=as_of, zone=account.time_zone, country=account.bank.country, at=at)


@dataclass(frozen=True, slots=True)
class Line:
    """One account and its newest balance, None when no bank has told one yet."""

    account: Account
    balance: Balance | None
    freshness: Freshness

    @property
    def stale(self) -> bool:
        return self.freshness != Freshness.TODAY


@dataclass(slots=True)
class Total:
    """Money of one currency in some accounts. `as_of` is the oldest balance in it."""

    currency: str
    ledger: Decimal = Decimal(0)
    available: Decimal = Decimal(0)
    accounts: int = 0
    stale: int = 0
    as_of: datetime | None = None
    sources: set[str] = field(default_factory=set)

    def add(self, line: Line) -> None:
        self.accounts += 1
        self.stale += line.stale
        if line.balance is None:
            return
        self.ledger += line.balance.ledger
        self.available += line.balance.ledger if line.balance.available is None else line.balance.available
        self.as_of = min(self.as_of or line.balance.as_of, line.balance.as_of)
        self.sources.add(line.balance.get_source_display())


@dataclass(frozen=True, slots=True)
class Converted:
    """A sum in one currency: `without_rate` are currencies, `without_balance` accounts, left out."""

    currency: str
    amount: Decimal
    without_rate: tuple[str, ...] = ()
    without_balance: tuple[Account, ...] = ()
    rates_of: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The accounts of one bank, company or currency."""

    key: str
    label: str
    totals: Sequence[Total]
    converted: Converted | None

    @property
    def accounts(self) -> int:
        return sum(t.accounts for t in self.totals)

    @property
    def stale(self) -> int:
        return sum(t.stale for t in self.totals)

    @property
    def as_of(self) -> datetime | None:
        return min((t.as_of for t in self.totals if t.as_of), default=None)


@dataclass(frozen=True, slots=True)
class Position:
    """All of it. `into` is the currency of the converted sums, "" when nothing can be converted."""

    lines: Sequence[Line]
    totals: Sequence[Total]
    by_currency: Sequence[Group]
    by_bank: Sequence[Group]
    by_company: Sequence[Group]
    converted: Converted | None
    into: str

    @property
    def stale(self) -> list[Line]:
        return [line for line in self.lines if line.stale]


def position(*, user: Any, at: datetime, into: str = "") -> Position:
    """The position of the open accounts that `user` sees; `into` defaults to the usual base currency."""
    lines = lines_of(Account.objects.visible_to(user).open(), at)
    target = into or usual_currency(lines)
    factors, rates_of = _factors({line.account.currency for line in lines}, target, at.date())

    def group(key: str, label: str, chosen: Sequence[Line]) -> Group:
        totals = _totals(chosen)
        return Group(key, label, totals, _converted(chosen, totals, target, factors, rates_of))

    def groups(of: Callable[[Line], tuple[str, str]]) -> list[Group]:
        buckets: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            buckets[of(line)].append(line)
        return sorted((group(*name, chosen) for name, chosen in buckets.items()), key=_largest_first)

    totals = _totals(lines)
    return Position(
        lines=lines,
        totals=totals,
        by_currency=groups(lambda line: (line.account.currency, line.account.currency)),
        by_bank=groups(lambda line: (line.account.bank.code, line.account.bank.name)),
        by_company=groups(lambda line: (line.account.company.code, line.account.company.name)),
        converted=_converted(lines, totals, target, factors, rates_of),
        into=target if len(factors) > 1 or len(totals) == 1 else "",
    )


def lines_of(accounts: models.QuerySet[Account], at: datetime) -> list[Line]:
    """`accounts` with their newest balances: two queries, each balance by its index."""
    newest = Balance.objects.filter(account=OuterRef("pk")).order_by("-as_of", "-pk").values("pk")[:1]
    chosen = accounts.annotate(newest=Subquery(newest)).select_related("bank", "company")
    rows = list(chosen.order_by("company__code", "bank__name", "currency", "number"))
    balances = Balance.objects.in_bulk([pk for pk in (getattr(a, "newest", None) for a in rows) if pk])
    lines = []
    for account in rows:
        balance = balances.get(getattr(account, "newest", None) or 0)
        lines.append(Line(account, balance, freshness_of(account, balance.as_of if balance else None, at)))
    return lines


def usual_currency(lines: Iterable[Line]) -> str:
    """The base currency of most of the accounts' companies."""
    counts: dict[str, int] = defaultdict(int)
    companies: dict[int, Company] = {line.account.company_id: line.account.company for line in lines}
    for company in companies.values():
        counts[company.base_currency] += 1
    return max(sorted(counts), key=lambda code: counts[code], default="CNY")


def history(*, account: Account, at: datetime, days: int = 90) -> list[tuple[date, Balance]]:
    """The last balance of each day, by the account's clock, oldest first."""
    clock = ZoneInfo(account.time_zone)
    rows = (
        Balance.objects.filter(account=account, as_of__gte=at - timedelta(days=days), as_of__lte=at)
        .annotate(day=TruncDate("as_of", tzinfo=clock))
        .order_by("day", "-as_of", "-pk")
        .distinct("day")
    )
    return [(row.as_of.astimezone(clock).date(), row) for row in rows]


def _totals(lines: Iterable[Line]) -> list[Total]:
    found: dict[str, Total] = {}
    for line in lines:
        found.setdefault(line.account.currency, Total(line.account.currency)).add(line)
    return [found[code] for code in sorted(found)]


def _factors(currencies: Iterable[str], into: str, on: date) -> tuple[dict[str, Fraction], date | None]:
    """What one unit of each currency is in `into`, and the day of the oldest rate used."""
    factors, oldest = {into: Fraction(1)}, None
    for code in sorted(set(currencies) - {into}):
        try:
            path = rates.find_path(currency=code, to=into, on=on)
        except rates.NoRateError:
            continue
        factors[code] = path.factor
        oldest = min(oldest or path.on, path.on)
    return factors, oldest


def _converted(
    lines: Sequence[Line],
    totals: Sequence[Total],
    into: str,
    factors: dict[str, Fraction],
    rates_of: date | None,
) -> Converted | None:
    """None when no part of it can be converted. Rounded once, at the end."""
    known = [t for t in totals if t.currency in factors]
    if not known:
        return None
    exact = sum((Fraction(t.ledger) * factors[t.currency] for t in known), Fraction(0))
    return Converted(
        currency=into,
        amount=rates.rounded(exact, into),
        without_rate=tuple(t.currency for t in totals if t.currency not in factors),
        without_balance=tuple(line.account for line in lines if line.balance is None),
        rates_of=rates_of,
    )


def _largest_first(group: Group) -> tuple[Decimal, str]:
    return (-(group.converted.amount if group.converted else Decimal(0)), group.label)
