"""The adjustment statement (余额调节表) of an account on a day, read from lines and statements.

The arithmetic is `reconciliation.rules.Sheet`; here the figures are collected. A line matched
with one of a later day counts as open on the days between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from banks.models import Entry, Statement
from reconciliation.models import (
    Close,
    LedgerEntry,
    LedgerOpening,
    Match,
    MatchedLine,
    OpenBankLine,
    OpenBookLine,
)
from reconciliation.rules import Item, Sheet
from treasury.models import Account


class NoSheetError(Exception):
    """The statement cannot be drawn; the text says what is missing and how to supply it."""

    code = "reconciliation.no_sheet"


class NoOpeningError(NoSheetError):
    code = "reconciliation.no_opening"


class NoBankBalanceError(NoSheetError):
    code = "reconciliation.no_bank_balance"


@dataclass(frozen=True, slots=True)
class BankBalance:
    """What stood at the bank at the end of a day, and on whose word."""

    amount: Decimal
    source: str
    statement: Statement


def adjustment_sheet(*, account: Account, on: date) -> Sheet:
    """The statement of `account` at the end of day `on`. Raises NoOpeningError, NoBankBalanceError."""
    book = book_balance(account=account, on=on)
    bank = bank_balance(account=account, on=on)
    return Sheet(
        on=on,
        currency=account.currency,
        bank_balance=bank.amount,
        bank_source=bank.source,
        book_balance=book,
        bank=tuple(sorted(_open_at_bank(account, on), key=lambda item: (item.on, item.pk))),
        book=tuple(sorted(_open_in_books(account, on), key=lambda item: (item.on, item.pk))),
    )


def statements_of(account: Account) -> Any:
    """Statements that can carry a day's balance: not intraday, with a closing balance."""
    return Statement.objects.filter(
        account=account, intraday=False, closing__isnull=False, closing_on__isnull=False
    )


def bank_balance(*, account: Account, on: date) -> BankBalance:
    """The closing of the statement of day `on`, or an earlier one carried on by the lines since.

    Before the first statement's end its opening is carried on. Raises NoBankBalanceError.
    """
    entries = Entry.objects.booked().filter(account=account, booked_on__lte=on)
    last = statements_of(account).filter(closing_on__lte=on).order_by("-closing_on", "-id").first()
    if last is not None:
        if last.closing_on == on:
            return BankBalance(last.closing, "statement", last)
        return BankBalance(
            last.closing + _sum(entries.filter(booked_on__gt=last.closing_on)), "computed", last
        )
    first = statements_of(account).filter(opening__isnull=False).order_by("closing_on", "id").first()
    if first is None or (first.opening_on is not None and on < first.opening_on):
        raise NoBankBalanceError(
            _("No statement of %(account)s tells its balance on %(day)s. Import the bank's statement.")
            % {"account": account, "day": on}
        )
    return BankBalance(first.opening + _sum(entries), "computed", first)


def book_balance(*, account: Account, on: date) -> Decimal:
    """The books at the end of day `on`: opening balance and every live line since.

    Starts from the last closed day, whose balance can no longer change. Raises NoOpeningError.
    """
    opening = LedgerOpening.objects.filter(account=account).first()
    if opening is None:
        raise NoOpeningError(
            _(
                "The books of %(account)s have no opening balance yet. Enter the day they begin and the"
                " balance."
            )
            % {"account": account}
        )
    if on < opening.on:
        raise NoOpeningError(
            _("The books of %(account)s begin on %(day)s. Choose that day or a later one.")
            % {"account": account, "day": opening.on}
        )
    lines = LedgerEntry.objects.live().filter(account=account, posted_on__lte=on)
    close = Close.objects.filter(account=account, on__lte=on).order_by("-on").first()
    if close is not None:
        since, base = lines.filter(posted_on__gt=close.on), close.book_balance
    else:
        since, base = lines.filter(posted_on__gte=opening.on), opening.amount
    balance: Decimal = _sum(since) + base
    return balance


def _sum(lines: Any) -> Decimal:
    total: Decimal | None = lines.aggregate(total=Sum("amount"))["total"]
    return total or Decimal(0)


def _open_at_bank(account: Account, on: date) -> list[Item]:
    texts = ("bank_reference", "reference", "counterparty_name", "text")
    return _items(OpenBankLine, "entry", "booked_on", texts, account, on)


def _open_in_books(account: Account, on: date) -> list[Item]:
    texts = ("voucher", "reference", "counterparty", "text")
    return _items(OpenBookLine, "ledger_entry", "posted_on", texts, account, on)


def _items(model: Any, line: str, day: str, texts: tuple[str, ...], account: Account, on: date) -> list[Item]:
    """Lines open now, and lines whose match waited for one after `on`; each read through an index."""
    fields = [f"{line}__{name}" for name in ("pk", day, "amount", *texts)]
    waiting = MatchedLine.objects.filter(
        live=True, match__in=Match.objects.spanning(on).filter(account=account), **{f"{line}__{day}__lte": on}
    )
    rows = chain(
        model.objects.filter(account=account, on__lte=on).values_list(*fields),
        waiting.values_list(*fields),
    )
    return [
        Item(
            pk=pk,
            on=posted,
            amount=amount,
            label=first or second,
            counterparty=party,
            text=text[:300],
            days=(on - posted).days,
        )
        for pk, posted, amount, first, second, party, text in rows
    ]
