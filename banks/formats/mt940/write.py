"""Writing MT940 statements and MT942 intraday reports.

The `:86:` lines are laid out in numbered `?` fields of 27 characters with SEPA keywords, the one
widespread layout that carries reference, counterparty and text apart. What MT940 cannot say
raises `UnwritableError`; nothing is cut off silently except what the reader restores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from banks.formats.errors import UnwritableError
from banks.formats.mt940.lines import POINTERS
from banks.messages import DatedAmount, Entry, EntryStatus, Statement

_NUMBER = re.compile(r"[0-9]{1,10}(/[0-9]{1,5})?")
_CODE = re.compile(r"[NFS][A-Z0-9]{3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SHORT_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,()+:?'-]{0,15}")
_TEXT_FIELDS = (*range(20, 30), *range(60, 64))
_FIELD = 27
_LINE = 65


def write(
    statements: Iterable[Statement], *, encoding: str = "utf-8", reported_at: datetime | None = None
) -> bytes:
    """Write statements as MT940, intraday ones as MT942, one message each.

    `reported_at` is the moment of an MT942 (default: the end of its newest day). Raises
    `UnwritableError`, also when a character is missing from `encoding`.
    """
    lines: list[str] = []
    for statement in statements:
        lines.extend(_statement(statement, reported_at))
    if not lines:
        raise UnwritableError("An MT940 file needs at least one statement; none was given.")
    try:
        return ("\r\n".join(lines) + "\r\n").encode(encoding)
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise UnwritableError(f"Character “{bad}” is not in {encoding}; write the file in utf-8.") from error


def _statement(statement: Statement, reported_at: datetime | None) -> Iterator[str]:
    currency = statement.currency
    if not _CURRENCY.fullmatch(currency or ""):
        raise UnwritableError(f"Currency “{currency}” is not three capital letters of ISO 4217.")
    number = statement.number or "0"
    if not _NUMBER.fullmatch(number):
        raise UnwritableError(f"Statement number “{number}” must be digits, with an optional /page.")
    yield f":20:ST{number.replace('/', '-')}"[:20]
    yield f":25:{_account(statement)}"
    yield f":28C:{number if '/' in number else number + '/1'}"
    if statement.intraday:
        yield from _intraday_head(statement, reported_at)
    else:
        yield _balance("60F", statement.opening, currency)
    for entry in statement.entries:
        yield from _entry(entry, currency)
    if statement.intraday:
        yield from _sums(statement)
    else:
        yield _balance("62F", statement.closing, currency)
    yield "-"


def _account(statement: Statement) -> str:
    account = statement.account
    name = f"{account.bank_code}/{account.number}" if account.bank_code else account.number
    name = " ".join(name.split())
    if not name or len(name) > 35:
        raise UnwritableError(f"Account “{name}” must have 1 to 35 characters in field 25.")
    return name


def _intraday_head(statement: Statement, reported_at: datetime | None) -> Iterator[str]:
    yield f":34F:{statement.currency}0,"
    if reported_at is not None:
        yield f":13D:{reported_at:%y%m%d%H%M%z}"
        return
    days = [e.booked_on or e.value_on for e in statement.entries]
    known = [day for day in days if day is not None]
    if statement.closing and statement.closing.on:
        known.append(statement.closing.on)
    if not known:
        raise UnwritableError("An MT942 without entries needs reported_at: its moment is unknown.")
    yield f":13D:{_day(max(known))}2359+0000"


def _sums(statement: Statement) -> Iterator[str]:
    for mark, chosen in (
        ("90D", [e.amount for e in statement.entries if e.amount < 0]),
        ("90C", [e.amount for e in statement.entries if e.amount >= 0]),
    ):
        yield f":{mark}:{len(chosen)}{statement.currency}{_digits(sum(chosen, Decimal(0)))}"


def _balance(tag: str, balance: DatedAmount | None, currency: str) -> str:
    if balance is None or balance.on is None:
        raise UnwritableError(f"MT940 needs the balance of field {tag} with its date; it is missing.")
    mark = "D" if balance.amount < 0 else "C"
    return f":{tag}:{mark}{_day(balance.on)}{currency}{_digits(balance.amount)}"


def _digits(amount: Decimal) -> str:
    text = f"{amount.copy_abs():f}" if amount.is_finite() else ""
    if not text or len(text) + ("." not in text) > 15:
        raise UnwritableError(f"Amount {amount} must fit in 15 characters with its decimal comma.")
    return text.replace(".", ",") if "." in text else text + ","


def _day(day: date) -> str:
    return day.strftime("%y%m%d")


def _entry(entry: Entry, currency: str) -> Iterator[str]:
    if entry.currency != currency:
        raise UnwritableError(f"An entry in {entry.currency} cannot stand in an MT940 in {currency}.")
    if entry.status is not EntryStatus.BOOKED:
        raise UnwritableError("MT940 and MT942 can only say booked entries; leave the others out.")
    valued = entry.value_on or entry.booked_on
    if valued is None:
        raise UnwritableError("An entry without any date cannot be written in field 61.")
    booked = entry.booked_on.strftime("%m%d") if entry.booked_on else ""
    credit = (entry.amount >= 0) is not entry.reversal
    mark = ("R" if entry.reversal else "") + ("C" if credit else "D")
    code = entry.code if _CODE.fullmatch(entry.code) else "NTRF"
    reference = entry.reference if _is_short(entry.reference) else "NONREF"
    line = f":61:{_day(valued)}{booked}{mark}{_digits(entry.amount)}{code}{reference}"
    if entry.bank_reference:
        line += f"//{_clean(entry.bank_reference)[:16]}"
    yield line
    yield from _wrapped(":86:" + _details(entry))


def _is_short(reference: str) -> bool:
    return (
        bool(_SHORT_REF.fullmatch(reference))
        and reference == _clean(reference)
        and "   " not in reference
        and reference not in POINTERS
    )


def _clean(value: str) -> str:
    """Printable, one line, and free of the `?` that starts a field."""
    printable = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(printable.replace("?", ".").split())


def _details(entry: Entry) -> str:
    """The content of field 86: ?00 code, ?20-?29 and ?60-?63 text, ?30-?33 counterparty, ?34 reason."""
    words = []
    if entry.reference and not _is_short(entry.reference):
        words.append("EREF+" + _clean(entry.reference))
    if len(bank := _clean(entry.bank_reference)) > 16 or bank in POINTERS:
        words.append("BREF+" + bank)
    if entry.return_reason:
        words.append("RTRN+" + _clean(entry.return_reason))
    if text := _clean(entry.text):
        words.append("SVWZ+" + text)
    party = entry.counterparty
    purpose = _fields(" ".join(words), _TEXT_FIELDS, "text")
    name = _fields(_clean(party.name), (32, 33), "counterparty name")
    kind = "835" if entry.amount < 0 else "866"
    parts = [f"{kind}?00{'OUT' if entry.amount < 0 else 'IN'}"]
    parts += [f"?{n}{v}" for n, v in purpose if n < 30]
    parts += [f"?30{_clean(party.bank_code)}"] if party.bank_code else []
    parts += [f"?31{_clean(party.account)}"] if party.account else []
    parts += [f"?{n}{v}" for n, v in name]
    parts += [f"?{n}{v}" for n, v in purpose if n >= 60]
    return "".join(parts)


def _fields(value: str, numbers: tuple[int, ...], what: str) -> list[tuple[int, str]]:
    room = len(numbers) * _FIELD
    if len(value) > room:
        raise UnwritableError(
            f"The {what} of an entry has {len(value)} characters; MT940 has room for {room}."
        )
    pieces = [value[i : i + _FIELD] for i in range(0, len(value), _FIELD)]
    return list(zip(numbers, pieces, strict=False))


def _wrapped(line: str) -> Iterator[str]:
    """Lines of 65 characters, none of which could be taken for a tag or for the end of the message."""
    while len(line) > _LINE:
        cut = _LINE
        while cut > 1 and line[cut] in ":-{}":
            cut -= 1
        yield line[:cut]
        line = line[cut:]
    yield line
