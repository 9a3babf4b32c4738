"""A statement's closing balance as a balance of the account: when it holds from, and once only."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from banks.models import Statement
from treasury.models import Account, Balance

_STEP = timedelta(microseconds=1)


def plain(amount: Decimal | None) -> str:
    """An amount in a remark: no exponent, no idle zeros."""
    return "" if amount is None else f"{amount.normalize():f}"


def note_closing_balance(*, statement: Statement, account: Account, at: datetime) -> list[str]:
    """Store the closing balance as of the end of its day at the bank; gives remarks, if any.

    A statement that came before its day was over holds as of its arrival: what the bank says
    later that day is newer. A corrected closing is stored beside the first, a moment later.
    """
    if statement.closing is None or statement.closing_on is None:
        return []
    if _has_next_page(statement):
        return []
    zone = ZoneInfo(account.time_zone)
    day_end = datetime.combine(statement.closing_on, time(23, 59, 59), zone)
    if statement.intraday and day_end < at:
        return []  # the day is over: what it closed with is not for an intraday report to say
    instant = min(day_end, at)
    there = Balance.objects.filter(
        account=account,
        source=Balance.Source.STATEMENT,
        as_of__gte=instant,
        as_of__lt=instant + timedelta(seconds=1),
    )
    newest = there.order_by("-as_of").first()
    remarks = []
    if newest is not None:
        if newest.ledger == statement.closing:
            return []
        if instant == day_end and newest.ledger != statement.opening:
            remarks.append(
                f"closing {plain(statement.closing)} of {statement.closing_on} replaces"
                f" {plain(newest.ledger)}, which was heard before"
            )
        instant = newest.as_of + _STEP
    Balance.objects.create(
        account=account,
        as_of=instant,
        ledger=statement.closing,
        source=Balance.Source.STATEMENT,
        received_at=at,
    )
    return remarks


def _has_next_page(statement: Statement) -> bool:
    """Whether a later page of the same day is here already; then that page's closing counts."""
    pages = Statement.objects.filter(
        account=statement.account_id,
        intraday=False,
        closing_on=statement.closing_on,
        opening=statement.closing,
        closing__isnull=False,
    )
    return pages.exclude(closing=statement.closing).exclude(closing=statement.opening).exists()
