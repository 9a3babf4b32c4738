"""The adjustment statement (余额调节表) on paper: two columns that must agree, every open item below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from reconciliation.models import Close
from reconciliation.rules import Item, Sheet, total
from treasury.models import Account
from treasury.pdf import A4, Paper
from treasury.templatetags.portal import money


def sheet_paper(*, account: Account, sheet: Sheet, close: Close | None, at: datetime, by: Any) -> bytes:
    """The statement as a PDF; a closed day names who signed it off, an open one says it is a draft."""
    title = _("Bank reconciliation statement")
    paper = Paper(
        title=f"{title} {account.number} {sheet.on}",
        at=at,
        size=A4,
        footer=_("%(account)s · printed %(time)s · this statement is not a voucher")
        % {"account": account, "time": f"{timezone.localtime(at):%Y-%m-%d %H:%M}"},
    )
    paper.heading(title, style="title", align="center")
    paper.facts(
        (
            (_("Company"), account.company.name),
            (_("Bank"), account.bank.name),
            (_("Account"), account.number),
            (_("Currency"), sheet.currency),
            (_("Day"), sheet.on.isoformat()),
            (_("Bank balance"), _source(sheet)),
        ),
        columns=2,
    )
    _columns(paper, sheet)
    paper.paragraph(
        _("Difference after adjustment: %(amount)s %(currency)s")
        % {"amount": money(sheet.difference, sheet.currency), "currency": sheet.currency},
        "strong",
    )
    for name, items in (
        (_("Received at the bank, not in the books"), sheet.bank_received),
        (_("Paid at the bank, not in the books"), sheet.bank_paid),
        (_("Received in the books, not at the bank"), sheet.book_received),
        (_("Paid in the books, not at the bank"), sheet.book_paid),
    ):
        if items:
            _items(paper, name, items, sheet.currency)
    paper.space(4)
    paper.facts(((_("Prepared by"), _signed(close, by)), (_("Reviewed by"), "")), columns=2)
    return paper.content()


def _source(sheet: Sheet) -> str:
    if sheet.bank_source == "statement":
        return _("closing balance of the bank's statement")
    return _("carried on from an earlier statement")


def _signed(close: Close | None, by: Any) -> str:
    if close is None:
        return _("%(person)s — draft, the day is not closed") % {"person": by}
    time = timezone.localtime(close.closed_at)
    return _("%(person)s, closed on %(time)s") % {"person": close.closed_by, "time": f"{time:%Y-%m-%d %H:%M}"}


def _columns(paper: Paper, sheet: Sheet) -> None:
    def amount(value: Decimal) -> str:
        return money(value, sheet.currency)

    rows = (
        (_("Balance in the books"), sheet.book_balance, _("Balance at the bank"), sheet.bank_balance),
        (
            _("+ received at the bank, not in the books"),
            total(sheet.bank_received),
            _("+ received in the books, not at the bank"),
            total(sheet.book_received),
        ),
        (
            _("− paid at the bank, not in the books"),
            -total(sheet.bank_paid),
            _("− paid in the books, not at the bank"),
            -total(sheet.book_paid),
        ),
    )
    paper.table(
        (_("Books"), "", _("Bank"), ""),
        [(left, amount(a), right, amount(b)) for left, a, right, b in rows],
        shares=(5, 3, 5, 3),
        align=("left", "right", "left", "right"),
        totals=[
            (
                _("= balance after adjustment"),
                amount(sheet.adjusted_book),
                _("= balance after adjustment"),
                amount(sheet.adjusted_bank),
            )
        ],
    )


def _items(paper: Paper, name: str, items: Sequence[Item], currency: str) -> None:
    paper.heading(name)
    paper.table(
        (_("Day"), _("Voucher or reference"), _("Counterparty"), _("Text"), _("Days"), _("Amount")),
        [
            (
                item.on.isoformat(),
                item.label,
                item.counterparty,
                item.text,
                str(item.days),
                money(item.amount, currency),
            )
            for item in items
        ],
        shares=(2.2, 3.4, 3.6, 3.6, 1.2, 2.6),
        align=("left", "left", "left", "left", "right", "right"),
        totals=[(_("Total"), "", "", "", str(len(items)), money(total(items), currency))],
    )
