"""The 13-week forecast: where each currency's cash goes from today's balances and known flows.

Opening is the newest ledger balance of every open account in view, whatever its age: stale
ones are named, and so are accounts without any balance, which count as zero. Weeks run Monday
to Sunday by the dates at the accounts; the first one starts today. "Today" is the earliest date
it is at any of the accounts, from the instant passed in. The arithmetic is in `treasury.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from treasury import rules
from treasury.flows import SOURCES, Flow, Scope
from treasury.models import Account, Balance, Company
from treasury.querysets import granted
from treasury.services.positions import Freshness, freshness_of

WEEKS = 13


@dataclass(frozen=True, slots=True)
class Opening:
    """An account and the balance it enters the forecast with (None: no balance known)."""

    account: Account
    balance: Balance | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """One currency. `flows[move.key]` is what a move of a week is."""

    currency: str
    today: date
    opening: Decimal
    floor: Decimal
    weeks: list[rules.Week]
    flows: list[Flow]
    accounts: list[Opening]

    @property
    def as_of(self) -> datetime | None:
        """The oldest of the balances used."""
        return min((o.balance.as_of for o in self.accounts if o.balance), default=None)

    @property
    def stale(self) -> list[Opening]:
        """Accounts without a balance of today: the forecast starts from an older one, or from zero."""
        return [o for o in self.accounts if o.stale]

    @property
    def first_below(self) -> rules.Week | None:
        return rules.first_below(self.weeks, self.floor)

    @property
    def driver(self) -> Flow | None:
        """The largest outflow that leads below the floor; None when there is none to name."""
        week = self.first_below
        move = rules.driver(week) if week else None
        return self.flows[move.key] if move else None

    def of_week(self, monday: date) -> list[Flow]:
        """The flows of the week that starts on `monday`, by day."""
        return [self.flows[m.key] for week in self.weeks if week.monday == monday for m in week.moves]


def forecast(
    *, user: Any, at: datetime, company: Company | None = None, weeks: int = WEEKS
) -> dict[str, Forecast]:
    """A forecast per currency over the accounts `user` sees, of one company or of all.

    Keys are in the order of the code; a currency appears when an account or a flow has it.
    """
    accounts = Account.objects.visible_to(user).open().select_related("company", "bank")
    companies = granted(user, "treasury.view_company", Company)
    if company is not None:
        accounts = accounts.filter(company=company)
        companies = companies.filter(pk=company.pk)
    rows = list(accounts)
    today = today_of(rows, at)
    scope = Scope(
        accounts=rows,
        companies=set(companies.values_list("pk", flat=True)),
        start=today,
        end=rules.monday_of(today) + weeks * rules.WEEK - timedelta(days=1),
        at=at,
    )
    known = [flow for source in SOURCES.values() for flow in source.flows(scope)]
    openings = _openings(rows, at)
    currencies = sorted({a.currency for a in rows} | {f.currency for f in known})
    return {
        code: _of_currency(
            code,
            today,
            [o for o in openings if o.account.currency == code],
            [f for f in known if f.currency == code],
            weeks,
        )
        for code in currencies
    }


def today_of(accounts: Iterable[Account], at: datetime) -> date:
    """The earliest date it is at any of the accounts at the instant `at`."""
    zones = {account.time_zone for account in accounts} or {"UTC"}
    return min(at.astimezone(ZoneInfo(zone)).date() for zone in zones)


def _openings(accounts: Sequence[Account], at: datetime) -> list[Opening]:
    newest = {b.account_id: b for b in Balance.objects.filter(account__in=accounts).latest_per_account()}
    return [
        Opening(account, balance, _fresh(account, balance, at) != Freshness.TODAY)
        for account in accounts
        for balance in [newest.get(account.pk)]
    ]


def _fresh(account: Account, balance: Balance | None, at: datetime) -> Freshness:
    return freshness_of(account, balance.as_of if balance else None, at)


def _of_currency(code: str, today: date, accounts: list[Opening], known: list[Flow], weeks: int) -> Forecast:
    opening = sum((o.balance.ledger for o in accounts if o.balance), Decimal(0))
    moves = [rules.Move(flow.on, flow.amount, key) for key, flow in enumerate(known)]
    return Forecast(
        currency=code,
        today=today,
        opening=opening,
        floor=sum((o.account.minimum_balance for o in accounts), Decimal(0)),
        weeks=rules.by_week(opening=opening, moves=moves, today=today, weeks=weeks),
        flows=known,
        accounts=accounts,
    )
