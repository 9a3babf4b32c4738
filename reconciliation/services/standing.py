"""How reconciliation stands on many accounts at once: open lines, last close, difference.

A fixed number of queries whatever the number of accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Sum

from reconciliation.models import Close, OpenBankLine, OpenBookLine
from treasury.models import Account

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One account. `difference` is None while a statement or the opening balance is missing."""

    account: Account
    bank_open: int
    bank_sum: Decimal
    books_open: int
    books_sum: Decimal
    oldest_on: date | None
    closed_to: date | None
    statement_on: date | None
    difference: Decimal | None


_BALANCES = """
    SELECT a.id, s.closing_on,
        s.closing + coalesce((SELECT sum(e.amount) FROM banks_entry e WHERE e.account_id = a.id
            AND e.status = 'BOOK' AND e.booked_on > s.closing_on), 0) AS bank,
        CASE WHEN o.id IS NULL THEN NULL ELSE coalesce(c.book_balance, o.amount) + coalesce((
            SELECT sum(g.amount) FROM reconciliation_ledgerentry g WHERE g.account_id = a.id AND g.live
            AND g.posted_on >= coalesce(c."on" + 1, o."on")), 0) END AS books
    FROM treasury_account a
    LEFT JOIN LATERAL (SELECT closing_on, closing FROM banks_statement WHERE account_id = a.id
        AND NOT intraday AND closing IS NOT NULL AND closing_on IS NOT NULL
        ORDER BY closing_on DESC, id DESC LIMIT 1) s ON true
    LEFT JOIN reconciliation_ledgeropening o ON o.account_id = a.id
    LEFT JOIN LATERAL (SELECT "on", book_balance FROM reconciliation_close WHERE account_id = a.id
        ORDER BY "on" DESC LIMIT 1) c ON true
    WHERE a.id = ANY(%s)
"""


def standings(accounts: Iterable[Account]) -> list[Standing]:
    """The standing of each of `accounts`, in their order."""
    accounts = list(accounts)
    keys = [account.pk for account in accounts]
    bank, books = _open(OpenBankLine, keys), _open(OpenBookLine, keys)
    closes = dict(
        Close.objects.filter(account__in=keys).order_by().values_list("account").annotate(last=Max("on"))
    )
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, [keys])
        balances = {row[0]: row[1:] for row in cursor.fetchall()}
    nothing = (0, ZERO, None)
    found = []
    for account in accounts:
        bank_open, bank_sum, bank_oldest = bank.get(account.pk, nothing)
        books_open, books_sum, books_oldest = books.get(account.pk, nothing)
        statement_on, bank_balance, book_balance = balances[account.pk]
        known = bank_balance is not None and book_balance is not None
        found.append(
            Standing(
                account=account,
                bank_open=bank_open,
                bank_sum=bank_sum,
                books_open=books_open,
                books_sum=books_sum,
                oldest_on=min((d for d in (bank_oldest, books_oldest) if d), default=None),
                closed_to=closes.get(account.pk),
                statement_on=statement_on,
                difference=(bank_balance + books_sum) - (book_balance + bank_sum) if known else None,
            )
        )
    return found


def _open(model: Any, keys: list[int]) -> dict[int, tuple[int, Decimal, date]]:
    rows = model.objects.filter(account__in=keys).order_by().values_list("account")
    counted = rows.annotate(n=Count("pk"), total=Sum("amount"), oldest=Min("on"))
    return {account: (n, total, oldest) for account, n, total, oldest in counted}
