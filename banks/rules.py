"""Pure rules: when two account numbers are one, what makes a line itself, what a viewer hides.

No database. Storing and counting equal lines is `services.storing`'s.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from banks.messages import Entry, EntryStatus

FINEST = Decimal("0.00001")
LARGEST = Decimal(10) ** 15
_NO_REFERENCE = frozenset(
    {"NONREF", "NOREF", "NONE", "NOTPROVIDED", "NOTAVAILABLE", "UNKNOWN", "KEINE", "NA", "NULL"}
)
_PLAIN = re.compile(r"[^0-9A-Z]")
_SPACE = re.compile(r"\s+")


class UnreadableLineError(ValueError):
    """A line says something no line may say; the text says what. It goes to quarantine."""


def plain_number(number: str) -> str:
    """An account number without what people and banks write differently.

    Spaces, dashes, dots and slashes go, letters are capitals (an IBAN in groups of four is the
    same IBAN), leading zeros go, because some banks fill up with them.
    """
    return _PLAIN.sub("", number.upper()).lstrip("0") or "0"


def names_the_line(bank_reference: str) -> bool:
    """Whether a bank reference can identify a line; NONREF, NOTPROVIDED or zeros name nothing."""
    plain = _PLAIN.sub("", bank_reference.upper())
    return bool(plain.strip("0")) and plain not in _NO_REFERENCE


def line_key(entry: Entry, booked_on: date, amount: Decimal, *, named: bool) -> bytes:
    """SHA-256 of what the line is. Equal lines have equal keys, in whatever file they stand.

    The bank's reference with day and amount when the bank gives one, else everything that a
    person would compare. The amount counts beside a reference because a transfer and its fee
    may share one. Texts are left out then, for intraday reports and other formats shorten them.
    `named` is what `names_the_line` says of the reference.
    """
    if named:
        parts: tuple[str, ...] = (
            "R",
            entry.status.value,
            booked_on.isoformat(),
            str(amount),
            entry.bank_reference.strip(),
        )
    else:
        parts = (
            "T",
            entry.status.value,
            booked_on.isoformat(),
            str(amount),
            entry.reference,
            entry.counterparty.account,
            _SPACE.sub(" ", entry.counterparty.name).strip(),
            _SPACE.sub(" ", entry.text).strip(),
        )
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()


def storable_amount(amount: Decimal) -> Decimal:
    """The amount with the five digits the database keeps. Raises UnreadableLineError beyond that."""
    if not amount.is_finite() or abs(amount) >= LARGEST:
        raise UnreadableLineError(f"The amount {amount} is no amount of money that an account can hold.")
    written = amount.quantize(FINEST)
    if written != amount:
        raise UnreadableLineError(f"The amount {amount} is finer than five decimals, which no currency is.")
    return written


def booking_date(entry: Entry, received_on: date) -> date:
    """The day a line belongs to. Raises UnreadableLineError for a booked line without any date."""
    day = entry.booked_on or entry.value_on
    if day is not None:
        return day
    if entry.status is EntryStatus.BOOKED:
        raise UnreadableLineError("The line is booked but says neither a booking nor a value date.")
    return received_on


SHOWN_AT_MOST = 200_000
"""Characters of a raw talk that a page shows."""
_SECRET_FIELDS = re.compile(
    r"""(?im)^(\s*[\w-]*(?:authorization|signature|token|cookie|password|secret|api-?key)[\w-]*\s*:\s*)(.+?)(\r?)$"""
    r"""|("[\w-]*(?:password|secret|token|pin|api_?key|signature)[\w-]*"\s*:\s*")([^"]*)(")"""
    r"""|(<(?:\w+:)?(?:password|pin|token|secret)[^>]*>)([^<]*)(<)"""
)


def shown(raw: bytes | memoryview[int] | None, secrets: Iterable[str]) -> str:
    """A raw talk as text, without the connection's secrets and without what looks like one."""
    text = bytes(raw or b"")[: SHOWN_AT_MOST * 4].decode("utf-8", "replace")
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, "••••")

    def hide(found: re.Match[str]) -> str:
        first = 1 if found[1] is not None else 4 if found[4] is not None else 7
        return f"{found[first]}••••{found[first + 2]}"

    return _SECRET_FIELDS.sub(hide, text)[:SHOWN_AT_MOST]
