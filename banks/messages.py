"""The neutral language between the portal and every bank connector.

Frozen records only: what a company asks of a bank and what a bank says back, named after
ISO 20022. No Django, no database, no wire format: `banks.formats` turns bytes into these
records and back, `banks.connectors` carry them, `banks.services` stores them.

Money is always `Decimal` beside an ISO 4217 code. On a statement, a credit (money into the
account) is positive and a debit negative. Instants are aware; dates are the bank's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class EntryStatus(StrEnum):
    """ISO 20022 entry status: only BOOKED entries count in a booked balance."""

    BOOKED = "BOOK"
    PENDING = "PDNG"
    INFORMATION = "INFO"


class PaymentState(StrEnum):
    """What a bank says of one payment, whatever words it uses for it.

    `UNKNOWN` is not an error: the bank, or the line to it, could not say. Only `REJECTED` and
    `BOOKED` are final, and `BOOKED` may still become `RETURNED` (退票).
    """

    PROCESSING = "PROCESSING"
    BANK_APPROVAL = "BANK_APPROVAL"
    BOOKED = "BOOKED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    UNKNOWN = "UNKNOWN"
    NO_RECORD = "NO_RECORD"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIdentity:
    """How a bank names one account: its number (or IBAN), its currency and, where given, more."""

    number: str
    currency: str | None = None
    bank_code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The other side of a payment or an entry, as far as it is known."""

    name: str = ""
    account: str = ""
    bank_code: str = ""
    bank_name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """One credit transfer the company orders.

    `reference` is the end-to-end id the company chose; it is unique for ever, and it is the
    only thing a later enquiry needs. `amount` is positive, in `currency`.
    """

    reference: str
    debtor: AccountIdentity
    creditor: Party
    amount: Decimal
    currency: str
    requested_on: date
    purpose: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The bank's word on one payment (pain.002 shape). `text` is in the bank's own words."""

    reference: str
    state: PaymentState
    code: str = ""
    text: str = ""
    bank_reference: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReport:
    """The four figures a bank keeps for an account; None where the bank does not say."""

    account: AccountIdentity
    as_of: datetime
    ledger: Decimal
    available: Decimal | None = None
    frozen: Decimal | None = None
    previous_day: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedAmount:
    """A balance on a statement: signed amount (credit positive) on a date."""

    amount: Decimal
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a statement. `amount` is signed in the statement's currency.

    `reference` is the end-to-end id we gave, when the bank echoes it; `bank_reference` is the
    bank's own identity of the line. `position` is where the line stood in its file.
    """

    amount: Decimal
    currency: str
    booked_on: date | None
    value_on: date | None = None
    status: EntryStatus = EntryStatus.BOOKED
    reference: str = ""
    bank_reference: str = ""
    counterparty: Party = Party()
    text: str = ""
    code: str = ""
    reversal: bool = False
    return_reason: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account statement. `flags` are short sentences about what is odd in it.

    `entries` is a tuple here; readers that stream yield `StatementStart`, `Entry` and
    `StatementEnd` events instead so that a million lines need no memory.
    """

    account: AccountIdentity
    currency: str
    number: str = ""
    opening: DatedAmount | None = None
    closing: DatedAmount | None = None
    entries: tuple[Entry, ...] = ()
    flags: tuple[str, ...] = ()
    intraday: bool = False

    @property
    def balanced(self) -> bool | None:
        """Opening plus booked entries equals closing; None when a balance is missing."""
        if self.opening is None or self.closing is None:
            return None
        booked = sum((e.amount for e in self.entries if e.status is EntryStatus.BOOKED), Decimal(0))
        return self.opening.amount + booked == self.closing.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementStart:
    """Stream event: a statement begins. What is not yet known is left empty."""

    account: AccountIdentity
    currency: str | None = None
    number: str = ""
    opening: DatedAmount | None = None
    intraday: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEnd:
    """Stream event: a statement ends; values here complete those of its start.

    A value of None (or "") means "as the start said". `booked` is the sum of the booked entries
    as read, `quarantined` how many lines of this statement could not be; with any of those
    `balanced` is never True.
    """

    account: AccountIdentity | None = None
    currency: str | None = None
    number: str = ""
    opening: DatedAmount | None = None
    closing: DatedAmount | None = None
    flags: tuple[str, ...] = ()
    booked: Decimal = Decimal(0)
    balanced: bool | None = None
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Stream event: a piece of a file that could not be read, kept as it stood, never guessed."""

    position: int
    raw: str
    reason: str


StatementEvent = StatementStart | Entry | StatementEnd | Quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One request and its answer exactly as they went over the line, for the exchange log."""

    request: bytes
    response: bytes
    started_at: datetime
    ended_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Statement bytes a bank handed over, to be stored before anyone parses them."""

    name: str
    content: bytes
    format: str
    talk: Talk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """What one fetch brought: files, the durable cursor to store, and whether more waits."""

    files: tuple[Fetched, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a connector heard: the records, and the raw talk they were read from."""

    reports: tuple[StatusReport, ...] = ()
    balances: tuple[BalanceReport, ...] = ()
    accounts: tuple[AccountIdentity, ...] = ()
    talks: tuple[Talk, ...] = field(default=())
