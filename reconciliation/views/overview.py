"""All accounts at a glance, closed days, and where an account's books begin."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from banks.models import Entry
from reconciliation.forms import OpeningForm
from reconciliation.models import Close, LedgerOpening, OpenBankLine
from reconciliation.services import opening as opening_service
from reconciliation.services.standing import standings
from reconciliation.views.shared import RECONCILE, abilities, account_for, ids_of
from treasury.models import Account
from treasury.services import access
from treasury.views.columns import Column
from treasury.views.listing import ListPage


def overview(request: HttpRequest) -> HttpResponse:
    """Open lines, last close and difference of every account the reader may see."""
    accounts = Account.objects.visible_to(request.user).open().select_related("company", "bank")
    return render(
        request, "reconciliation/overview.html", {"standings": standings(accounts), **abilities(request)}
    )


class ClosesPage(ListPage):
    """Days signed off."""

    empty = gettext_lazy("No day is closed yet. Close one on the adjustment statement of an account.")
    model, title = Close, gettext_lazy("Closed days")
    related = ("account", "closed_by")
    order = ("-on", "-id")
    columns = (
        Column(
            "on",
            gettext_lazy("Closed day"),
            kind="date",
            url=lambda close: f"{reverse('reconciliation:sheet', args=[close.account_id])}?on={close.on}",
        ),
        Column("account", gettext_lazy("Account"), roomy=True),
        Column("bank_balance", gettext_lazy("Balance at the bank"), kind="amount"),
        Column("book_balance", gettext_lazy("Balance in the books"), kind="amount"),
        Column("adjusted_bank", gettext_lazy("Both after adjustment"), kind="amount"),
        Column("currency", gettext_lazy("Currency")),
        Column("closed_by", gettext_lazy("Closed by")),
        Column("closed_at", gettext_lazy("Closed at"), kind="instant"),
    )


def opening(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the opening balance of an account, and say which earlier bank lines still wait."""
    access.require(request.user, RECONCILE)
    account = account_for(request, pk)
    was = LedgerOpening.objects.filter(account=account).first()
    initial = {"on": was.on, "amount": f"{was.amount:f}".rstrip("0").rstrip(".")} if was else {}
    form = OpeningForm(request.POST or None, currency=account.currency, initial=initial)
    chosen = ids_of(request.POST.getlist("still_open"))
    if request.method == "GET" and was is not None:
        carried = OpenBankLine.objects.filter(account=account, on__lt=was.on)
        chosen = list(carried.values_list("entry_id", flat=True))
    if request.method == "POST" and form.is_valid():
        try:
            opening_service.set_opening(
                account=account,
                on=form.cleaned_data["on"],
                amount=form.cleaned_data["amount"],
                still_open=chosen,
                by=request.user,
                at=timezone.now(),
            )
        except opening_service.OpeningStandsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The opening balance is set."))
            return redirect("reconciliation:account", account.pk)
    lines = Entry.objects.booked().filter(account=account).exclude(matched__live=True)
    context = {
        "account": account,
        "form": form,
        "was": was,
        "lines": lines.order_by("booked_on", "id")[:200],
        "chosen": chosen,
    }
    status = 422 if form.errors else 200
    return render(request, "reconciliation/opening.html", context, status=status)
