"""The audit trail as a list, and the queue of changes that wait for a second person."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from treasury import wording
from treasury.models import AuditEvent, Company, ProposedChange
from treasury.services import access, auditing, changes, moving
from treasury.templatetags import portal
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage

SEE = "treasury.view_auditevent"


class AuditFilters(Filters):
    """Narrow the trail by time, person, act, object and company."""

    search = forms.CharField(label=gettext_lazy("Object or detail"))
    who = forms.CharField(label=gettext_lazy("Who"))
    action = forms.CharField(label=gettext_lazy("Action"))
    company = forms.ModelChoiceField(
        Company.objects.none(),
        label=gettext_lazy("Company"),
        to_field_name="code",
        empty_label=gettext_lazy("All"),
    )
    since = forms.DateField(label=pgettext_lazy("first date", "From"))
    until = forms.DateField(label=gettext_lazy("To"))
    lookups = {
        "search": ("object_label__icontains", "detail__icontains"),
        "who": "actor_name__icontains",
        "action": "action__icontains",
        "company": "company",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].queryset = Company.objects.visible_to(self.user)  # type: ignore[attr-defined]

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        rows = super().narrow(rows)
        zone = timezone.get_current_timezone()
        if since := self.cleaned_data.get("since"):
            rows = rows.filter(at__gte=datetime.combine(since, time.min, zone))
        if until := self.cleaned_data.get("until"):
            rows = rows.filter(at__lte=datetime.combine(until, time.max, zone))
        return rows


class DetailColumn(Column):
    """The JSON detail as lines on screen, as it is in files."""

    def cell(self, row: Any) -> SafeString:
        lines = wording.detail_lines(row)
        if not lines:
            return portal.DASH
        body = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", lines)
        return format_html('<dl class="detail">{}</dl>', body)


class AuditPage(ListPage):
    """Who did what to which object when."""

    model, title, filters, permission = AuditEvent, gettext_lazy("Audit trail"), AuditFilters, SEE
    template_name = "treasury/audit.html"
    related = ("company",)
    export_name = "audit"
    empty = gettext_lazy("Nothing has happened yet in the companies granted to you.")
    columns = (
        Column("at", gettext_lazy("At"), kind="instant"),
        Column("actor_name", gettext_lazy("Who")),
        Column("action_label", gettext_lazy("Act"), value=lambda e: portal.action_label(e.action)),
        Column("action", gettext_lazy("Action")),
        Column("object_label", gettext_lazy("Object"), roomy=True),
        Column("object_type", gettext_lazy("Object type"), only_in_files=True),
        Column("object_id", gettext_lazy("Object number"), kind="number", only_in_files=True),
        Column("company", gettext_lazy("Company"), value="company.name", roomy=True),
        DetailColumn("detail", gettext_lazy("Detail")),
        Column("ip", gettext_lazy("Address")),
        Column("position", gettext_lazy("Position"), kind="number"),
        Column("previous_hash", gettext_lazy("Hash before"), only_in_files=True),
        Column("hash", gettext_lazy("Hash"), only_in_files=True),
    )

    def rows(self) -> models.QuerySet[Any]:
        """Events of no company (people, connections) are for those who manage access."""
        found: models.QuerySet[Any] = super().rows()
        if access.may(self.request.user, "treasury.manage_access"):
            found = found | AuditEvent.objects.filter(company=None).select_related("company")
        return found


@require_POST
def verify_trail(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain now and say whether it holds."""
    access.require(request.user, SEE)
    verdict = auditing.verify()
    if verdict.intact:
        text = _("The chain is intact: %(events)d events, the last hash is %(head)s.")
        messages.success(request, text % {"events": verdict.events, "head": verdict.head})
    else:
        text = _(
            "THE CHAIN IS BROKEN at position %(position)s: %(reason)s. %(events)d events before it hold."
            " Keep the database as it is and call your auditors."
        )
        facts = {"position": verdict.broken_at, "reason": verdict.reason, "events": verdict.events}
        messages.error(request, text % facts)
    return redirect("audit")


