"""The adjustment statement (余额调节表) on screen and paper, and closing the day on it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reconciliation.forms import DayForm
from reconciliation.models import Close
from reconciliation.paper import sheet_paper
from reconciliation.rules import Sheet, total
from reconciliation.services import adjusting, closing
from reconciliation.views.shared import abilities, account_for, today_at
from treasury.models import Account

MOST = 200
"""Items of one list on screen; the paper has all."""


def chosen_day(request: HttpRequest, account: Account) -> tuple[DayForm, date]:
    """The day asked for; else the latest statement's, else yesterday's."""
    form = DayForm(request.GET or None)
    if form.is_valid() and form.cleaned_data["on"]:
        return form, form.cleaned_data["on"]
    last = adjusting.statements_of(account).order_by("-closing_on").first()
    on = last.closing_on if last is not None else today_at(account, timezone.now())
    return DayForm(initial={"on": on}) if not form.errors else form, on


def drawn(account: Account, on: date) -> tuple[Sheet, Close | None]:
    """The sheet signed off for that very day, else as it is now. Raises NoSheetError."""
    close = Close.objects.filter(account=account, on=on).select_related("closed_by").first()
    if close is not None:
        return closing.sheet_of(close), close
    return adjusting.adjustment_sheet(account=account, on=on), None


def sums(sheet: Sheet) -> dict[str, Decimal]:
    """The four corrections, each written without its sign."""
    return {
        "bank_received": total(sheet.bank_received),
        "bank_paid": -total(sheet.bank_paid),
        "book_received": total(sheet.book_received),
        "book_paid": -total(sheet.book_paid),
    }


def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of one day with what keeps the day open."""
    account = account_for(request, pk)
    form, on = chosen_day(request, account)
    context: dict[str, Any] = {"account": account, "form": form, "on": on, "most": MOST, **abilities(request)}
    try:
        context["sheet"], context["close"] = drawn(account, on)
        context["sums"] = sums(context["sheet"])
    except adjusting.NoSheetError as error:
        context["missing"] = error
    if context.get("close") is None and context["may_close"]:
        context["obstacles"] = closing.obstacles(account=account, on=on, by=request.user, at=timezone.now())
    return render(request, "reconciliation/sheet.html", context)


def sheet_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement on paper, with every item."""
    account = account_for(request, pk)
    _form, on = chosen_day(request, account)
    try:
        found, close = drawn(account, on)
    except adjusting.NoSheetError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('reconciliation:sheet', args=[account.pk])}?on={on}")
    content = sheet_paper(account=account, sheet=found, close=close, at=timezone.now(), by=request.user)
    response = HttpResponse(content, content_type="application/pdf")
    name = f"reconciliation-{account.number}-{on}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@require_POST
def close_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the sheet off."""
    account = account_for(request, pk)
    form = DayForm(request.POST)
    if not form.is_valid() or form.cleaned_data["on"] is None:
        messages.error(request, _("The day to close is missing. Choose a day and close again."))
        return redirect("reconciliation:sheet", account.pk)
    on = form.cleaned_data["on"]
    try:
        closing.close_account_day(account=account, on=on, by=request.user, at=timezone.now())
    except closing.NotClosableError as error:
        for obstacle in error.obstacles:
            messages.error(request, obstacle.text)
    else:
        messages.success(request, _("%(account)s is closed to %(day)s.") % {"account": account, "day": on})
    return redirect(f"{reverse('reconciliation:sheet', args=[account.pk])}?on={on}")
