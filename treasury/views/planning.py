"""Pages of what people plan: recurring items, imported cash plans, exchange rates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from treasury.forms import PlanForm, RecurringForm, TableForm
from treasury.models import ExchangeRate, PlanImport, RecurringFlow
from treasury.services import access, planning, rates
from treasury.tables import TableError, grouped
from treasury.views.columns import Column
from treasury.views.listing import Filters, ListPage

PERMISSION = planning.PERMISSION


class RecurringFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Name or category"))
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    lookups = {
        "search": ("name__icontains", "category__icontains"),
        "currency": "account__currency__iexact",
    }


class RecurringPage(ListPage):
    """All recurring items of accounts the reader may see."""

    model, title, filters = RecurringFlow, gettext_lazy("Recurring items"), RecurringFilters
    template_name = "treasury/recurring.html"
    related = ("account__company",)
    order = ("name", "id")
    empty = gettext_lazy(
        "No recurring item yet. Add rents, salaries and taxes, and the forecast counts them."
    )
    columns = (
        Column(
            "name",
            gettext_lazy("Name"),
            url=lambda r: reverse("recurring_item", args=[r.pk]),
            sort=True,
            roomy=True,
        ),
        Column("account", gettext_lazy("Account"), roomy=True),
        Column("category", gettext_lazy("Category"), sort=True),
        Column("amount", gettext_lazy("Amount"), kind="signed", currency="account.currency", sort=True),
        Column("currency", gettext_lazy("Currency"), value="account.currency"),
        Column("every", gettext_lazy("Every"), value=lambda r: r.get_every_display()),
        Column("starts_on", gettext_lazy("First on"), kind="date", sort=True),
        Column("ends_on", gettext_lazy("Last on"), kind="date"),
    )

    def more(self) -> dict[str, Any]:
        return {"may_plan": access.may(self.request.user, PERMISSION)}


def recurring_item(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add a recurring item, or change one."""
    access.require(request.user, PERMISSION)
    item = get_object_or_404(RecurringFlow.objects.visible_to(request.user), pk=pk) if pk else RecurringFlow()
    form = RecurringForm(request.POST or None, instance=item, user=request.user)
    if request.method == "POST" and form.is_valid():
        planning.save_recurring(item=form.save(commit=False), by=request.user, at=timezone.now())
        messages.success(request, _("%(item)s is saved and counts in the forecast.") % {"item": item})
        return redirect("recurring")
    return _form_page(request, "treasury/recurring_item.html", form, item=item)


@require_POST
def remove_recurring(request: HttpRequest, pk: int) -> HttpResponse:
    item = get_object_or_404(RecurringFlow.objects.visible_to(request.user), pk=pk)
    planning.remove_recurring(item=item, by=request.user, at=timezone.now())
    messages.success(request, _("%(item)s no longer counts in the forecast.") % {"item": item})
    return redirect("recurring")


class PlansPage(ListPage):
    """All cash plans of companies the reader may see as a whole."""

    model, title = PlanImport, gettext_lazy("Cash plans")
    template_name = "treasury/plans.html"
    related = ("company", "made_by")
    empty = gettext_lazy("No plan was imported yet. Import one, and the forecast counts its amounts.")
    columns = (
        Column("name", gettext_lazy("File"), url=lambda p: reverse("plan", args=[p.pk]), roomy=True),
        Column("company", gettext_lazy("Company"), value="company.name", roomy=True),
        Column("rows_count", gettext_lazy("Rows"), kind="number"),
        Column("made_by", gettext_lazy("Uploaded by")),
        Column("made_at", gettext_lazy("Uploaded at"), kind="instant"),
        Column("committed_at", gettext_lazy("In force since"), kind="instant"),
        Column("undone_at", gettext_lazy("Undone at"), kind="instant"),
    )

    def more(self) -> dict[str, Any]:
        return {"may_plan": access.may(self.request.user, PERMISSION)}