class ChangeFilters(Filters):
    """Find a change by its object."""

    search = forms.CharField(label=gettext_lazy("Object"))
    lookups = {"search": "object_label__icontains"}


def kind_label(change: Any) -> str:
    kind = changes.KINDS.get(change.kind)
    return str(kind.label) if kind else change.kind


class ChangesPage(ListPage):
    """Changes that waited or wait for a second person."""

    model, title, filters = ProposedChange, gettext_lazy("Proposed changes"), ChangeFilters
    related = ("made_by", "decided_by", "company")
    tab_field, tab_choices = "state", ProposedChange.State.choices
    export_name = "changes"
    empty = gettext_lazy("Nothing was proposed yet.")
    columns = (
        Column("kind", gettext_lazy("Kind"), value=kind_label),
        Column(
            "object_label", gettext_lazy("Object"), url=lambda c: reverse("change", args=[c.pk]), roomy=True
        ),
        Column("company", gettext_lazy("Company"), value="company.name", roomy=True),
        Column("made_by", gettext_lazy("Proposed by")),
        Column("made_at", gettext_lazy("Proposed at"), kind="instant"),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("decided_by", gettext_lazy("Decided by")),
    )

    def rows(self) -> models.QuerySet[Any]:
        return changes.visible_to(self.request.user).select_related(*self.related)


class ChangePage(DetailPage):
    """One change: before and after, and the decision."""

    model, template_name, timeline = ProposedChange, "treasury/change.html", True
    related = ChangesPage.related
    facts = (
        Column("kind", gettext_lazy("Kind"), value=kind_label),
        Column("company", gettext_lazy("Company"), value="company.name", hide_empty=True),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("made_by", gettext_lazy("Proposed by")),
        Column("made_at", gettext_lazy("Proposed at"), kind="instant"),
        Column("reason", gettext_lazy("Reason"), wide=True, hide_empty=True),
        Column("decided_by", gettext_lazy("Decided by"), hide_empty=True),
        Column("decided_at", gettext_lazy("Decided at"), kind="instant", hide_empty=True),
        Column("decision_reason", gettext_lazy("Reason of the decision"), wide=True, hide_empty=True),
    )

    def rows(self) -> models.QuerySet[Any]:
        return changes.visible_to(self.request.user).select_related(*self.related)

    def more(self, found: ProposedChange) -> dict[str, Any]:
        kind, user = changes.KINDS.get(found.kind), self.request.user
        pending = found.state == ProposedChange.State.PENDING
        own = found.made_by_id == user.pk
        return {
            "may_decide": pending and not own and kind and access.may(user, kind.confirm_permission),
            "may_withdraw": pending and own,
        }


@require_POST
def decide_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, reject or withdraw; what is refused is said on the change's page."""
    change = get_object_or_404(changes.visible_to(request.user), pk=pk)
    reason, at = request.POST.get("reason", "")[:500], timezone.now()
    try:
        if request.POST.get("decision") == "confirm":
            changes.confirm(change=change, by=request.user, at=at, reason=reason)
            messages.success(
                request, _("The change of %(object)s is applied.") % {"object": change.object_label}
            )
        else:
            changes.reject(change=change, by=request.user, at=at, reason=reason)
            messages.success(
                request, _("The change of %(object)s is closed.") % {"object": change.object_label}
            )
    except (changes.ChangeRefusedError, access.AccessDeniedError, moving.IllegalMoveError) as error:
        messages.error(request, str(error))
    return redirect("change", pk=pk)


def waiting(user: Any, at: datetime) -> dict[str, Any] | None:
    """The home page's line about changes that wait for `user`."""
    count = changes.waiting_for(user).count()
    if not count:
        return None
    url = f"{reverse('changes')}?state=PENDING"
    return {"entries": [{"url": url, "icon": "list-check", "label": _("Changes to confirm"), "count": count}]}


def waiting_count(user: Any) -> int:
    """The badge of the side bar."""
    return changes.waiting_for(user).count()
