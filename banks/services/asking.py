"""Asking a bank for what it knows: balances, statement files, returned payments.

Nothing here changes anything at the bank. Every talk is stored by `services.talking`, which
also keeps the connection's health; a failed talk raises its ConnectorError to the caller.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from banks.connectors.abilities import (
    FetchesStatements,
    RefusedError,
    ReportsBalances,
    ReportsReturns,
)
from banks.events import status_received
from banks.messages import AccountIdentity, BalanceReport, FetchedPage
from banks.models import ConnectedAccount, Connection, InboundFile
from banks.services import keeping, talking
from banks.services.talking import Clock
from banks.states import FileState
from treasury import jobs
from treasury.models import Account, Balance

PAGES_AT_MOST = 10_000
IMPORT = "banks.tasks.import_stored_file"


class EndlessPagesError(Exception):
    """The bank says that more waits but its cursor no longer moves, so asking again is in vain."""

    code = "banks.endless_pages"


def identity_of(account: Account) -> AccountIdentity:
    """How we name an account of ours to its bank."""
    return AccountIdentity(
        number=account.number,
        currency=account.currency,
        bank_code=account.branch_code,
        name=account.company.name,
    )


def fetch_balances(*, connection: Connection, at: datetime, clock: Clock = timezone.now) -> list[Balance]:
    """Ask for the balances of every open account of a connection and store them.

    When the bank refuses the accounts together they are asked for one by one, so that one
    closed account does not hide the others; the refusal is raised after the rest is stored.
    Gives [] when the connector does not report balances. Raises ConnectorError.
    """
    connector = talking.connector_of(connection, clock=clock)
    accounts = [c.account for c in _connected(connection)]
    if not accounts or not isinstance(connector, ReportsBalances):
        return []
    try:
        return _ask_balances(connection, accounts, at, clock)
    except RefusedError:
        if len(accounts) == 1:
            raise
    stored: list[Balance] = []
    refusal: RefusedError | None = None
    for account in accounts:
        try:
            stored += _ask_balances(connection, [account], at, clock)
        except RefusedError as error:
            refusal = error
    if refusal is not None:
        talking.failed(connection=connection, error=refusal, at=at)
        raise refusal
    return stored


def fetch_statements(
    *,
    connection: Connection,
    at: datetime,
    account: Account | None = None,
    seconds: float | None = None,
    enqueue: bool = True,
    clock: Clock = timezone.now,
) -> list[InboundFile]:
    """Fetch the statement files that wait at the bank, for one account or all of a connection.

    The bytes and the new cursor are stored in one transaction, page by page, while the bank
    says that more waits. `seconds` bounds the time taken; what is left comes with the next run.
    Files are read by a job, or by the caller when `enqueue` is False. Raises ConnectorError,
    EndlessPagesError.
    """
    connector = talking.connector_of(connection, clock=clock)
    if not isinstance(connector, FetchesStatements):
        return []
    until = None if seconds is None else time.monotonic() + seconds
    files: list[InboundFile] = []
    for connected in _connected(connection, account):
        files += _fetch_account(connection, connected, at, until, enqueue, clock)
        if until is not None and time.monotonic() > until:
            break
    return files


def fetch_returns(*, connection: Connection, at: datetime, clock: Clock = timezone.now) -> list[str]:
    """Ask which payments came back (退票) and tell the floors above; gives their references.

    The cursor moves only after the news went out: should a process die in between, the same
    returns are told again, which receivers must take calmly. Raises ConnectorError.
    """
    connector = talking.connector_of(connection, clock=clock)
    if not isinstance(connector, ReportsReturns):
        return []
    cursor = connection.returns_cursor
    answer, moved_to = talking.ask(
        connection=connection,
        purpose="returns",
        subject="",
        call=lambda bank: bank.fetch_returns(cursor),
        at=at,
        clock=clock,
    )
    references = sorted({report.reference for report in answer.reports})
    if references:
        with transaction.atomic():
            status_received.send(sender=Connection, references=references)
    if moved_to != cursor:
        Connection.objects.filter(pk=connection.pk, returns_cursor=cursor).update(returns_cursor=moved_to)
    return references


def _connected(connection: Connection, account: Account | None = None) -> list[ConnectedAccount]:
    rows = connection.connected_accounts.select_related("account__company", "account__bank")
    rows = rows.exclude(account__status=Account.Status.CLOSED).order_by("account_id")
    return list(rows if account is None else rows.filter(account=account))


def _ask_balances(
    connection: Connection, accounts: Sequence[Account], at: datetime, clock: Clock
) -> list[Balance]:
    identities = [identity_of(account) for account in accounts]
    answer = talking.ask(
        connection=connection,
        purpose="balances",
        subject=", ".join(identity.number for identity in identities),
        call=lambda bank: bank.fetch_balances(identities),
        at=at,
        clock=clock,
    )
    by_number = {(a.number, a.currency): a for a in accounts}
    rows = []
    for report in answer.balances:
        account = by_number.get((report.account.number, report.account.currency or ""))
        if account is None:
            fitting = [a for a in accounts if a.number == report.account.number]
            account = fitting[0] if len(fitting) == 1 and report.account.currency is None else None
        if account is not None:
            rows.append(_row(account, report, at))
    Balance.objects.bulk_create(rows, ignore_conflicts=True)
    return rows


def _row(account: Account, report: BalanceReport, at: datetime) -> Balance:
    return Balance(
        account=account,
        as_of=report.as_of,
        ledger=report.ledger,
        available=report.available,
        frozen=report.frozen,
        previous_day=report.previous_day,
        source=Balance.Source.BANK,
        received_at=at,
    )


def _fetch_account(
    connection: Connection,
    connected: ConnectedAccount,
    at: datetime,
    until: float | None,
    enqueue: bool,
    clock: Clock,
) -> list[InboundFile]:
    identity = identity_of(connected.account)
    files: list[InboundFile] = []
    cursor = connected.statement_cursor
    for _page in range(PAGES_AT_MOST):
        page: FetchedPage = talking.ask(
            connection=connection,
            purpose="statements",
            subject=identity.number,
            call=lambda bank, since=cursor: bank.fetch_statements(identity, since),  # type: ignore[misc]
            at=at,
            clock=clock,
        )
        stored = _store_page(connection, connected, cursor, page, at, enqueue)
        if stored is None:
            return files  # another process fetched the same page and goes on from there
        files += stored
        if not page.more or (until is not None and time.monotonic() > until):
            return files
        if page.cursor == cursor:
            raise EndlessPagesError(
                _(
                    "The bank says that more statements of account %(number)s wait, but hands out none. "
                    "Look at the exchange and ask the bank."
                )
                % {"number": identity.number}
            )
        cursor = page.cursor
    return files


@transaction.atomic
def _store_page(
    connection: Connection,
    connected: ConnectedAccount,
    cursor: str,
    page: FetchedPage,
    at: datetime,
    enqueue: bool,
) -> list[InboundFile] | None:
    """Bytes and cursor in one transaction; None when the cursor was moved by somebody else."""
    moved = ConnectedAccount.objects.filter(pk=connected.pk, statement_cursor=cursor).update(
        statement_cursor=page.cursor, fetched_at=at
    )
    if not moved:
        return None
    files = []
    for fetched in page.files:
        if not fetched.content:
            continue
        file = keeping.keep_fetched(
            name=fetched.name, content=fetched.content, at=at, connection=connection, format=fetched.format
        )
        files.append(file)
        if enqueue and file.state != FileState.READ:
            jobs.enqueue(IMPORT, file.pk)
    return files
