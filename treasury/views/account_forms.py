"""The form by which one person proposes an account, or a change of one, to a second person."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treasury.models import Account, Company
from treasury.querysets import granted
from treasury.services import access, accounts, changes


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """All of an account when it is new; what may change of it later."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)

    class Meta:
        model = Account
        fields = accounts.IDENTITY + accounts.CHANGEABLE

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["opened_on"].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        self.fields["company"].queryset = granted(user, "treasury.view_company", Company)  # type: ignore[attr-defined]
        if self.instance.pk:
            for name in accounts.IDENTITY:
                del self.fields[name]

    def clean_number(self) -> str:
        return "".join(self.cleaned_data["number"].split())

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        return currency.upper()

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(
                _("%(zone)s is no time zone. Write one such as Asia/Shanghai or Europe/Berlin.")
                % {"zone": zone}
            )
        return zone


def propose_account(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the form; a valid one becomes a proposal and the reader goes to it."""
    access.require(request.user, accounts.MANAGE)
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=pk) if pk else None
    shown = get_object_or_404(Account, pk=pk) if pk else None
    form = AccountForm(request.POST or None, instance=shown, user=request.user)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data.pop("reason")
        try:
            change = accounts.propose_account(
                fields=form.cleaned_data, account=account, by=request.user, at=timezone.now(), reason=reason
            )
        except (changes.ChangeRefusedError, access.AccessDeniedError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Proposed. A second person confirms it under “Proposed changes”."))
            return redirect("change", pk=change.pk)
    context = {"form": form, "account": account}
    return render(request, "treasury/account_form.html", context, status=422 if form.errors else 200)
