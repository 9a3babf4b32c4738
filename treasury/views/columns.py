"""Columns of lists and facts of detail pages: where a value comes from, how it looks, how it is exported.

A column is described once and serves the table on screen, the CSV and the XLSX file:

    Column("reference", _("Reference"), kind="link")
    Column("account", _("Account"), value="account.name")
    Column("amount", _("Amount"), kind="signed", currency="account.currency", sort=True)
    Column("as_of", _("As of"), kind="instant", zone="account.time_zone")
    Column("made_by", _("Entered by"), value=lambda row: row.made_by.username)

`value` and `currency` are attribute paths (dots) or functions of the row; a path that meets None
gives None. Kinds: text, link, amount, signed, number, date, instant, state, yes_no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from treasury.templatetags import portal

Source = str | Callable[[Any], Any]
NUMERIC = frozenset({"amount", "signed", "number"})


def follow(row: Any, source: Source) -> Any:
    """The value `source` names on `row`."""
    if callable(source):
        return source(row)
    for name in source.split("."):
        if row is None:
            return None
        row = getattr(row, name)
    return row


@dataclass(frozen=True, slots=True)
class Column:
    """One column or fact. `sort=True` lets readers sort by the field `key` (or by `sort_by`);
    `roomy` columns (names, accounts) keep some width and wrap inside it;
    `with_currency` writes the code behind the amount; `only_in_files` columns are exported and not
    shown; a `hide_empty` fact without a value is left out."""

    key: str
    label: Any
    value: Source = ""
    kind: str = "text"
    currency: Source = "currency"
    zone: Source = ""
    url: Callable[[Any], str] | None = None
    sort: bool = False
    sort_by: str = ""
    wide: bool = False
    roomy: bool = False
    with_currency: bool = False
    only_in_files: bool = False
    hide_empty: bool = False

    def has_value(self, row: Any) -> bool:
        """Whether there is something to show."""
        return self.raw(row) not in (None, "")

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC

    @property
    def css(self) -> str:
        """The class of its cells: figures to the right, dates in one line."""
        if self.numeric:
            return "num"
        if self.kind == "date":
            return "text-nowrap"
        return "roomy" if self.roomy else ""

    @property
    def order_field(self) -> str:
        return self.sort_by or self.key

    def raw(self, row: Any) -> Any:
        """The plain value, for exports and sorting."""
        return follow(row, self.value or self.key)

    def cell(self, row: Any) -> SafeString | str:
        """The value as the page shows it."""
        if self.kind == "state":
            return portal.state_badge(row, self.key)
        value = self.raw(row)
        if value is None or value == "":
            return "—"
        if self.kind in {"amount", "signed"}:
            return self._money(value, str(follow(row, self.currency)))
        if self.kind == "instant":
            return portal.instant(value, follow(row, self.zone) if self.zone else None)
        if self.kind == "date":
            value = f"{value:%Y-%m-%d}"
        if self.kind == "yes_no":
            return portal.badge(_("yes") if value else _("no"), "good" if value else "bad")
        if self.url is not None or self.kind == "link":
            target = self.url(row) if self.url is not None else row.get_absolute_url()
            return format_html('<a href="{}">{}</a>', target, value)
        return str(value)

    def _money(self, value: Decimal, currency: str) -> SafeString:
        if self.kind == "signed":
            return portal.signed(value, currency)
        written = portal.money(value, currency)
        if self.with_currency:
            written = f"{written} {currency}"
        return format_html('<span class="{}">{}</span>', "negative" if value < 0 else "", written)

    def exported(self, row: Any) -> Any:
        """The value as a file holds it: Decimal and dates stay what they are, the rest is text."""
        if self.kind == "state":
            display = getattr(row, f"get_{self.key}_display", None)
            return str(display() if display else self.raw(row))
        value = self.raw(row)
        if isinstance(value, datetime):
            zone = ZoneInfo(str(follow(row, self.zone))) if self.zone else timezone.get_current_timezone()
            return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if self.numeric or value is None or hasattr(value, "isoformat"):
            return value
        return str(value)