def import_plan(request: HttpRequest) -> HttpResponse:
    """Step 1: upload. The next page shows what the file would plan and everything wrong in it."""
    access.require(request.user, PERMISSION)
    form = PlanForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            plan = planning.receive_plan(
                company=form.cleaned_data["company"],
                name=file.name,
                content=file.read(),
                by=request.user,
                at=timezone.now(),
            )
        except (TableError, planning.PlanRefusedError) as error:
            form.add_error("file", str(error))
        else:
            return redirect("plan", plan.pk)
    return _form_page(request, "treasury/plan_import.html", form)


def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2: the preview; later, the rows in force."""
    found = get_object_or_404(
        PlanImport.objects.visible_to(request.user).select_related("company", "made_by"), pk=pk
    )
    context: dict[str, Any] = {"plan": found, "may_plan": access.may(request.user, PERMISSION)}
    if found.committed_at is None and found.undone_at is None:
        context["preview"] = planning.preview_plan(plan=found, at=timezone.now())
        context["rows"] = context["preview"].rows[:200]
    else:
        context["rows"] = found.rows.select_related("account")[:200]
    return render(request, "treasury/plan.html", context)


@require_POST
def commit_plan(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, planning.commit_plan, _("The plan is in force and counts in the forecast."))


@require_POST
def undo_plan(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, planning.undo_plan, _("The plan no longer counts in the forecast."))


def _decide(request: HttpRequest, pk: int, act: Any, done: str) -> HttpResponse:
    found = get_object_or_404(PlanImport.objects.visible_to(request.user), pk=pk)
    try:
        act(plan=found, by=request.user, at=timezone.now())
    except planning.PlanRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("plan", pk)


class RateFilters(Filters):
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    quote = forms.CharField(label=gettext_lazy("In"), max_length=3)
    until = forms.DateField(label=gettext_lazy("Known on"))
    lookups = {"currency": "currency__iexact", "quote": "quote__iexact", "until": "on__lte"}


class RatesPage(ListPage):
    """All exchange rates, newest first. They are the same for everybody."""

    model, title, filters = ExchangeRate, gettext_lazy("Exchange rates"), RateFilters
    template_name = "treasury/rates.html"
    order = ("-on", "-id")
    empty = gettext_lazy(
        "No exchange rate yet. Import a file of rates, and amounts of other currencies are added up."
    )
    columns = (
        Column("on", gettext_lazy("Valid from"), kind="date", sort=True),
        Column("currency", gettext_lazy("One unit of"), sort=True),
        Column("quote", gettext_lazy("In"), sort=True),
        Column("rate", gettext_lazy("Rate"), kind="number", value=lambda r: f"{r.rate.normalize():f}"),
        Column("source", gettext_lazy("Source")),
    )

    def rows(self) -> models.QuerySet[Any]:
        return ExchangeRate.objects.all()

    def more(self) -> dict[str, Any]:
        return {"may_plan": access.may(self.request.user, PERMISSION)}


def import_rates(request: HttpRequest) -> HttpResponse:
    """Upload a rate file: taken in whole, or every wrong row shown."""
    access.require(request.user, PERMISSION)
    form = TableForm(request.POST or None, request.FILES or None)
    problems: list[Any] = []
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            done = rates.import_rates(name=file.name, content=file.read(), by=request.user, at=timezone.now())
        except TableError as error:
            form.add_error("file", str(error))
        except rates.RatesRefusedError as error:
            form.add_error("file", str(error))
            problems = grouped(error.problems)
        else:
            messages.success(
                request,
                _("%(added)d rates added, %(corrected)d corrected, %(unchanged)d already known.")
                % {"added": done.added, "corrected": done.corrected, "unchanged": done.unchanged},
            )
            return redirect("rates")
    return _form_page(request, "treasury/rates_import.html", form, problems=problems)


def _form_page(
    request: HttpRequest, template: str, form: forms.Form | RecurringForm, **more: Any
) -> HttpResponse:
    context = {"form": form, "form_has_errors": bool(form.errors)} | more
    return render(request, template, context, status=422 if form.errors else 200)
