"""Statement files for tests, written by the product's own writers from few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from banks.formats import camt053, mt940
from banks.messages import AccountIdentity, DatedAmount, Entry, EntryStatus, Party, Statement
from treasury.models import Account

DAY = date(2026, 11, 23)


def line(
    amount: str,
    *,
    bank_reference: str = "",
    reference: str = "",
    text: str = "Invoice",
    name: str = "Beihai Steel",
    on: date | None = DAY,
    status: EntryStatus = EntryStatus.BOOKED,
    currency: str = "CNY",
) -> Entry:
    return Entry(
        amount=Decimal(amount),
        currency=currency,
        booked_on=on,
        value_on=on,
        status=status,
        reference=reference,
        bank_reference=bank_reference,
        counterparty=Party(name=name, account="99887766"),
        text=text,
    )


def paper(
    account: Account | str,
    lines: Sequence[Entry],
    *,
    opening: str | None = "1000",
    closing: str | None = None,
    number: str = "1",
    on: date = DAY,
    intraday: bool = False,
    currency: str = "CNY",
) -> Statement:
    """A statement; without `closing` it is the sum, so that the statement balances."""
    booked = sum((e.amount for e in lines if e.status is EntryStatus.BOOKED), Decimal(0))
    ends = None
    if closing is not None:
        ends = DatedAmount(amount=Decimal(closing), on=on)
    elif opening is not None:
        ends = DatedAmount(amount=Decimal(opening) + booked, on=on)
    return Statement(
        account=AccountIdentity(
            number=account if isinstance(account, str) else account.number, currency=currency
        ),
        currency=currency,
        number=number,
        opening=None if opening is None else DatedAmount(amount=Decimal(opening), on=on),
        closing=ends,
        entries=tuple(lines),
        intraday=intraday,
    )


def camt(*statements: Statement) -> bytes:
    return camt053.write(list(statements), message="052" if statements[0].intraday else "053")


def swift(*statements: Statement) -> bytes:
    return mt940.write(list(statements))
