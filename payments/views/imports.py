"""The import wizard: upload, preview, commit, undo; and the file to fill in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from payments.forms import PaymentFileForm
from payments.models import Batch, ImportedFile
from payments.services import import_reading, importing, preparing
from payments.services.importing import ImportRefusedError
from payments.services.returning import AlreadyMovingError
from treasury.models import Account
from treasury.services import access
from treasury.tables import TableError

SHOWN = 100


def upload(request: HttpRequest) -> HttpResponse:
    """Step 1: the file and its debit account. Nothing is written but the file itself."""
    access.require(request.user, preparing.PREPARE)
    form = PaymentFileForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = importing.upload_file(
                account=form.cleaned_data["account"],
                name=file.name,
                content=file.read(),
                by=request.user,
                at=timezone.now(),
            )
        except (TableError, ImportRefusedError) as error:
            form.add_error("file", str(error))
        else:
            return redirect("payments:import_preview", kept.pk)
    context = {"form": form, "form_has_errors": bool(form.errors), "columns": import_reading.COLUMNS}
    return render(request, "payments/import_upload.html", context, status=422 if form.errors else 200)


def _file(request: HttpRequest, pk: int) -> ImportedFile:
    visible = ImportedFile.objects.filter(account__in=Account.objects.visible_to(request.user))
    return get_object_or_404(visible.select_related("account", "uploaded_by"), pk=pk)


def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2: what the file would pay, every fault by cause, totals and repeats."""
    access.require(request.user, preparing.PREPARE)
    file = _file(request, pk)
    if file.committed_at is not None:
        return redirect("payments:batch", file.batch.pk)
    context: dict[str, Any] = {"file": file, "step": 2}
    try:
        found = importing.preview_file(file=file, at=timezone.now())
    except TableError as error:
        context["refused"] = str(error)
    else:
        context |= {"preview": found, "lines": found.lines[:SHOWN], "more": max(0, len(found.lines) - SHOWN)}
    return render(request, "payments/import_preview.html", context)


@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 3: all rows become drafts of one batch."""
    file = _file(request, pk)
    try:
        batch = importing.commit_file(file=file, by=request.user, at=timezone.now())
    except (TableError, ImportRefusedError) as error:
        messages.error(request, str(error))
        return redirect("payments:import_preview", pk)
    messages.success(request, _("%(file)s became a batch of drafts.") % {"file": file})
    return redirect("payments:batch", batch.pk)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel all drafts of a batch."""
    batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=pk)
    try:
        count = importing.undo_import(batch=batch, by=request.user, at=timezone.now())
    except AlreadyMovingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(count)d drafts were cancelled.") % {"count": count})
    return redirect("payments:batch", pk)


def template(request: HttpRequest) -> HttpResponse:
    """The file to fill in."""
    response = HttpResponse(import_reading.template_csv(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="payments-template.csv"'
    return response
