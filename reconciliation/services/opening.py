"""Where an account's books begin: the opening balance, and which earlier bank lines still wait."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from banks.models import Entry
from reconciliation.models import Close, LedgerOpening
from reconciliation.services.locking import hold_account
from treasury import money
from treasury.models import Account
from treasury.services import access, auditing

PERMISSION = "reconciliation.reconcile"


class OpeningStandsError(Exception):
    """A day is closed on the opening balance; it can no longer change."""

    code = "reconciliation.opening_stands"


@transaction.atomic
def set_opening(
    *,
    account: Account,
    on: date,
    amount: Decimal,
    by: Any,
    at: datetime,
    still_open: Collection[int] = (),
) -> LedgerOpening:
    """Say that the books of `account` stood at `amount` at the start of day `on`.

    Bank lines before `on` then count as being in the books, except those with ids in `still_open`.
    May be set anew, with its trace, until a day is closed: OpeningStandsError after that. Raises
    MoneyError for digits the currency does not have, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    access.require_account(by, account)
    amount = money.quantize(amount, account.currency)
    hold_account(account)
    close = Close.objects.last_of(account)
    if close is not None:
        raise OpeningStandsError(
            _("The opening balance of %(account)s stands: %(day)s is closed on it.")
            % {"account": account, "day": close.on}
        )
    was = LedgerOpening.objects.filter(account=account).first()
    opening, _made = LedgerOpening.objects.update_or_create(
        account=account, defaults={"on": on, "amount": amount, "set_by": by, "set_at": at}
    )
    kept = list(Entry.objects.filter(account=account, pk__in=still_open).values_list("pk", flat=True))
    _lay_worklist(account, on, kept)
    auditing.record(
        action="reconciliation.opening_set",
        about=opening,
        by=by,
        at=at,
        company=account.company,
        on=on,
        amount=amount,
        still_open=kept,
        was=f"{was.on} {was.amount}" if was else None,
    )
    return opening


def _lay_worklist(account: Account, on: date, kept: list[int]) -> None:
    """Open bank lines are those from `on` and the `kept` ones, as far as no match holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            'DELETE FROM reconciliation_openbankline WHERE account_id = %s AND "on" < %s'
            " AND NOT entry_id = ANY(%s)",
            [account.pk, on, kept],
        )
        cursor.execute(
            """
            INSERT INTO reconciliation_openbankline
                (entry_id, account_id, "on", amount, reference, bank_reference, party)
            SELECT e.id, e.account_id, e.booked_on, e.amount, reconciliation_reference(e.reference),
                reconciliation_reference(e.bank_reference), reconciliation_party(e.counterparty_name)
            FROM banks_entry e
            WHERE e.account_id = %s AND e.status = 'BOOK' AND e.amount <> 0
                AND (e.booked_on >= %s OR e.id = ANY(%s))
                AND NOT EXISTS (SELECT 1 FROM reconciliation_matchedline l
                                WHERE l.entry_id = e.id AND l.live)
            ON CONFLICT DO NOTHING
            """,
            [account.pk, on, kept],
        )
