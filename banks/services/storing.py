"""From read lines to rows: one statement, its entries by COPY, its checks and its balance.

The caller (`services.importing`) holds the transaction and says which account a statement
belongs to. Lines wait in a temporary table, so a million of them need no memory here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, Q

from banks import rules
from banks.messages import DatedAmount, Entry, EntryStatus, StatementEnd, StatementStart
from banks.models import InboundFile, Statement
from banks.services.closing import note_closing_balance, plain
from treasury.models import Account

BATCH = 5000
"""Lines sent to the database at a time."""

_COLUMNS = (
    "key, named, position, booked_on, value_on, amount, status, reference, bank_reference,"
    " counterparty_name, counterparty_account, text, code, return_reason"
)
_TABLE = """CREATE TEMP TABLE IF NOT EXISTS banks_incoming (
    key bytea, named boolean, position integer, booked_on date, value_on date, amount numeric(20, 5),
    status varchar(4), reference varchar(70), bank_reference varchar(70), counterparty_name varchar(200),
    counterparty_account varchar(50), text text, code varchar(40), return_reason varchar(200)
) ON COMMIT DROP"""
_TYPES = (
    "bytea bool int4 date date numeric varchar varchar varchar varchar varchar text varchar varchar".split()
)
_INSERT = """
INSERT INTO banks_entry (account_id, statement_id, position, booked_on, value_on, amount, currency, status,
    reference, bank_reference, counterparty_name, counterparty_account, text, code, return_reason,
    identity, occurrence)
SELECT %(account)s, %(statement)s, i.position, i.booked_on, i.value_on, i.amount, %(currency)s, i.status,
    i.reference, i.bank_reference, i.counterparty_name, i.counterparty_account, i.text, i.code,
    i.return_reason,
    encode(CASE i.status WHEN 'BOOK' THEN i.key ELSE sha256(i.key || %(report)s) END, 'hex'),
    i.nth + coalesce(t.taken, 0)
FROM (SELECT *, row_number() OVER (PARTITION BY key ORDER BY position) AS nth FROM banks_incoming) i
LEFT JOIN (
    SELECT decode(identity, 'hex') AS key, max(occurrence) AS taken FROM banks_entry
    WHERE statement_id = ANY(%(neighbours)s) GROUP BY 1
) t ON t.key = i.key AND NOT i.named
ORDER BY i.position
ON CONFLICT (account_id, identity, occurrence) DO NOTHING
"""


class Incoming:
    """The lines of one statement on their way into the database."""

    def __init__(self, start: StatementStart, received_on: date) -> None:
        self.start = start
        self.currency = start.currency or start.account.currency
        self.received_on = received_on
        self.booked = Decimal(0)
        self.count = 0
        self.quarantined = 0
        self._waiting: list[tuple[Any, ...]] = []
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)
            cursor.execute("DELETE FROM banks_incoming")

    def take(self, entry: Entry) -> None:
        """Add a line. Raises UnreadableLineError when it cannot stand in this statement."""
        if self.currency is None:
            self.currency = entry.currency
        elif entry.currency != self.currency:
            raise rules.UnreadableLineError(
                f"The line is in {entry.currency}, its statement in {self.currency}."
            )
        amount = rules.storable_amount(entry.amount)
        booked_on = rules.booking_date(entry, self.received_on)
        self.count += 1
        if entry.status is EntryStatus.BOOKED:
            self.booked += amount
        named = rules.names_the_line(entry.bank_reference)
        self._waiting.append(
            (
                rules.line_key(entry, booked_on, amount, named=named),
                named,
                self.count,
                booked_on,
                entry.value_on,
                amount,
                entry.status.value,
                _text(entry.reference, 70),
                _text(entry.bank_reference, 70),
                _text(entry.counterparty.name, 200),
                _text(entry.counterparty.account, 50),
                _text(entry.text, None),
                _text(entry.code, 40),
                _text(entry.return_reason, 200),
            )
        )
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Send the waiting lines to the temporary table."""
        if not self._waiting:
            return
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY banks_incoming ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(_TYPES)
            for row in self._waiting:
                copy.write_row(row)
        self._waiting = []


def _text(value: str, limit: int | None) -> str:
    """Text as the database takes it; the file keeps what is cut off or replaced."""
    if not value:
        return ""
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    return value if limit is None or len(value) <= limit else value[:limit]


