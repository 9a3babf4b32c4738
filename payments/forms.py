"""Forms of the payments floor. They read what people type; every rule is the services' word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import Beneficiary, Payment
from payments.rules import RuleBrokenError
from payments.services import rule_sets
from payments.services.checking import Wish
from payments.services.rule_sets import Band
from treasury import calendars, money
from treasury.forms import TableForm, day_input
from treasury.models import Account, Balance, Company
from treasury.querysets import granted
from treasury.templatetags import portal


class AccountChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Own accounts, each with its newest available balance."""

    balances: dict[int, Balance] | None = None

    def label_from_instance(self, account: Any) -> str:
        if self.balances is None:
            choices: Any = self.queryset
            rows = Balance.objects.filter(account__in=choices).latest_per_account()
            self.balances = {row.account_id: row for row in rows}
        balance = self.balances.get(account.pk)
        if balance is None:
            return str(account)
        amount = balance.available if balance.available is not None else balance.ledger
        return _("%(account)s · available %(amount)s") % {
            "account": account,
            "amount": portal.money(amount, account.currency),
        }


def paying_accounts(user: Any) -> Any:
    return (
        Account.objects.visible_to(user)
        .filter(status=Account.Status.ACTIVE)
        .select_related("company", "bank")
        .order_by("company__name", "name", "id")
    )


