"""Batches: the list, one batch with its totals, submitting it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from payments.models import Batch
from payments.services import preparing
from payments.states import PaymentState
from payments.views.payments import tell
from treasury.services import access
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage


class BatchFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Name"))
    lookups = {"search": "name__icontains"}


class BatchesPage(ListPage):
    empty = gettext_lazy("No batch yet. Importing a file of payments makes one.")
    model, title, filters = Batch, gettext_lazy("Batches"), BatchFilters
    related = ("account", "created_by")
    columns = (
        Column("name", gettext_lazy("Name"), url=lambda b: reverse("payments:batch", args=[b.pk])),
        Column("account", gettext_lazy("Debit account")),
        Column("source", gettext_lazy("Source"), value=lambda b: b.get_source_display()),
        Column("created_by", gettext_lazy("Entered by")),
        Column("created_at", gettext_lazy("Created at"), kind="instant"),
    )


class BatchPage(DetailPage):
    model, template_name, timeline = Batch, "payments/batch.html", True
    related = ("account__company", "created_by", "file")
    facts = (
        Column("account", gettext_lazy("Debit account")),
        Column("source", gettext_lazy("Source"), value=lambda b: b.get_source_display()),
        Column("created_by", gettext_lazy("Entered by")),
        Column("created_at", gettext_lazy("Created at"), kind="instant"),
    )

    def more(self, found: Batch) -> dict[str, Any]:
        rows = found.payments.order_by("id")
        counted = rows.order_by().values("state", "currency").annotate(n=Count("pk"), total=Sum("amount"))
        states = {row["state"] for row in counted}
        prepares = access.may(self.request.user, preparing.PREPARE)
        return {
            "sums": [(PaymentState(r["state"]).label, r["n"], r["total"], r["currency"]) for r in counted],
            "payments": rows.select_related("account")[:200],
            "count": sum(r["n"] for r in counted),
            "may_submit": prepares and PaymentState.DRAFT in states,
            "may_undo": prepares
            and PaymentState.DRAFT in states
            and states <= {PaymentState.DRAFT, PaymentState.CANCELLED},
        }


@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Submit every draft of the batch."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    results = preparing.submit_batch(batch=batch, by=request.user, at=timezone.now())
    tell(request, results, _("%(count)d submitted."))
    return redirect("payments:batch", pk)
