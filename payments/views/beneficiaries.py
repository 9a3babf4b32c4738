"""Payees: the list, one payee, proposing a new one or a change, blocking."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from payments.forms import BeneficiaryForm
from payments.models import Beneficiary
from payments.services import beneficiaries
from payments.services.beneficiaries import BeneficiaryRefusedError
from payments.services.warnings import BENEFICIARY_KIND
from payments.states import BeneficiaryState
from treasury.models import ProposedChange
from treasury.services import access
from treasury.services.changes import ChangeRefusedError
from treasury.services.moving import IllegalMoveError
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage


class BeneficiaryFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Name or account number"))
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    lookups = {"search": ("name__icontains", "account_number__icontains"), "currency": "currency__iexact"}


class BeneficiariesPage(ListPage):
    empty = gettext_lazy("No beneficiary yet. A clerk proposes one, and a second person confirms it.")
    model, title, filters = Beneficiary, gettext_lazy("Beneficiaries"), BeneficiaryFilters
    template_name = "payments/beneficiaries.html"
    related = ("company", "changed_by", "confirmed_by")
    order = ("name", "id")
    tab_field, tab_choices = "state", BeneficiaryState.choices
    columns = (
        Column(
            "name",
            gettext_lazy("Name"),
            url=lambda b: reverse("payments:beneficiary", args=[b.pk]),
            roomy=True,
        ),
        Column("account_number", gettext_lazy("Account number")),
        Column("currency", gettext_lazy("Currency")),
        Column("bank_name", gettext_lazy("Bank")),
        Column("company", gettext_lazy("Company"), roomy=True),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("changed_by", gettext_lazy("Last changed by")),
        Column("confirmed_by", gettext_lazy("Confirmed by")),
    )

    def more(self) -> dict[str, Any]:
        return {"may_propose": access.may(self.request.user, beneficiaries.PROPOSE)}


class BeneficiaryPage(DetailPage):
    model, template_name, timeline = Beneficiary, "payments/beneficiary.html", True
    related = ("company", "created_by", "changed_by", "confirmed_by")
    facts = (
        Column("account_number", gettext_lazy("Account number or IBAN")),
        Column("currency", gettext_lazy("Currency")),
        Column("country", gettext_lazy("Country")),
        Column("bank_name", gettext_lazy("Bank")),
        Column("bank_code", gettext_lazy("CNAPS 联行号 or BIC")),
        Column("company", gettext_lazy("Company"), roomy=True),
        Column("created_by", gettext_lazy("Created by")),
        Column("changed_by", gettext_lazy("Last changed by")),
        Column("confirmed_by", gettext_lazy("Confirmed by")),
        Column("confirmed_at", gettext_lazy("Confirmed at"), kind="instant"),
        Column("version", gettext_lazy("Version"), kind="number"),
    )

    def more(self, found: Beneficiary) -> dict[str, Any]:
        user = self.request.user
        proposes = access.may(user, beneficiaries.PROPOSE)
        changes = ProposedChange.objects.filter(kind=BENEFICIARY_KIND, object_id=found.pk)
        return {
            "changes": changes.select_related("made_by", "decided_by").order_by("-id"),
            "pending": changes.filter(state=ProposedChange.State.PENDING).first(),
            "may_propose": proposes,
            "may_block": found.state != BeneficiaryState.BLOCKED
            and (proposes or access.may(user, "payments.confirm_beneficiary")),
            "payments": found.payments.select_related("account").order_by("-id")[:10],
        }


def propose(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new payee, or other data for a known one; both wait for a second person."""
    access.require(request.user, beneficiaries.PROPOSE)
    row = get_object_or_404(Beneficiary.objects.visible_to(request.user), pk=pk) if pk else None
    form = BeneficiaryForm(request.POST or None, user=request.user, beneficiary=row)
    if request.method == "POST" and form.is_valid():
        by, at, data = request.user, timezone.now(), form.cleaned_data
        try:
            if row is None:
                saved = beneficiaries.propose_beneficiary(**data, by=by, at=at)
            else:
                beneficiaries.propose_change(beneficiary=row, **data, by=by, at=at)
                saved = row
        except BeneficiaryRefusedError as error:
            form.add_faults(error.faults)
        except ChangeRefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(payee)s waits for a second person.") % {"payee": saved})
            return redirect("payments:beneficiary", saved.pk)
    context = {"form": form, "form_has_errors": bool(form.errors), "beneficiary": row}
    return render(request, "payments/beneficiary_form.html", context, status=422 if form.errors else 200)


@require_POST
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop payments to the payee at once."""
    row = get_object_or_404(Beneficiary.objects.visible_to(request.user), pk=pk)
    try:
        beneficiaries.block_beneficiary(
            beneficiary=row, reason=request.POST.get("reason", ""), by=request.user, at=timezone.now()
        )
    except (ChangeRefusedError, IllegalMoveError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(payee)s is blocked.") % {"payee": row})
    return redirect("payments:beneficiary", pk)
