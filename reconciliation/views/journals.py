"""Importing the bank journal: upload, map and look, book, undo."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from reconciliation.forms import ColumnsForm, JournalForm
from reconciliation.models import LedgerEntry, LedgerImport
from reconciliation.services import booking
from reconciliation.services.journal_files import LABELS, NAMES, TEMPLATE
from reconciliation.views.shared import IMPORT, abilities
from treasury.services import access, auditing
from treasury.tables import TableError
from treasury.views.columns import Column
from treasury.views.listing import ListPage


def stage(imported: LedgerImport) -> str:
    """Where an upload stands, in words."""
    if imported.undone_at is not None:
        return _("Undone")
    return _("Booked") if imported.booked_at is not None else _("Waiting for a look")


class JournalsPage(ListPage):
    """Uploaded journals: those booked or undone, and one's own that wait."""

    empty = gettext_lazy("No journal yet. Import the bank journal of your books to match it.")
    model, title = LedgerImport, gettext_lazy("Journal imports")
    template_name = "reconciliation/journals.html"
    related = ("account", "made_by")
    columns = (
        Column(
            "name",
            gettext_lazy("File"),
            url=lambda i: reverse("reconciliation:journal", args=[i.pk]),
            roomy=True,
        ),
        Column("account", gettext_lazy("Account"), roomy=True),
        Column("stage", gettext_lazy("State"), value=stage),
        Column("rows", gettext_lazy("Lines"), kind="number"),
        Column("money_in", gettext_lazy("Money in"), kind="amount", currency="account.currency"),
        Column("money_out", gettext_lazy("Money out"), kind="amount", currency="account.currency"),
        Column("made_by", gettext_lazy("Imported by")),
        Column("made_at", gettext_lazy("Uploaded at"), kind="instant"),
    )

    def rows(self) -> Any:
        return own_or_booked(self.request).defer("content")

    def more(self) -> dict[str, Any]:
        return abilities(self.request)


def own_or_booked(request: HttpRequest) -> Any:
    """Imports the reader may see; another person's upload only once it is booked."""
    rows = LedgerImport.objects.visible_to(request.user).select_related("account__company", "made_by")
    return rows.filter(Q(booked_at__isnull=False) | Q(made_by=request.user))


def upload(request: HttpRequest) -> HttpResponse:
    """Step 1: choose account and file."""
    access.require(request.user, IMPORT)
    form = JournalForm(
        request.POST or None,
        request.FILES or None,
        user=request.user,
        initial={"account": request.GET.get("account")},
    )
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            draft = booking.upload_journal(
                account=form.cleaned_data["account"],
                name=file.name,
                content=file.read(),
                by=request.user,
                at=timezone.now(),
            )
        except (TableError, booking.BookingError) as error:
            form.add_error("file", str(error))
        else:
            return redirect("reconciliation:journal", draft.pk)
    context = {"form": form, "names": [(LABELS[field], names) for field, names in NAMES.items()]}
    return render(request, "reconciliation/journal_upload.html", context, status=422 if form.errors else 200)


def template(request: HttpRequest) -> HttpResponse:
    """An example file with the headers we know."""
    response = HttpResponse("\ufeff" + TEMPLATE, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="bank-journal.csv"'
    return response


def journal(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2, or what was booked: counts, sums, problems by cause, the first lines."""
    imported = get_object_or_404(own_or_booked(request), pk=pk)
    context: dict[str, Any] = {"imported": imported, "stage": stage(imported), **abilities(request)}
    if imported.booked_at is None:
        found = booking.look(draft=imported)
        chosen = {field: found.headers[at] for field, at in found.columns.items()}
        context |= {
            "look": found,
            "form": ColumnsForm(headers=found.headers, initial=chosen),
            "alike": booking.look_alikes(account=imported.account, journal=found),
            "first": found.lines[:20],
        }
    else:
        lines = LedgerEntry.objects.filter(imported=imported)
        context |= {
            "first": lines.order_by("row")[:20],
            "matched": lines.filter(matched__live=True).count(),
            "timeline": auditing.of(imported),
        }
    return render(request, "reconciliation/journal.html", context)


@require_POST
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep another mapping and look again."""
    draft = get_object_or_404(own_or_booked(request).filter(booked_at__isnull=True), pk=pk)
    form = ColumnsForm(request.POST, headers=booking.look(draft=draft).headers)
    if form.is_valid():
        booking.choose_columns(draft=draft, columns=form.cleaned_data, by=request.user)
    else:
        messages.error(request, _("The file has no such column. Choose from the list."))
    return redirect("reconciliation:journal", draft.pk)


@require_POST
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 3: book every line."""
    draft = get_object_or_404(own_or_booked(request), pk=pk)
    try:
        booked = booking.book_journal(draft=draft, by=request.user, at=timezone.now())
    except booking.BookingError as error:
        messages.error(request, str(error))
        return redirect("reconciliation:journal", draft.pk)
    text = ngettext(
        "%(count)d line is booked; matching runs in the background.",
        "%(count)d lines are booked; matching runs in the background.",
        booked.rows,
    )
    messages.success(request, text % {"count": booked.rows})
    return redirect("reconciliation:account", booked.account_id)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a booked file back."""
    imported = get_object_or_404(own_or_booked(request), pk=pk)
    try:
        booking.undo_import(imported=imported, by=request.user, at=timezone.now())
    except booking.BookingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The import is undone; its lines no longer count."))
    return redirect("reconciliation:journal", imported.pk)