def store_statement(
    *,
    incoming: Incoming,
    end: StatementEnd,
    account: Account,
    file: InboundFile,
    place: int,
    at: datetime,
) -> Statement:
    """Write the statement and its lines, check its sums, and note the closing balance."""
    incoming.flush()
    start = incoming.start
    opening, closing = end.opening or start.opening, end.closing
    statement = Statement(
        account=account,
        file=file,
        place=place,
        number=(end.number or start.number)[:60],
        currency=account.currency,
        intraday=start.intraday,
        opening=None if opening is None else opening.amount,
        opening_on=None if opening is None else opening.on,
        closing=None if closing is None else closing.amount,
        closing_on=None if closing is None else closing.on,
        entries_sum=incoming.booked,
        entries_count=incoming.count,
        balanced=_balanced(opening, closing, incoming, end),
        imported_at=at,
    )
    flags = list(end.flags)
    before = previous_of(statement)
    statement.continuous = _continuous(statement, before)
    if statement.continuous is False and before is not None:
        flags.append(
            f"opening {plain(statement.opening)} does not continue closing {plain(before.closing)}"
            f" of {before.closing_on}"
        )
    statement.flags = flags
    statement.save(force_insert=True)
    statement.new_count = _insert_entries(statement, account)
    flags += note_closing_balance(statement=statement, account=account, at=at)
    statement.save(update_fields=["new_count", "flags"])
    _recheck_next(statement)
    return statement


def _balanced(
    opening: DatedAmount | None, closing: DatedAmount | None, incoming: Incoming, end: StatementEnd
) -> bool | None:
    """Opening + booked = closing of what was stored; never True when a line is missing."""
    if opening is None or closing is None:
        return None
    agrees = opening.amount + incoming.booked == closing.amount
    if agrees and (incoming.quarantined or end.quarantined or end.balanced is None):
        return None
    if not agrees and end.balanced is None and not incoming.quarantined:
        return None  # the reader knows that this file holds only a part of the statement
    return agrees


def _insert_entries(statement: Statement, account: Account) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "account": account.pk,
                "statement": statement.pk,
                "currency": account.currency,
                "report": f":{statement.pk}".encode(),
                "neighbours": _neighbours(statement),
            },
        )
        return int(cursor.rowcount)


def _neighbours(statement: Statement) -> list[int]:
    """Statements that end where this one begins, or begin where it ends: they share no line.

    An equal line without a bank reference in a neighbour is another line, so counting goes on
    from there. A statement delivered a second time shares every line with its first delivery
    and gets no neighbours; neither does one that moved nothing, for it may contain the other.
    """
    if statement.intraday or not statement.balanced or statement.opening == statement.closing:
        return []
    if statement.closing_on is None or not statement.entries_count:
        return []
    others = Statement.objects.filter(
        account=statement.account_id, intraday=False, balanced=True, entries_count__gt=0
    ).exclude(pk=statement.pk)
    same = Q(opening=statement.opening, closing=statement.closing, entries_count=statement.entries_count)
    near = Q(
        closing_on__range=(
            statement.closing_on - timedelta(days=4),
            statement.closing_on + timedelta(days=4),
        )
    )
    others = others.filter(near)
    if others.filter(same).exists():
        return []
    touching = Q(closing=statement.opening) | Q(opening=statement.closing)
    return list(others.filter(touching).exclude(opening=F("closing")).values_list("pk", flat=True))


def previous_of(statement: Statement) -> Statement | None:
    """The account's end-of-day statement this one has to continue, or None when it is the first."""
    if statement.intraday or statement.opening is None or statement.closing_on is None:
        return None
    earlier = Statement.objects.filter(
        account=statement.account_id, intraday=False, closing__isnull=False
    ).exclude(pk=statement.pk)
    page = earlier.filter(closing_on=statement.closing_on, closing=statement.opening)
    page = page.exclude(opening=statement.opening, closing=statement.closing)
    return page.order_by("-id").first() or (
        earlier.filter(closing_on__lt=statement.closing_on).order_by("-closing_on", "-id").first()
    )


def _continuous(statement: Statement, before: Statement | None) -> bool | None:
    return None if before is None else before.closing == statement.opening


def _recheck_next(statement: Statement) -> None:
    """A statement that fills a gap changes what the one after it continues."""
    if statement.intraday or statement.closing_on is None:
        return
    following: Iterable[Statement] = Statement.objects.filter(
        account=statement.account_id, intraday=False, closing_on__gt=statement.closing_on
    ).order_by("closing_on", "id")[:1]
    for after in following:
        now = _continuous(after, previous_of(after))
        if now != after.continuous:
            flags = [flag for flag in after.flags if " does not continue closing " not in flag]
            Statement.objects.filter(pk=after.pk).update(continuous=now, flags=flags)
