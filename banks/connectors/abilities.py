"""What a bank can do, one small protocol per ability, and how a connector fails.

A connector is any object with some of these methods: having the method is the declaration,
and the capability page is computed from it. A connector stores nothing: configuration and
cursor come in, records and a new cursor go out, the raw talk is kept on each answer. Storing,
retrying, approving and scheduling belong to `banks.services` and `payments.services`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from banks.messages import AccountIdentity, Answer, FetchedPage, PaymentOrder, Talk


class ConnectorError(Exception):
    """A bank could not be talked to as intended. `hint` says the next step in plain words."""

    def __init__(self, message: str, *, hint: str = "", talk: Talk | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.talk = talk


class NotSentError(ConnectorError):
    """It is certain that no byte of the request reached the bank (no connection was made)."""


class RefusedError(ConnectorError):
    """The bank answered and took nothing of the message on (wrong key, malformed, throttled)."""


class UncertainError(ConnectorError):
    """Bytes may have reached the bank and no readable answer came: the outcome is unknown."""


@runtime_checkable
class ChecksConnection(Protocol):
    """Proves that address, credentials and permissions work, changing nothing at the bank."""

    def check(self) -> Answer: ...


@runtime_checkable
class ListsAccounts(Protocol):
    def list_accounts(self) -> Answer: ...


@runtime_checkable
class ReportsBalances(Protocol):
    def fetch_balances(self, accounts: Sequence[AccountIdentity]) -> Answer: ...


@runtime_checkable
class FetchesStatements(Protocol):
    def fetch_statements(self, account: AccountIdentity, cursor: str) -> FetchedPage:
        """Statement files since `cursor` ("" is the beginning); call again while `more`."""
        ...


@runtime_checkable
class SendsPayments(Protocol):
    """Composing is apart from sending so that the exact bytes are stored before they leave."""

    batch_limit: int
    """The most orders one message may carry."""

    # Optional: `send_takes_at_most: timedelta`, the sum of the connector's own time-outs for one
    # send (75 s where absent), and `first_query_after: timedelta`, the bank's own first wait.

    def compose(self, orders: Sequence[PaymentOrder]) -> bytes:
        """The exact bytes to send. Pure: the same orders give a message of the same content."""
        ...

    def send(self, message: bytes, *, sent_at: datetime | None = None) -> Answer:
        """Send composed bytes once. A reference missing from the reports is unknown.

        `sent_at` is the instant the caller stored, before calling, as the time of this sending;
        None means now. A connector whose bank bounds acceptance by a timestamp signs exactly
        this one, so a process that slept between storing and sending is no longer heard: that
        is what lets `no_record_is_final` be computed from the stored instant.

        Raises NotSentError, RefusedError or UncertainError; any other exception is treated as
        uncertain by the caller.
        """
        ...


@runtime_checkable
class QueriesPayments(Protocol):
    def query_payments(self, references: Sequence[str]) -> Answer:
        """One report for each reference; NO_RECORD where the bank knows nothing of it."""
        ...

    def no_record_is_final(self, *, sent_at: datetime, asked_at: datetime) -> bool:
        """Whether, by this bank's rules, "no record" proves it never will have one.

        `sent_at` is the instant given to `send`; `asked_at` is when the query that heard
        "no record" was begun (the `started_at` of its talk), never when its answer was read.
        """
        ...


@runtime_checkable
class ReportsReturns(Protocol):
    def fetch_returns(self, cursor: str) -> tuple[Answer, str]:
        """Payments returned (退票) since `cursor`, and the new cursor."""
        ...


@runtime_checkable
class FetchesReceipts(Protocol):
    def fetch_receipt(self, reference: str) -> FetchedPage: ...


ABILITIES: dict[str, type] = {
    "check": ChecksConnection,
    "accounts": ListsAccounts,
    "balances": ReportsBalances,
    "statements": FetchesStatements,
    "payments": SendsPayments,
    "queries": QueriesPayments,
    "returns": ReportsReturns,
    "receipts": FetchesReceipts,
}


def abilities_of(connector: object) -> tuple[str, ...]:
    """The names of what `connector` can do, computed from its methods."""
    return tuple(name for name, protocol in ABILITIES.items() if isinstance(connector, protocol))
