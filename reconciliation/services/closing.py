"""Closing a day of an account: what stands in the way, and signing the sheet off.

A closed day takes no further ledger line and keeps its matches; the database holds that too.
Reopening does not exist: corrections are booked on an open day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from banks.models import Entry, Statement
from reconciliation.models import Close, LedgerImport
from reconciliation.rules import Item, Sheet
from reconciliation.services import adjusting
from reconciliation.services.locking import hold_account
from treasury.models import Account
from treasury.services import access, auditing
from treasury.services.auditing import plain
from treasury.templatetags.portal import money as written

PERMISSION = "reconciliation.close_account"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps a day from being closed; `text` ends with what to do."""

    code: str
    text: str


class NotClosableError(Exception):
    """The day stays open; `obstacles` say why, nothing was written."""

    code = "reconciliation.not_closable"

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__(" ".join(obstacle.text for obstacle in obstacles))


def obstacles(*, account: Account, on: date, by: Any, at: datetime) -> list[Obstacle]:
    """Everything that keeps `by` from closing day `on` of `account`; empty when it can be closed."""
    last = Close.objects.last_of(account)
    return [
        Obstacle(code, text)
        for check in (_day, _person, _statement, _sheet)
        for code, text in check(account, on, by, at, last)
    ]


@transaction.atomic
def close_account_day(*, account: Account, on: date, by: Any, at: datetime) -> Close:
    """Sign the sheet of day `on` off and keep it. Raises NotClosableError, AccessDeniedError."""
    access.require(by, PERMISSION)
    access.require_account(by, account)
    hold_account(account)
    found = obstacles(account=account, on=on, by=by, at=at)
    if found:
        raise NotClosableError(found)
    sheet = adjusting.adjustment_sheet(account=account, on=on)
    close = Close.objects.create(
        account=account,
        on=on,
        currency=sheet.currency,
        bank_balance=sheet.bank_balance,
        book_balance=sheet.book_balance,
        adjusted_bank=sheet.adjusted_bank,
        adjusted_book=sheet.adjusted_book,
        sheet=plain(asdict(sheet)),
        closed_by=by,
        closed_at=at,
    )
    auditing.record(
        action="reconciliation.day_closed",
        about=close,
        by=by,
        at=at,
        company=account.company,
        bank_balance=sheet.bank_balance,
        book_balance=sheet.book_balance,
        adjusted=sheet.adjusted_bank,
        open_at_bank=len(sheet.bank),
        open_in_books=len(sheet.book),
    )
    return close


def sheet_of(close: Close) -> Sheet:
    """The sheet exactly as it was signed off."""
    kept = close.sheet
    return Sheet(
        on=close.on,
        currency=kept["currency"],
        bank_balance=Decimal(kept["bank_balance"]),
        bank_source=kept["bank_source"],
        book_balance=Decimal(kept["book_balance"]),
        bank=tuple(map(_item, kept["bank"])),
        book=tuple(map(_item, kept["book"])),
    )


def _item(kept: Mapping[str, Any]) -> Item:
    changed = {"on": date.fromisoformat(kept["on"]), "amount": Decimal(kept["amount"])}
    return Item(**{**kept, **changed})


Checked = Iterator[tuple[str, str]]


def _day(account: Account, on: date, by: Any, at: datetime, last: Close | None) -> Checked:
    today = at.astimezone(ZoneInfo(account.time_zone)).date()
    if on > today:
        yield (
            "reconciliation.day_to_come",
            _("%(day)s is still to come. Choose a day that is over.") % {"day": on},
        )
    if last is not None and on <= last.on:
        yield (
            "reconciliation.day_closed",
            _("%(account)s is closed to %(day)s already.")
            % {
                "account": account,
                "day": last.on,
            },
        )


def _person(account: Account, on: date, by: Any, at: datetime, last: Close | None) -> Checked:
    if not access.may(by, PERMISSION):
        yield (
            "reconciliation.may_not_close",
            _("Closing takes the permission reconciliation.close_account. Ask a reconciler to close."),
        )
    lines = Q(entries__posted_on__lte=on) & (Q(entries__posted_on__gt=last.on) if last else Q())
    own = LedgerImport.objects.booked().filter(lines, account=account, made_by=by).first()
    if own is not None:
        yield (
            "reconciliation.same_person",
            _("You imported the journal %(file)s of these days. Another person must close them.")
            % {"file": own.name},
        )


def _statement(account: Account, on: date, by: Any, at: datetime, last: Close | None) -> Checked:
    known = adjusting.statements_of(account)
    ending = known.filter(closing_on=on).order_by("-id").first()
    if ending is None:
        yield (
            "reconciliation.no_statement",
            _("The bank's statement that ends on %(day)s is missing. Import it, then close.") % {"day": on},
        )
        return
    since = known.filter(closing_on__lte=on, **({"closing_on__gt": last.on} if last else {}))
    for statement in since.filter(balanced=False)[:3]:
        yield (
            "reconciliation.statement_unbalanced",
            _(
                "Statement %(statement)s: opening and lines do not give its closing."
                " Ask the bank for it again."
            )
            % {"statement": statement},
        )
    if ending.balanced is None:
        yield (
            "reconciliation.statement_unbalanced",
            _("Statement %(statement)s has no opening balance to check its lines against.")
            % {"statement": ending},
        )
    for statement in _after_gap(account, since)[:3]:
        yield (
            "reconciliation.statement_gap",
            _(
                "Statement %(statement)s opens with %(opening)s, which no statement before it closed with:"
                " one is missing between them. Import it."
            )
            % {"statement": statement, "opening": written(statement.opening, account.currency)},
        )
    yield from _carried(account, ending, last)


def _after_gap(account: Account, since: Any) -> list[Statement]:
    """Statements whose opening is nobody's closing, the account's first one apart."""
    known = adjusting.statements_of(account)
    first = known.order_by("closing_on", "id").first()
    return [
        statement
        for statement in since.exclude(pk=first.pk if first else None)
        .exclude(opening=None)
        .order_by("closing_on")
        if not known.exclude(pk=statement.pk)
        .filter(closing=statement.opening, closing_on__lte=statement.closing_on)
        .exists()
    ]


def _carried(account: Account, ending: Statement, last: Close | None) -> Checked:
    """The closed balance carried on by every line since must give the closing, to the cent."""
    if last is None:
        return
    lines = Entry.objects.booked().filter(
        account=account, booked_on__gt=last.on, booked_on__lte=ending.closing_on
    )
    carried = last.bank_balance + (lines.aggregate(total=Sum("amount"))["total"] or Decimal(0))
    if carried != ending.closing:
        yield (
            "reconciliation.statement_gap",
            _(
                "The closed balance of %(day)s and the lines since give %(carried)s, the bank says"
                " %(closing)s: lines are missing. Import the statements between."
            )
            % {
                "day": last.on,
                "carried": written(carried, account.currency),
                "closing": written(ending.closing, account.currency),
            },
        )


def _sheet(account: Account, on: date, by: Any, at: datetime, last: Close | None) -> Checked:
    if last is not None and on <= last.on:
        return
    try:
        sheet = adjusting.adjustment_sheet(account=account, on=on)
    except adjusting.NoSheetError as error:
        yield error.code, str(error)
        return
    if sheet.difference:
        yield (
            "reconciliation.difference",
            _(
                "After adjustment bank and books are %(difference)s %(currency)s apart: a line is missing or"
                " counted twice on one side. Check the opening balance and the imports."
            )
            % {"difference": written(sheet.difference, sheet.currency), "currency": sheet.currency},
        )
