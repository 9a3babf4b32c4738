"""Statements and bank lines: lists, one statement, and the boxes on an account's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from banks.models import Entry, Statement
from treasury.models import Account
from treasury.services import access
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage

LINES_SHOWN = 100


def statement_url(statement: Statement) -> str:
    return reverse("banks:statement", args=[statement.pk])


class _AccountFilters(Filters):
    """Filters that offer the accounts the reader may see."""

    account = forms.ModelChoiceField(Account.objects.none(), label=_("Account"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.visible_to(self.user)  # type: ignore[attr-defined]


class StatementFilters(_AccountFilters):
    since = forms.DateField(label=_("Closing from"))
    until = forms.DateField(label=_("Closing until"))
    check = forms.ChoiceField(
        label=_("Check"),
        choices=[("", _("All")), ("odd", _("Does not add up or leaves a gap")), ("good", _("Adds up"))],
    )
    lookups = {"account": "account", "since": "closing_on__gte", "until": "closing_on__lte"}

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().narrow(rows)
        check = self.cleaned_data.get("check")
        if check == "odd":
            return rows.filter(balanced=False) | rows.filter(continuous=False)
        return rows.filter(balanced=True).exclude(continuous=False) if check == "good" else rows


class StatementsPage(ListPage):
    """Every statement of the reader's accounts, with its checks."""

    model, title, filters = Statement, _("Statements"), StatementFilters
    template_name = "banks/statements.html"
    related = ("account",)
    empty = _("No statement yet. It comes from a connected bank, or from a file under Statement files.")
    columns = (
        Column("account", _("Account"), url=statement_url, roomy=True),
        Column("number", _("Number")),
        Column("closing_on", _("Closing on"), kind="date", sort=True),
        Column("opening", _("Opening balance"), kind="amount"),
        Column("entries_sum", _("Booked entries"), kind="signed"),
        Column("closing", _("Closing balance"), kind="amount", sort=True),
        Column("currency", _("Currency")),
        Column("entries_count", _("Lines"), kind="number"),
        Column("balanced", _("Adds up"), kind="yes_no"),
        Column("continuous", _("Continues"), kind="yes_no"),
        Column("intraday", _("Intraday"), value=lambda s: _("yes") if s.intraday else ""),
    )
    order = ("-id",)

    def more(self) -> dict[str, Any]:
        return {"may_import": access.may(self.request.user, "banks.import_statement")}


class StatementPage(DetailPage):
    """One statement: opening + entries = closing, its remarks and its lines."""

    model, template_name, related = Statement, "banks/statement.html", ("account__company", "file")
    timeline = True
    facts = (
        Column("account", _("Account"), roomy=True),
        Column("company", _("Company"), value="account.company"),
        Column("number", _("Number")),
        Column("opening_on", _("Opening on"), kind="date"),
        Column("closing_on", _("Closing on"), kind="date"),
        Column("intraday", _("Intraday"), value=lambda s: _("yes") if s.intraday else _("no")),
        Column("file", _("File"), url=lambda s: reverse("banks:file", args=[s.file_id])),
        Column("imported_at", _("Imported at"), kind="instant"),
        Column("entries_count", _("Lines"), kind="number"),
        Column("new_count", _("Lines new with it"), kind="number"),
    )

    def more(self, found: Statement) -> dict[str, Any]:
        lines = list(found.entries.order_by("position")[: LINES_SHOWN + 1])
        total = None if found.opening is None else found.opening + found.entries_sum
        return {
            "lines": lines[:LINES_SHOWN],
            "more_lines": len(lines) > LINES_SHOWN,
            "known_count": found.entries_count - found.new_count,
            "total": total,
            "difference": None if total is None or found.closing is None else found.closing - total,
            "quarantined": found.file.quarantined.filter(resolved_at__isnull=True).count(),
        }


class EntryFilters(_AccountFilters):
    search = forms.CharField(label=_("Search"))
    since = forms.DateField(label=_("Booked from"))
    until = forms.DateField(label=_("Booked until"))
    least = forms.DecimalField(label=_("Amount from"))
    most = forms.DecimalField(label=_("Amount until"))
    status = forms.ChoiceField(
        label=_("Status"), choices=[("", _("Booked")), ("pending", _("On its way at the bank"))]
    )
    statement = forms.IntegerField(widget=forms.HiddenInput, required=False)
    lookups = {
        "account": "account",
        "since": "booked_on__gte",
        "until": "booked_on__lte",
        "least": "amount__gte",
        "most": "amount__lte",
        "statement": "statement",
        "search": (
            "text__icontains",
            "counterparty_name__icontains",
            "counterparty_account__icontains",
            "reference__icontains",
            "bank_reference__icontains",
        ),
    }

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = rows.pending() if self.cleaned_data.get("status") == "pending" else rows.booked()  # type: ignore[attr-defined]
        return super().narrow(rows)


class EntriesPage(ListPage):
    """Bank lines over all accounts; booked ones unless the pending are asked for."""

    empty = _(
        "No bank line yet. "
        "Lines come with the statements of a connected bank, or from a file under Statement files."
    )
    model, title, filters = Entry, _("Bank lines"), EntryFilters
    related = ("account",)
    order = ("-booked_on", "-id")
    totals = ("amount", "currency")
    export_name = "bank-lines"
    columns: Sequence[Column] = (
        Column("booked_on", _("Booked on"), kind="date", sort=True),
        Column(
            "account",
            _("Account"),
            url=lambda e: reverse("banks:statement", args=[e.statement_id]),
            roomy=True,
        ),
        Column("counterparty_name", _("Counterparty")),
        Column("text", _("Text")),
        Column("reference", _("Our reference")),
        Column("bank_reference", _("Bank reference")),
        Column("amount", _("Amount"), kind="signed", sort=True),
        Column("currency", _("Currency")),
    )
    exported = (
        *columns,
        Column("account_number", _("Account number"), value="account.number"),
        Column("value_on", _("Value on"), kind="date"),
        Column("counterparty_account", _("Counterparty account")),
        Column("status", _("Status"), kind="state"),
        Column("return_reason", _("Return reason")),
    )

    def export(self, rows: QuerySet[Any], kind: str) -> HttpResponseBase:
        """A file has room for more columns than a screen."""
        self.columns = self.exported
        return super().export(rows, kind)


def account_lines(request: HttpRequest, account: Account, at: datetime) -> Mapping[str, Any] | None:
    """The newest bank lines of one account, and what is on its way."""
    lines = Entry.objects.filter(account=account)
    newest = list(lines.booked().order_by("-booked_on", "-id")[:15])
    pending = list(lines.pending().order_by("-booked_on", "-id")[:15])
    return {"account": account, "lines": newest, "pending": pending} if newest or pending else None


def account_statements(request: HttpRequest, account: Account, at: datetime) -> Mapping[str, Any] | None:
    """The newest statements of one account with their checks."""
    newest = list(Statement.objects.filter(account=account)[:10])
    return {"account": account, "statements": newest} if newest else None
