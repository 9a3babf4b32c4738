"""Forms of reconciliation: which lines to show, a journal file, the opening balance, a day."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reconciliation.services.journal_files import LABELS
from treasury import money
from treasury.forms import TableForm
from treasury.models import Account
from treasury.views.listing import Filters


class LineFilters(Filters):
    """Narrows both sides of the two-sided screen alike."""

    search = forms.CharField(label=_("Name, text or reference"))
    amount = forms.CharField(label=_("Amount"))
    way = forms.ChoiceField(
        label=_("Direction"), choices=[("", _("Both")), ("in", _("Money in")), ("out", _("Money out"))]
    )
    since = forms.DateField(label=pgettext_lazy("first date", "From"))
    until = forms.DateField(label=_("To"))

    def clean_amount(self) -> Decimal | None:
        text = self.cleaned_data["amount"]
        if not text:
            return None
        try:
            return money.parse(text)
        except money.MoneyError as error:
            raise ValidationError(str(error)) from error

    def applied(self, rows: models.QuerySet[Any], line: str, texts: Sequence[str]) -> models.QuerySet[Any]:
        """Open lines after the filters; `texts` are searched on the relation `line`."""
        data = self.cleaned_data
        if data.get("search"):
            words = Q()
            for text in texts:
                words |= Q(**{f"{line}__{text}__icontains": data["search"]})
            rows = rows.filter(words)
        if data.get("amount") is not None:
            rows = rows.filter(amount__in=(data["amount"], -data["amount"]))
        if data.get("way"):
            rows = rows.filter(amount__gt=0) if data["way"] == "in" else rows.filter(amount__lt=0)
        if data.get("since"):
            rows = rows.filter(on__gte=data["since"])
        if data.get("until"):
            rows = rows.filter(on__lte=data["until"])
        return rows


class JournalForm(TableForm):
    """A bank journal of one account."""

    account = forms.ModelChoiceField(Account.objects.none(), label=_("Account"))
    field_order = ("account", "file")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = Account.objects.visible_to(user).open().select_related("company")
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]


class ColumnsForm(forms.Form):
    """Which header of the file is which of our fields."""

    def __init__(self, *args: Any, headers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("— none —")), *((header, header) for header in dict.fromkeys(headers) if header)]
        for field, label in LABELS.items():
            self.fields[field] = forms.ChoiceField(label=label, choices=choices, required=False)


class OpeningForm(forms.Form):
    """Where the books of an account begin."""

    on = forms.DateField(
        label=_("Books begin on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Ledger lines dated before it are open items carried in: the balance contains them."),
    )
    amount = forms.CharField(
        label=_("Balance of the books at the start of that day"),
        help_text=_("In the currency of the account, like 1,234.50; overdrawn like -1,234.50."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> Decimal:
        try:
            return money.quantize(money.parse(self.cleaned_data["amount"]), self.currency)
        except money.MoneyError as error:
            raise ValidationError(str(error)) from error


class DayForm(forms.Form):
    """The day of an adjustment statement."""

    on = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        required=False,
    )