class PaymentForm(forms.Form):
    """One payment. `payee` is chosen from a list beside the form: b-12 a beneficiary, o-5 an own account."""

    account = AccountChoice(Account.objects.none(), label=gettext_lazy("Debit account"))
    payee = forms.CharField(label=gettext_lazy("Payee"), widget=forms.HiddenInput)
    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("In the currency of the debit account, like 1,234.50."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    execute_on = forms.DateField(label=gettext_lazy("Execution date"), widget=day_input())
    purpose = forms.CharField(label=gettext_lazy("Purpose"), required=False, max_length=140)
    urgent = forms.BooleanField(label=gettext_lazy("Urgent"), required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, payment: Payment | None = None, **kwargs: Any) -> None:
        self.user, self.payment = user, payment
        today = timezone.localdate()
        initial: dict[str, Any] = {"execute_on": calendars.next_business_day(today, "CN")}
        if payment is not None:
            own = payment.own_account_id is not None
            initial = {
                "account": payment.account_id,
                "payee": f"o-{payment.own_account_id}" if own else f"b-{payment.beneficiary_id}",
                "amount": portal.money(payment.amount, payment.currency),
                "execute_on": payment.execute_on,
                "purpose": payment.purpose,
                "urgent": payment.urgent,
                "version": payment.version,
            }
        super().__init__(*args, **({"initial": initial} | kwargs))
        self.fields["account"].queryset = paying_accounts(user)  # type: ignore[attr-defined]

    def clean_payee(self) -> Beneficiary | Account:
        kind, _dash, key = self.cleaned_data["payee"].partition("-")
        found: Beneficiary | Account | None = None
        if key.isdecimal() and kind == "b":
            found = Beneficiary.objects.visible_to(self.user).filter(pk=key).first()
        elif key.isdecimal() and kind == "o":
            found = paying_accounts(self.user).filter(pk=key).first()
        if found is None:
            raise ValidationError(_("Choose a payee from the list."))
        return found

    def clean_amount(self) -> Any:
        try:
            return money.parse(self.cleaned_data["amount"])
        except money.MoneyError as error:
            raise ValidationError(str(error)) from error

    def wish(self) -> Wish:
        """The payment as typed (the form must be valid)."""
        data = self.cleaned_data
        payee = data["payee"]
        return Wish(
            account=data["account"],
            beneficiary=payee if isinstance(payee, Beneficiary) else None,
            own_account=payee if isinstance(payee, Account) else None,
            amount=data["amount"],
            currency=data["account"].currency,
            execute_on=data["execute_on"],
            purpose=data["purpose"],
            urgent=data["urgent"],
        )

    def add_faults(self, faults: Iterable[RuleBrokenError]) -> None:
        """Show the services' faults beside the fields they are about."""
        places = {"beneficiary": "payee", "own_account": "payee", "currency": "account"}
        for fault in faults:
            place = places.get(fault.field, fault.field)
            self.add_error(place if place in self.fields else None, fault.whole)


class PaymentFileForm(TableForm):
    """A payment file and the account it pays from."""

    account = AccountChoice(Account.objects.none(), label=gettext_lazy("Debit account"))
    field_order = ("account", "file")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = paying_accounts(user)  # type: ignore[attr-defined]


class BeneficiaryForm(forms.Form):
    """A payee's data, for a new one or a change."""

    company = forms.ModelChoiceField(Company.objects.none(), label=gettext_lazy("Company"))
    name = forms.CharField(label=gettext_lazy("Name"), max_length=140)
    account_number = forms.CharField(label=gettext_lazy("Account number or IBAN"), max_length=50)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3, initial="CNY")
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        initial="CN",
        help_text=gettext_lazy("Two letters, such as CN or DE."),
    )
    bank_name = forms.CharField(label=gettext_lazy("Bank"), max_length=140, required=False)
    bank_code = forms.CharField(
        label=gettext_lazy("CNAPS 联行号 or BIC"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("The check digit is tested."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Remark for the second person"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Where the data come from, and how they were checked."),
    )

    def __init__(self, *args: Any, user: Any, beneficiary: Beneficiary | None = None, **kwargs: Any) -> None:
        if beneficiary is not None:
            names = ("name", "account_number", "currency", "country", "bank_name", "bank_code")
            kwargs["initial"] = {name: getattr(beneficiary, name) for name in names}
        super().__init__(*args, **kwargs)
        if beneficiary is not None:
            del self.fields["company"]
        else:
            companies = granted(user, "treasury.view_company", Company)
            self.fields["company"].queryset = companies  # type: ignore[attr-defined]
            self.fields["company"].initial = companies.first()

    def add_faults(self, faults: Iterable[RuleBrokenError]) -> None:
        for fault in faults:
            self.add_error(fault.field if fault.field in self.fields else None, fault.whole)


class ScopeForm(forms.Form):
    """What a set of bands is for."""

    account = forms.ModelChoiceField(
        Account.objects.none(), label=gettext_lazy("Only account"), required=False
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Only kind"),
        required=False,
        choices=[("", gettext_lazy("All kinds")), *Payment.Kind.choices],
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.filter(company=company)  # type: ignore[attr-defined]


STEPS = 3


class BandForm(forms.Form):
    """One band: from, to, and up to three steps of a role and a number of people."""

    amount_from = forms.CharField(label=gettext_lazy("From (inclusive)"))
    amount_to = forms.CharField(
        label=gettext_lazy("To (exclusive)"),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [("", "—"), *((role, _(role)) for role in rule_sets.approving_roles())]
        for n in range(1, STEPS + 1):
            self.fields[f"role_{n}"] = forms.ChoiceField(
                label=_("Step %(number)d: role") % {"number": n}, choices=roles, required=False
            )
            self.fields[f"people_{n}"] = forms.IntegerField(
                label=_("Step %(number)d: people") % {"number": n}, required=False, min_value=1, max_value=9
            )

    def _amount(self, name: str) -> Any:
        text = self.cleaned_data[name]
        try:
            return money.parse(text) if text else None
        except money.MoneyError as error:
            raise ValidationError(str(error)) from error

    def clean_amount_from(self) -> Any:
        return self._amount("amount_from")

    def clean_amount_to(self) -> Any:
        return self._amount("amount_to")

    def band(self) -> Band:
        """The band as typed (the form must be valid)."""
        data = self.cleaned_data
        steps = [
            (data[f"role_{n}"], data.get(f"people_{n}") or 1)
            for n in range(1, STEPS + 1)
            if data.get(f"role_{n}")
        ]
        return Band(data["amount_from"], data["amount_to"], tuple(steps))

    @staticmethod
    def initial_of(band: Band) -> dict[str, Any]:
        data: dict[str, Any] = {
            "amount_from": f"{band.amount_from.normalize():f}",
            "amount_to": "" if band.amount_to is None else f"{band.amount_to.normalize():f}",
        }
        for n, (role, people) in enumerate(band.steps[:STEPS], start=1):
            data |= {f"role_{n}": role, f"people_{n}": people}
        return data


BandFormSet = forms.formset_factory(BandForm, extra=2, max_num=12, can_delete=True)
