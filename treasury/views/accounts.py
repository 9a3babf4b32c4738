"""Accounts as a list and one by one."""

from __future__ import annotations

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from treasury.models import Account, Company
from treasury.views.columns import Column
from treasury.views.listing import Filters, ListPage


class AccountFilters(Filters):
    """Narrow accounts by what a treasurer drills down by."""

    search = forms.CharField(label=_("Name or number"))
    company = forms.ModelChoiceField(Company.objects.none(), label=_("Company"), to_field_name="code")
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

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].queryset = Company.objects.visible_to(self.user)  # type: ignore[attr-defined]


class AccountsPage(ListPage):
    """All accounts the reader may see."""

    model, title, filters = Account, _("Accounts"), AccountFilters
    related = ("company", "bank")
    order = ("name", "id")
    columns = (
        Column("name", _("Name"), url=lambda a: reverse("accounts"), sort=True),
        Column("number", _("Account number"), sort=True),
        Column("company", _("Company"), value="company.name", sort=True, sort_by="company__name"),
        Column("bank", _("Bank"), value="bank.name", sort=True, sort_by="bank__name"),
        Column("currency", _("Currency"), sort=True),
        Column("status", _("Status"), kind="state"),
    )
