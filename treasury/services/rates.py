"""Exchange rates: converting amounts with what was known on a day, and taking in rate files.

A rate is valid from its day until a later one of the same pair. `convert` looks for the pair
itself, then its inverse, then one common quote currency. The result is rounded half-even to
the minor units of the target currency (ISO 4217: JPY 0, CNY 2, KWD 3), once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from treasury import money
from treasury.models import ExchangeRate
from treasury.services import access, auditing
from treasury.tables import Problem, TableError, find_columns, read_date, read_table

COLUMNS = {
    "on": ("date", "valid from", "on", "日期", "生效日期"),
    "currency": ("currency", "base", "币种", "货币"),
    "quote": ("quote", "in", "折算币种", "报价货币"),
    "rate": ("rate", "汇率"),
}


class NoRateError(Exception):
    """No way from one currency to the other on that day. The text names pair, day and next step."""

    code = "treasury.no_rate"

    def __init__(self, currency: str, to: str, on: date) -> None:
        self.currency, self.to, self.on = currency, to, on
        self.hint = _("Import a rate with `manage.py import_rates FILE`, or on the page Exchange rates.")
        super().__init__(
            _("There is no exchange rate from %(currency)s to %(to)s on or before %(on)s. %(hint)s")
            % {"currency": currency, "to": to, "on": on.isoformat(), "hint": self.hint}
        )


class RatesRefusedError(Exception):
    """The rate file has rows that cannot be taken; nothing of it was stored. `problems` lists them."""

    code = "treasury.rates_refused"

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(
            _("%(file)s was not imported: %(count)d rows are wrong. Correct them and import it again.")
            % {"file": name, "count": len(problems)}
        )


@dataclass(frozen=True, slots=True)
class Path:
    """How one currency became another: the factor, exactly, and the day of its oldest rate."""

    factor: Fraction
    on: date
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RatesImported:
    """What a rate file changed. The same file again changes nothing."""

    added: int
    corrected: int
    unchanged: int


def convert(*, amount: Decimal, currency: str, to: str, on: date) -> Decimal:
    """`amount` of `currency` in `to` at the latest rate on or before `on`.

    Rounded half-even to the minor units of `to`; the sign is kept; an amount already in `to`
    comes back as it is. Raises NoRateError, or MoneyError for a currency ISO 4217 lacks.
    """
    money.check_currency(currency)
    money.check_currency(to)
    if currency == to:
        return amount
    return rounded(Fraction(amount) * find_path(currency=currency, to=to, on=on).factor, to)


def rounded(exact: Fraction, currency: str) -> Decimal:
    """An exact amount half-even at the currency's minor unit."""
    digits = money.minor_units(currency)
    units = round(exact * 10**digits)  # Python rounds fractions half to even
    return Decimal(units).scaleb(-digits, Context(prec=60, rounding=ROUND_HALF_EVEN))


def find_path(*, currency: str, to: str, on: date) -> Path:
    """The rate used by `convert`: direct or inverse (the newer, direct when equal), else a cross.

    Of several crosses the one whose older leg is newest is taken, then the first by code.
    Raises NoRateError.
    """
    pair = (currency, to)
    rows = (
        ExchangeRate.objects.filter(Q(currency__in=pair) | Q(quote__in=pair), on__lte=on)
        .order_by("currency", "quote", "-on")
        .distinct("currency", "quote")
    )
    known = {(row.currency, row.quote): row for row in rows}
    direct = _leg(known, currency, to)
    if direct is not None:
        return direct
    crosses = []
    for middle in sorted({code for key in known for code in key} - set(pair)):
        first, second = _leg(known, currency, middle), _leg(known, middle, to)
        if first is not None and second is not None:
            crosses.append(Path(first.factor * second.factor, min(first.on, second.on), (middle,)))
    if not crosses:
        raise NoRateError(currency, to, on)
    return max(crosses, key=lambda path: path.on)  # max keeps the first of equals


def _leg(known: Mapping[tuple[str, str], ExchangeRate], start: str, end: str) -> Path | None:
    direct, inverse = known.get((start, end)), known.get((end, start))
    if direct is not None and (inverse is None or direct.on >= inverse.on):
        return Path(Fraction(direct.rate), direct.on)
    if inverse is not None:
        return Path(1 / Fraction(inverse.rate), inverse.on)
    return None


