"""The approvers' queue: exact lines, what to notice, many at once with a result for each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from payments.models import Payment
from payments.services import approving, warnings
from payments.states import PaymentState
from treasury.services import access
from treasury.views import paging
from treasury.views.columns import Column
from treasury.views.listing import Filters, ListPage

SCOPES = {
    "mine": gettext_lazy("Waiting for me"),
    "others": gettext_lazy("Waiting for others"),
    "all": gettext_lazy("All"),
}


class QueueFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Reference, payee or purpose"))
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    least = forms.DecimalField(label=gettext_lazy("Amount from"))
    lookups = {
        "search": ("reference__iexact", "payee_name__icontains", "payee_account", "purpose__icontains"),
        "currency": "currency__iexact",
        "least": "amount__gte",
    }


class ApprovalsPage(ListPage):
    """What waits for approval. The generic list does filters, paging and export."""

    model, title, filters = Payment, gettext_lazy("Approvals"), QueueFilters
    template_name = "payments/approvals.html"
    related = ("account__company", "account__bank", "beneficiary__changed_by", "created_by")
    totals = ("amount", "currency")
    order = ("execute_on", "id")
    empty = gettext_lazy("Nothing waits here.")
    export_name = "approvals"
    columns = (
        Column("reference", gettext_lazy("Reference")),
        Column("payee_name", gettext_lazy("Payee")),
        Column("payee_account", gettext_lazy("Payee account")),
        Column("amount", gettext_lazy("Amount"), kind="amount"),
        Column("currency", gettext_lazy("Currency")),
        Column("execute_on", gettext_lazy("Execution date"), kind="date"),
        Column("purpose", gettext_lazy("Purpose")),
        Column("account", gettext_lazy("Debit account")),
        Column("created_by", gettext_lazy("Entered by")),
    )

    @property
    def scope(self) -> str:
        asked = self.request.GET.get("show", "mine")
        return asked if asked in SCOPES else "mine"

    def rows(self) -> models.QuerySet[Any]:
        return self.scoped(self.scope).select_related(*self.related)

    def scoped(self, scope: str) -> models.QuerySet[Any]:
        waiting = Payment.objects.visible_to(self.request.user).filter(state=PaymentState.SUBMITTED)
        mine = Payment.objects.waiting_for(self.request.user)
        if scope == "others":
            return waiting.exclude(pk__in=mine.values("pk"))
        return mine if scope == "mine" else waiting

    def page(
        self, request: HttpRequest, rows: models.QuerySet[Any], form: Filters | None, tabs: list[Any]
    ) -> HttpResponse:
        place = {"after": request.GET.get("after", ""), "before": request.GET.get("before", "")}
        slice_ = paging.page_of(rows, self.order, self.page_size, **place)
        hints = warnings.warnings_of(slice_.rows, timezone.now())
        lines = [(row, hints[row.pk], any(h.red for h in hints[row.pk])) for row in slice_.rows]
        scopes = [
            (value, label, self.scoped(value).count(), value == self.scope) for value, label in SCOPES.items()
        ]
        context = {
            "view": self,
            "title": self.title,
            "filters": form,
            "slice": slice_,
            "lines": lines,
            "scopes": scopes,
            "scope": self.scope,
            "sums": self.sums(rows) if slice_.rows else [],
            "empty": self.empty,
        }
        return render(request, self.template_name, context)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Approve the ticked payments, each exactly as it was shown. Rows with a red flag are left out."""
    access.require(request.user, approving.APPROVE)
    chosen: dict[int, str] = {}
    for text in request.POST.getlist("ids"):
        key, _colon, digest = text.partition(":")
        if key.isdecimal():
            chosen[int(key)] = digest
    results = approving.approve_payments(
        expectations=list(chosen.items()), by=request.user, at=timezone.now()
    )
    done = sum(1 for result in results if result.done)
    return render(
        request,
        "payments/approval_results.html",
        {"results": results, "done": done, "refused": len(results) - done},
    )
