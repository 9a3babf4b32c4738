"""Forms of the ground floor: recurring items, uploaded plans and rate files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treasury import money
from treasury.models import Account, Company, RecurringFlow
from treasury.querysets import granted


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class RecurringForm(forms.ModelForm):  # type: ignore[type-arg]
    """A recurring item. The amount is typed without a sign; in or out is chosen."""

    way = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=[("out", gettext_lazy("Money out")), ("in", gettext_lazy("Money in"))],
        widget=forms.RadioSelect,
        initial="out",
    )
    size = forms.CharField(
        label=gettext_lazy("Amount"), help_text=gettext_lazy("In the currency of the account, like 1,234.50.")
    )

    class Meta:
        model = RecurringFlow
        fields = ("account", "name", "category", "way", "size", "every", "starts_on", "ends_on")
        widgets = {"starts_on": day_input(), "ends_on": day_input()}
        help_texts = {
            "category": gettext_lazy("What the money is for, like Wages or Rent."),
            "starts_on": gettext_lazy(
                "Later days are counted from this one. Day 31 falls on the last day of shorter months."
                " When banks are closed, money out is expected one business day before, money in after."
            ),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        item: RecurringFlow | None = kwargs.get("instance")
        if item is not None and item.pk:
            kwargs["initial"] = {
                "way": "in" if item.amount > 0 else "out",
                "size": f"{abs(item.amount):f}".rstrip("0").rstrip("."),
            } | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.visible_to(user).open()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        account, size = data.get("account"), data.get("size")
        if account is not None and size:
            try:
                amount = money.check_amount(money.parse(size), account.currency)
            except money.MoneyError as error:
                self.add_error("size", ValidationError(str(error)))
            else:
                self.instance.amount = amount if data.get("way") == "in" else -amount
        starts, ends = data.get("starts_on"), data.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", _("It ends before it begins. Choose a later last day."))
        return data


class TableForm(forms.Form):
    """One CSV or XLSX file."""

    file = forms.FileField(label=gettext_lazy("File (CSV or XLSX)"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_FILE_LIMIT:
            raise ValidationError(
                _("%(file)s is larger than %(limit)d MB. Split it into smaller files.")
                % {"file": file.name, "limit": settings.IMPORT_FILE_LIMIT // 1024 // 1024}
            )
        return file


class PlanForm(TableForm):
    """A cash plan of one company."""

    company = forms.ModelChoiceField(Company.objects.none(), label=gettext_lazy("Company"))
    field_order = ("company", "file")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].queryset = granted(user, "treasury.view_company", Company)  # type: ignore[attr-defined]
