"""Matching by a person: any bank lines with any ledger entries of equal sum, and undoing.

1:1, 1:n, n:1 and n:m alike; also lines of one side alone that sum to zero (a payment and its
return, which the books never saw).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reconciliation.models import Close, Match, MatchedLine, OpenBankLine, OpenBookLine
from reconciliation.services.locking import hold_account
from treasury.models import Account
from treasury.services import access, auditing
from treasury.templatetags.portal import money as written

PERMISSION = "reconciliation.reconcile"
MOST_LINES = 500


class MatchError(Exception):
    """Nothing was matched or undone; the text says why and what to do."""

    code = "reconciliation.not_matched"


class TooFewLinesError(MatchError):
    code = "reconciliation.too_few_lines"


class SumsDifferError(MatchError):
    """Bank and books do not sum to the same; `difference` is bank minus books."""

    code = "reconciliation.sums_differ"

    def __init__(self, text: str, difference: Decimal) -> None:
        self.difference = difference
        super().__init__(text)


class LineTakenError(MatchError):
    """A chosen line is no longer open: somebody, or the portal, matched it first."""

    code = "reconciliation.line_taken"


class UndoneAlreadyError(MatchError):
    code = "reconciliation.undone_already"


class SheetClosedError(MatchError):
    """The sheet of a closed day counts the match."""

    code = "reconciliation.sheet_closed"


@transaction.atomic
def match_lines(
    *,
    account: Account,
    entries: Collection[int],
    ledger_entries: Collection[int],
    by: Any,
    at: datetime,
    note: str = "",
) -> Match:
    """Match open bank lines with open ledger entries of `account`, given by their ids.

    Raises TooFewLinesError, LineTakenError, SumsDifferError, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    access.require_account(by, account)
    wanted = len(set(entries)) + len(set(ledger_entries))
    if not 2 <= wanted <= MOST_LINES:
        text = _("Choose between 2 and %(most)d lines to match; %(count)d are chosen.")
        raise TooFewLinesError(text % {"most": MOST_LINES, "count": wanted})
    hold_account(account)
    bank = list(OpenBankLine.objects.select_for_update().filter(account=account, entry__in=entries))
    book = list(
        OpenBookLine.objects.select_for_update().filter(account=account, ledger_entry__in=ledger_entries)
    )
    _refuse_taken(account, wanted - len(bank) - len(book), entries, ledger_entries)
    amount = _equal_sum(account, bank, book)
    days = [line.on for line in (*bank, *book)]
    match = Match.objects.create(
        account=account,
        tier=Match.Tier.MANUAL,
        why={"agreed": ["sum"], "days": (max(days) - min(days)).days, "note": note},
        amount=amount,
        first_on=min(days),
        last_on=max(days),
        made_by=by,
        made_at=at,
    )
    MatchedLine.objects.bulk_create(
        [
            *(MatchedLine(match=match, entry_id=line.pk) for line in bank),
            *(MatchedLine(match=match, ledger_entry_id=line.pk) for line in book),
        ]
    )
    auditing.record(
        action="reconciliation.matched_by_hand",
        about=match,
        by=by,
        at=at,
        company=account.company,
        amount=amount,
        bank=[line.pk for line in bank],
        books=[line.pk for line in book],
        note=note,
    )
    return match


@transaction.atomic
def undo_match(*, match: Match, by: Any, at: datetime) -> Match:
    """Free the lines of a match; the match stays as history and is not made again by itself.

    Raises UndoneAlreadyError, SheetClosedError, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    access.require_account(by, match.account)
    hold_account(match.account)
    locked = Match.objects.select_for_update(of=("self",)).select_related("account").get(pk=match.pk)
    if locked.undone_at is not None:
        text = _("The match was undone already, by %(person)s. Reload the page.")
        raise UndoneAlreadyError(text % {"person": locked.undone_by})
    close = (
        Close.objects.filter(account=locked.account, on__gte=locked.last_on, closed_at__gte=locked.made_at)
        .order_by("on")
        .first()
    )
    if close is not None:
        raise SheetClosedError(
            _("The sheet of %(day)s counts this match and is closed. Book a correction on an open day.")
            % {"day": close.on}
        )
    locked.undone_by, locked.undone_at = by, at
    locked.save(update_fields=["undone_by", "undone_at"])
    lines = list(locked.lines.all())
    auditing.record(
        action="reconciliation.match_undone",
        about=locked,
        by=by,
        at=at,
        company=locked.account.company,
        amount=locked.amount,
        tier=locked.tier,
        bank=[line.entry_id for line in lines if line.entry_id],
        books=[line.ledger_entry_id for line in lines if line.ledger_entry_id],
    )
    return locked


def _refuse_taken(
    account: Account, missing: int, entries: Collection[int], ledger_entries: Collection[int]
) -> None:
    if not missing:
        return
    holders = Match.objects.live().filter(account=account)
    holders = holders.filter(lines__live=True, lines__entry__in=entries) | holders.filter(
        lines__live=True, lines__ledger_entry__in=ledger_entries
    )
    holder = holders.order_by("-made_at").first()
    who = holder.made_by if holder and holder.made_by else _("the portal")
    if holder is None:
        text = _("A chosen line is not open on %(account)s any more. Reload the page and choose again.")
        raise LineTakenError(text % {"account": account})
    raise LineTakenError(
        ngettext(
            "%(count)d chosen line is matched already, by %(who)s. Reload the page and choose again.",
            "%(count)d chosen lines are matched already, by %(who)s. Reload the page and choose again.",
            missing,
        )
        % {"count": missing, "who": who}
    )


def _equal_sum(account: Account, bank: list[OpenBankLine], book: list[OpenBookLine]) -> Decimal:
    """The sum both sides share."""
    left = sum((line.amount for line in bank), Decimal(0))
    right = sum((line.amount for line in book), Decimal(0))
    if left != right:
        raise SumsDifferError(
            _("The bank's lines sum to %(bank)s, the books' to %(books)s: %(difference)s %(currency)s apart.")
            % {
                "bank": written(left, account.currency),
                "books": written(right, account.currency),
                "difference": written(left - right, account.currency),
                "currency": account.currency,
            },
            left - right,
        )
    return left
