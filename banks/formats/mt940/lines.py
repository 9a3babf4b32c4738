"""Single fields of MT940/942: dates, amounts, balances (60, 62), statement lines (61), accounts (25).

Pure text in, values out. An amount that can be read in two ways is refused, never guessed.
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from banks.messages import AccountIdentity


class BadLineError(ValueError):
    """A line that cannot be read; the reason is the message."""


LONGEST = 4096
"""Characters of a statement line that are looked at; the standard allows 65."""
_PLAIN = re.compile(r"[0-9]{1,18}(?:,[0-9]{0,5}0*)?", re.ASCII)
_DOTTED = re.compile(r"[0-9]{1,18}\.[0-9]{0,5}", re.ASCII)
_GROUPED = re.compile(
    r"(?P<dots>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<cents>[0-9]{0,5})"
    r"|(?P<commas>[0-9]{1,3}(?:,[0-9]{3})+)\.(?P<pence>[0-9]{0,5})"
    r"|(?P<whole>[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}|(?:,[0-9]{3}){2,}|(?:'[0-9]{3})+))"
    r"|(?P<swiss>[0-9]{1,3}(?:'[0-9]{3})+)[.,](?P<rappen>[0-9]{0,5})",
    re.ASCII,
)
_BALANCE = re.compile(
    r"\s*(?P<mark>[RE]?[CD])\s*(?P<day>[0-9]{6})(?P<currency>[A-Z]{3})?\s*(?P<amount>[0-9.,']+)"
)
_SUM = re.compile(r"[0-9]{0,5}\s*(?P<currency>[A-Z]{3})")
STATEMENT_LINE = re.compile(
    r"\s*(?P<value>[0-9]{6})(?P<entry>[0-9]{4}|\s{4})?\s*(?P<mark>[RE]?[CD])(?P<funds>[A-Z])?\s*"
    r"(?P<minus>-)?(?P<amount>[0-9][0-9.,']*)\s*"
    r"(?:(?P<code>[A-Z][A-Z0-9 ]{3})(?P<reference>.*?)(?://(?P<bank>.*))?)?\s*",
    re.ASCII,
)
COMMON = re.compile(
    r"([0-9]{6})([0-9]{4})?(R?[CD])[A-Z]?([0-9]{1,15},[0-9]{0,5})([NFS][A-Z0-9]{3})"
    r"((?:[^\n/ ]+(?: [^\n/ ]+)*)?)(?://([^\n/ ]*))?",
    re.ASCII,
)
"""The statement line as the standard has it; whatever differs goes the long way."""
_ACCOUNT = re.compile(
    r"(?P<bank>[0-9]{8}|[0-9]{12}|[A-Z0-9]{8,11}|[A-Z]+)/(?P<number>[^/]+)(?:/(?P<currency>[A-Z]{3}))?"
)
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CURRENCY_BEHIND = re.compile(r"(?P<number>.*[0-9]) ?(?P<currency>[A-Z]{3})")
_DATES: dict[str, date] = {}
PAIRS: dict[tuple[str, str | None], tuple[date, date]] = {}


def amount(value: str) -> Decimal:
    """An unsigned MT940 amount. Raises `BadLineError` where the text has no single reading.

    The decimal comma is the rule; a dot is accepted as decimal mark except before exactly three
    digits, where it might as well group thousands.
    """
    if _PLAIN.fullmatch(value):
        return Decimal(value.replace(",", "."))
    if _DOTTED.fullmatch(value):
        if len(value) - value.index(".") == 4:
            raise BadLineError(f"amount “{value}” may mean thousands or decimals")
        return Decimal(value)
    if found := _GROUPED.fullmatch(value):
        whole = found["dots"] or found["commas"] or found["whole"] or found["swiss"]
        part = found["cents"] or found["pence"] or found["rappen"] or ""
        digits = re.sub(r"[.,']", "", whole)
        return Decimal(f"{digits}.{part}" if part else digits)
    raise BadLineError(f"amount “{value}” is not a number")


def day(value: str) -> tuple[date, bool]:
    """A YYMMDD date, and whether it exists: 30 February, a bank's fiction, is the month's last day."""
    known = _DATES.get(value)
    if known is not None:
        return known, True
    year, month, number = int(value[:2]), int(value[2:4]), int(value[4:])
    year += 2000 if year < 80 else 1900
    if not (1 <= month <= 12 and 1 <= number <= 31):
        raise BadLineError(f"date “{value}” does not exist")
    last = calendar.monthrange(year, month)[1]
    if number > last:
        return date(year, month, last), False
    if len(_DATES) > 5000:
        _DATES.clear()
    found = _DATES[value] = date(year, month, number)
    return found, True


def entry_day(value: date, text: str) -> tuple[date, bool]:
    """The MMDD entry date nearest to the value date, across the turn of the year."""
    found = [day(f"{(value.year + step) % 100:02}{text}") for step in (-1, 0, 1)]
    return min(found, key=lambda pair: abs((pair[0] - value).days))


def balance(text: str) -> tuple[Decimal, date, str, bool]:
    """Field 60 or 62: signed amount, date, currency (may be ""), whether the date exists."""
    found = _BALANCE.match(text)
    if not found:
        raise BadLineError("not a balance like C260131EUR1234,56")
    value = amount(found["amount"])
    on, exists = day(found["day"])
    return (-value if found["mark"][-1] == "D" else value), on, found["currency"] or "", exists


def sum_currency(text: str) -> str:
    """The currency of field 34F, 90C or 90D, or ""."""
    found = _SUM.match(text.strip())
    return found["currency"] if found else ""


class Line(NamedTuple):
    """Field 61, read."""

    amount: Decimal
    value_on: date
    booked_on: date
    exact: bool
    expected: bool
    reversal: bool
    minus: bool
    code: str
    reference: str
    bank_reference: str
    supplement: str


POINTERS = {"NONREF", "KREF+", "EREF", "EREF+", "MARF", "PREF", "NOREF", "NOTPROVIDED", "UNKNOWN"}


def statement_line(content: str) -> Line:
    """Read field 61 with its supplementary line. Raises `BadLineError`."""
    found = COMMON.fullmatch(content)
    if found:
        value_text, entry_text, mark, number, code, reference, bank = found.groups()
        days = PAIRS.get((value_text, entry_text))
        if days is not None:
            signed = Decimal(number.replace(",", "."))
            return Line(
                signed.copy_negate() if mark == "D" or mark == "RC" else signed,
                days[0],
                days[1],
                True,
                False,
                mark[0] == "R",
                False,
                code,
                "" if reference in POINTERS else reference,
                "" if bank is None or bank in POINTERS else bank,
                "",
            )
    return _any_line(content)


def _any_line(content: str) -> Line:
    first, _, rest = content.partition("\n")
    if len(first) > LONGEST:
        raise BadLineError(f"a statement line of {len(first)} characters")
    found = STATEMENT_LINE.fullmatch(first)
    if not found and rest:
        # A transport wrapped the line before its amount was complete.
        second, _, more = rest.partition("\n")
        found, rest = STATEMENT_LINE.fullmatch((first.rstrip() + second)[:LONGEST]), more
    if not found:
        raise BadLineError("not a statement line like 2601310131C1234,56NTRFreference//bank")
    value_text, entry_text, mark, _, minus, number, code, reference, bank = found.groups()
    value_on, exact = day(value_text)
    booked_on, exists = value_on, True
    if entry_text and not entry_text.isspace():
        booked_on, exists = entry_day(value_on, entry_text)
    if exact and exists:
        if len(PAIRS) > 5000:
            PAIRS.clear()
        PAIRS[value_text, entry_text] = (value_on, booked_on)
    signed = amount(number)
    if (mark in ("D", "RC", "ED")) is not (minus is not None):
        signed = signed.copy_negate()
    reference = (reference or "").strip()
    supplement = ""
    if "   " in reference:
        reference, _, supplement = reference.partition("   ")
    bank = (bank or "").strip()
    if rest:
        supplement = f"{supplement.strip()} {rest.strip()}"
    return Line(
        amount=signed,
        value_on=value_on,
        booked_on=booked_on,
        exact=exact and exists,
        expected=mark[0] == "E",
        reversal=mark[0] == "R",
        minus=minus is not None,
        code=(code or "").strip(),
        reference="" if reference in POINTERS else reference,
        bank_reference="" if bank in POINTERS else bank,
        supplement=supplement.strip(),
    )


def account(content: str, currency: str) -> AccountIdentity:
    """Field 25: bank/number (BLZ, BIC or CNAPS), number with its currency behind, IBAN; on line two a
    BIC (25P) or a name."""
    first, _, second = content.strip().partition("\n")
    number, name, bank, unit = first.strip(), " ".join(second.split()), "", ""
    if _BIC.fullmatch(name):
        bank, name = name, ""
    if found := _ACCOUNT.fullmatch(number):
        bank, number, unit = found["bank"], found["number"].strip(), found["currency"] or ""
    if (found := _CURRENCY_BEHIND.fullmatch(number)) and (not currency or found["currency"] == currency):
        number, unit = found["number"], found["currency"]
    return AccountIdentity(number=number, currency=currency or unit or None, bank_code=bank, name=name)
