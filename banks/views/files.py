"""Statement files: upload with a result for each, the list, one file and its quarantine."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from banks.forms import UploadForm
from banks.models import InboundFile, QuarantinedLine
from banks.services import importing, keeping
from banks.states import FileState
from treasury import jobs
from treasury.models import User
from treasury.services import access
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage
from treasury.wording import in_words

AT_ONCE = 2 << 20
"""Files up to this many bytes are read while the person waits, larger ones by a job."""

HANDED_IN = "banks_handed_in"


class FileFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Name"))
    lookups = {"search": "name__icontains"}


class FilesPage(ListPage):
    """Every file that came, whatever became of it."""

    empty = gettext_lazy(
        "No file yet. Import a camt or MT940 file; files fetched from banks appear here too."
    )
    model, title, filters = InboundFile, gettext_lazy("Statement files"), FileFilters
    template_name = "banks/files.html"
    tab_field, tab_choices = "state", FileState.choices
    related = ("connection", "uploaded_by")
    columns = (
        Column("name", gettext_lazy("Name"), url=lambda f: reverse("banks:file", args=[f.pk]), roomy=True),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("format", gettext_lazy("Format")),
        Column("size", gettext_lazy("Bytes"), kind="number"),
        Column("received_at", gettext_lazy("Received at"), kind="instant"),
        Column(
            "source", gettext_lazy("Came from"), value=lambda f: f.connection or f.uploaded_by or _("console")
        ),
        Column("deliveries", gettext_lazy("Times delivered"), kind="number"),
    )

    def more(self) -> dict[str, Any]:
        return {"may_import": access.may(self.request.user, "banks.import_statement")}


class FilePage(DetailPage):
    """One file: its state in words, its statements, its quarantined lines, and reading it again."""

    model, template_name = InboundFile, "banks/file.html"
    related = ("connection", "uploaded_by")
    timeline = True
    facts = (
        Column("state", gettext_lazy("State"), kind="state"),
        Column("format", gettext_lazy("Format")),
        Column("size", gettext_lazy("Bytes"), kind="number"),
        Column("received_at", gettext_lazy("Received at"), kind="instant"),
        Column(
            "source", gettext_lazy("Came from"), value=lambda f: f.connection or f.uploaded_by or _("console")
        ),
        Column("deliveries", gettext_lazy("Times delivered"), kind="number"),
        Column("sha256", "SHA-256", wide=True),
    )

    def more(self, found: InboundFile) -> dict[str, Any]:
        user = cast(User, self.request.user)
        whole = InboundFile.objects.wholly_visible_to(user).filter(pk=found.pk).exists()
        visible = found.statements.visible_to(user).select_related("account").order_by("place")
        may_import = access.may(user, "banks.import_statement")
        return {
            "whole": whole,
            "statements": list(visible[:200]),
            "quarantined": list(found.quarantined.select_related("resolved_by")[:200]) if whole else [],
            "may_import": may_import,
            "can_retry": may_import and found.state in {FileState.UNREADABLE, FileState.FLAGGED},
        }


def upload(request: HttpRequest) -> HttpResponse:
    """Take files; each is stored first, then read: small ones at once, large ones by a job."""
    access.require(request.user, "banks.import_statement")
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "form_has_errors": bool(form.errors)}
        return render(request, "banks/upload.html", context, status=422 if form.errors else 200)
    at = timezone.now()
    taken: list[str] = []
    for one in form.cleaned_data["chosen"]:
        try:
            file = importing.receive_file(
                name=one.name, stream=one, by=request.user, at=at, format=form.cleaned_data["format"] or None
            )
        except importing.FileRefusedError as error:
            messages.error(request, str(error))
            continue
        taken.append(str(file.pk))
        if file.size <= AT_ONCE or file.state != FileState.RECEIVED:
            again = file.state in {FileState.UNREADABLE, FileState.FLAGGED}
            importing.import_file(file=file, at=at, by=request.user, again=again)
        else:
            jobs.enqueue("banks.tasks.import_stored_file", file.pk)
    if not taken:
        return redirect("banks:upload")
    request.session[HANDED_IN] = [*request.session.get(HANDED_IN, []), *map(int, taken)][-200:]
    return redirect(f"{reverse('banks:uploaded')}?files={','.join(taken)}")


def uploaded(request: HttpRequest) -> HttpResponse:
    """What became of the files just uploaded; the page asks again until all are read."""
    access.require(request.user, "banks.import_statement")
    ids = [int(part) for part in request.GET.get("files", "").split(",") if part.isdecimal()][:100]
    # whoever handed the bytes in may hear what became of them, also when somebody else did before
    own = [pk for pk in request.session.get(HANDED_IN, []) if pk in ids]
    visible = InboundFile.objects.visible_to(request.user).filter(pk__in=ids).values("pk")
    found = InboundFile.objects.filter(Q(pk__in=own) | Q(pk__in=visible))
    results = [importing.report_of(file) for file in found.order_by("pk")]
    running = any(done.file.state == FileState.RECEIVED for done in results)
    template = "banks/parts/results.html" if getattr(request, "htmx", False) else "banks/uploaded.html"
    context = {"results": results, "running": running, "address": request.get_full_path()}
    return render(request, template, context)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a file again after its cause was mended."""
    file = get_object_or_404(InboundFile.objects.visible_to(request.user), pk=pk)
    done = importing.retry_file(file=file, by=request.user, at=timezone.now())
    if done.error:
        messages.warning(request, in_words(done.error))
    else:
        messages.success(
            request,
            _("The file was read: %(new)d new lines, %(known)d known before.")
            % {"new": done.new, "known": done.known},
        )
    return redirect("banks:file", pk=pk)


@require_POST
def resolve(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """Note that a quarantined line was dealt with."""
    files = InboundFile.objects.wholly_visible_to(request.user)
    found = get_object_or_404(QuarantinedLine.objects.filter(file__in=files), pk=line, file=pk)
    importing.resolve_line(line=found, by=request.user, at=timezone.now())
    messages.success(request, _("The line is noted as dealt with."))
    return redirect("banks:file", pk=pk)


def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The bytes as they came, for whoever may see every account in them."""
    file = get_object_or_404(InboundFile.objects.wholly_visible_to(request.user), pk=pk)
    response = StreamingHttpResponse(keeping.bytes_of(file), content_type="application/octet-stream")
    response["Content-Length"] = str(file.size)
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in file.name)
    response["Content-Disposition"] = f'attachment; filename="{safe.encode("ascii", "replace").decode()}"'
    return response