@transaction.atomic
def import_rates(*, name: str, content: bytes, by: Any, at: datetime) -> RatesImported:
    """Take in a CSV or XLSX file with the columns date, currency, quote and rate.

    All or nothing. A pair and day already known with another rate is corrected, and the audit
    trail says from what to what. Raises TableError for a file that is no table,
    RatesRefusedError with one problem a row, AccessDeniedError unless `by` may plan cash
    (None is the portal itself: the command).
    """
    if by is not None:
        access.require(by, "treasury.plan_cash")
    wanted = _read(name, content)
    keys = [Q(currency=c, quote=q, on=d) for c, q, d in wanted]
    known: dict[tuple[str, str, date], ExchangeRate] = {}
    for start in range(0, len(keys), 500):
        for row in ExchangeRate.objects.select_for_update().filter(_any(keys[start : start + 500])):
            known[row.currency, row.quote, row.on] = row
    added = [
        ExchangeRate(currency=c, quote=q, on=d, rate=rate, source=name[:60])
        for (c, q, d), rate in wanted.items()
        if (c, q, d) not in known
    ]
    corrected = []
    for key, row in known.items():
        if row.rate != wanted[key]:
            corrected.append([f"{row.currency}/{row.quote} {row.on}", str(row.rate), str(wanted[key])])
            row.rate, row.source = wanted[key], name[:60]
            row.save(update_fields=["rate", "source"])
    ExchangeRate.objects.bulk_create(added)
    touched = (*added, *(row for row in known.values()))
    if added or corrected:
        auditing.record(
            action="treasury.rates_imported",
            about=touched[0],
            by=by,
            at=at,
            file=name,
            added=len(added),
            corrected=corrected,
        )
    return RatesImported(len(added), len(corrected), len(wanted) - len(added) - len(corrected))


def _any(conditions: Iterable[Q]) -> Q:
    whole = Q()
    for condition in conditions:
        whole |= condition
    return whole


def _read(name: str, content: bytes) -> dict[tuple[str, str, date], Decimal]:
    table = read_table(name=name, content=content)
    columns = find_columns(table, COLUMNS, required=COLUMNS, file=name)
    rates: dict[tuple[str, str, date], Decimal] = {}
    problems: list[Problem] = []
    for row in table.rows:
        cells = {key: row.get(column) for key, column in columns.items()}
        try:
            key, rate = _checked(cells)
            if rates.setdefault(key, rate) != rate:
                raise _RowError(
                    _("two rates for one pair and day"),
                    _("%(pair)s on %(on)s already has the rate %(rate)s further up.")
                    % {"pair": f"{key[0]}/{key[1]}", "on": key[2], "rate": rates[key]},
                )
        except _RowError as error:
            problems.append(Problem(row.number, *error.args))
    if problems:
        raise RatesRefusedError(name, problems)
    if not rates:
        raise TableError(_("%(file)s has a header but no rows below it.") % {"file": name})
    return rates


class _RowError(Exception):
    """(cause, text) of one row."""


def _checked(cells: Mapping[str, str]) -> tuple[tuple[str, str, date], Decimal]:
    try:
        on = read_date(cells["on"])
    except ValueError as error:
        raise _RowError(_("date"), str(error)) from error
    currency, quote = cells["currency"].upper(), cells["quote"].upper()
    try:
        money.check_currency(currency)
        money.check_currency(quote)
    except money.MoneyError as error:
        raise _RowError(_("currency"), str(error)) from error
    if currency == quote:
        raise _RowError(_("currency"), _("%(code)s in itself needs no rate.") % {"code": currency})
    try:
        rate = Decimal(cells["rate"])
    except InvalidOperation:
        rate = Decimal(0)
    # a rate of numeric(20, 10) must be stored exactly as it was written
    if not rate.is_finite() or not 0 < rate < Decimal(10) ** 10 or rate != round(rate, 10):
        raise _RowError(
            _("rate"),
            _("%(rate)s is not a rate. Write a positive number with at most 10 decimals, like 7.1234.")
            % {"rate": repr(cells["rate"])},
        )
    return (currency, quote, on), rate
