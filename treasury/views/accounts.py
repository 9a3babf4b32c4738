"""Companies, their accounts as a list, and one account with its figures and its history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import models
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from treasury import shell
from treasury.models import Account, Balance, Company
from treasury.services import access, accounts, positions
from treasury.templatetags import portal
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage

FRESHNESS_TONES = {"TODAY": "good", "NOT_TODAY": "wait", "OLD": "warn", "NONE": "off"}


class AccountFilters(Filters):
    """Narrow accounts by what a treasurer drills down by."""

    search = forms.CharField(label=_("Name or number"))
    company = forms.ModelChoiceField(
        Company.objects.none(), label=_("Company"), to_field_name="code", empty_label=_("All")
    )
    bank = forms.CharField(label=_("Bank code"))
    currency = forms.CharField(label=_("Currency"), max_length=3)
    status = forms.ChoiceField(label=_("Status"), choices=[("", _("All")), *Account.Status.choices])
    lookups = {
        "search": ("name__icontains", "number__icontains"),
        "company": "company",
        "bank": "bank__code__iexact",
        "currency": "currency__iexact",
        "status": "status",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].queryset = Company.objects.visible_to(self.user)  # type: ignore[attr-defined]


def source_of(account: Any) -> str:
    """Where the newest balance of an annotated account comes from."""
    return str(Balance.Source(account.latest_source).label) if account.latest_source else ""


def freshness_badge(account: Any) -> str:
    """How fresh the newest balance of an annotated account is."""
    fresh = positions.freshness_of(account, account.latest_as_of, timezone.now())
    return portal.badge(fresh.label, FRESHNESS_TONES[fresh])


class FreshnessColumn(Column):
    """A badge on screen, its words in files."""

    def cell(self, row: Any) -> Any:
        return freshness_badge(row)

    def exported(self, row: Any) -> str:
        return str(positions.freshness_of(row, row.latest_as_of, timezone.now()).label)


class AccountsPage(ListPage):
    """All accounts the reader may see, with what is on them."""

    template_name = "treasury/accounts.html"
    model, title, filters = Account, _("Accounts"), AccountFilters
    related = ("company", "bank")
    order = ("name", "id")
    totals = ("latest_ledger", "currency")
    empty = _("No account is in your view. An administrator adds accounts and grants companies or accounts.")
    columns = (
        Column("name", _("Name"), url=lambda a: reverse("account", args=[a.pk]), sort=True, roomy=True),
        Column("number", _("Account number"), sort=True),
        Column("company", _("Company"), value="company.name", sort=True, sort_by="company__name", roomy=True),
        Column("bank", _("Bank"), value="bank.name", sort=True, sort_by="bank__name", roomy=True),
        Column("latest_ledger", _("Ledger balance"), kind="amount"),
        Column("latest_available", _("Available"), kind="amount"),
        Column("currency", _("Currency"), sort=True),
        Column("latest_as_of", _("As of"), kind="instant", zone="time_zone"),
        Column("latest_source", _("Source"), value=source_of),
        FreshnessColumn("freshness", _("Freshness")),
        Column("status", _("Status"), kind="state"),
    )

    def more(self) -> dict[str, Any]:
        return {"may_propose": access.may(self.request.user, accounts.MANAGE)}

    def rows(self) -> models.QuerySet[Any]:
        found: models.QuerySet[Any] = super().rows().with_latest_balance()  # type: ignore[attr-defined]
        return found


class AccountPage(DetailPage):
    """One account: its four figures, their history, and the boxes that apps hang in."""

    model, template_name = Account, "treasury/account.html"
    related = ("company", "bank")
    timeline = True
    facts = (
        Column("company", _("Company"), value="company.name", roomy=True),
        Column("bank", _("Bank"), value="bank.name", roomy=True),
        Column("number", _("Account number")),
        Column("currency", _("Currency")),
        Column("branch_code", _("Branch code (CNAPS 联行号 or BIC)")),
        Column("kind", _("Kind"), value=lambda a: a.get_kind_display()),
        Column("status", _("Status"), kind="state"),
        Column("time_zone", _("Time zone")),
        Column("minimum_balance", _("Minimum balance"), kind="amount"),
        Column("opened_on", _("Opened on"), kind="date"),
    )

    def more(self, found: Account) -> dict[str, Any]:
        at = timezone.now()
        line = positions.lines_of(Account.objects.filter(pk=found.pk), at)[0]
        days = positions.history(account=found, at=at)
        return {
            "line": line,
            "freshness": portal.badge(line.freshness.label, FRESHNESS_TONES[line.freshness]),
            "days": list(reversed(days)),
            "chart": line_of(days, found) if len(days) > 1 else None,
            "may_propose": access.may(self.request.user, accounts.MANAGE),
            "sections": shell.account_sections(self.request, found, at),
        }


def line_of(days: list[tuple[Any, Balance]], account: Account) -> dict[str, Any]:
    """The balance line as the chart draws it: `value` draws, `text` is read."""
    return {
        "line": [
            {
                "label": day.isoformat(),
                "value": float(balance.ledger),
                "text": f"{portal.money(balance.ledger, account.currency)} {account.currency}",
            }
            for day, balance in days
        ],
        "floor": float(account.minimum_balance) if account.minimum_balance else None,
        "floor_label": str(_("Minimum")),
    }


class CompanyFilters(Filters):
    """Find a company."""

    search = forms.CharField(label=_("Code or name"))
    lookups = {"search": ("code__icontains", "name__icontains")}


class CompaniesPage(ListPage):
    """The companies of the group that the reader may see, wholly or in part."""

    model, title, filters = Company, _("Companies"), CompanyFilters
    related = ("parent",)
    order = ("code", "id")
    empty = _("No company is in your view. An administrator grants companies or accounts.")
    columns = (
        Column("code", _("Code"), sort=True),
        Column(
            "name",
            _("Name"),
            url=lambda c: f"{reverse('accounts')}?{urlencode({'company': c.code})}",
            sort=True,
        ),
        Column("parent", _("Parent"), value="parent.name"),
        Column("country", _("Country"), sort=True),
        Column("base_currency", _("Base currency"), sort=True),
        Column("open_accounts", _("Open accounts you see"), kind="number"),
    )

    def rows(self) -> models.QuerySet[Any]:
        seen = Account.objects.visible_to(self.request.user).open()
        counted = Count("accounts", filter=models.Q(accounts__in=seen), distinct=True)
        found: models.QuerySet[Any] = super().rows().annotate(open_accounts=counted)
        return found
