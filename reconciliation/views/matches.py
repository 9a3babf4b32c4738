"""Matches as a list and one by one, undone singly or many at a time."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from reconciliation.models import Match
from reconciliation.services import by_hand
from reconciliation.views.shared import abilities, ids_of
from treasury.models import Account
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage

AGREED = {
    "reference": _("our reference"),
    "bank_reference": _("bank reference"),
    "amount": _("amount"),
    "counterparty": _("counterparty"),
    "sum": _("sum"),
}


class MatchFilters(Filters):
    account = forms.ModelChoiceField(Account.objects.none(), label=_("Account"))
    tier = forms.ChoiceField(label=_("Found by"), choices=[("", _("All")), *Match.Tier.choices])
    undone = forms.ChoiceField(
        label=_("Show"), choices=[("", _("Standing")), ("yes", _("Undone")), ("all", _("All"))]
    )
    lookups = {"account": "account", "tier": "tier"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.visible_to(self.user)  # type: ignore[attr-defined]

    def narrow(self, rows: Any) -> Any:
        shown = self.cleaned_data.get("undone")
        if shown != "all":
            rows = rows.filter(undone_at__isnull=shown != "yes")
        return super().narrow(rows)


def agreed(match: Match) -> str:
    """What agreed between the lines, in words."""
    return ", ".join(str(AGREED.get(key, key)) for key in match.why.get("agreed", ()))


COLUMNS = (
    Column(
        "id",
        _("Match"),
        value=lambda match: f"#{match.pk}",
        url=lambda m: reverse("reconciliation:match", args=[m.pk]),
    ),
    Column("account", _("Account"), roomy=True),
    Column("amount", _("Amount"), kind="signed", currency="account.currency"),
    Column("tier", _("Found by"), value=lambda match: match.get_tier_display()),
    Column("why", _("What agreed"), value=agreed),
    Column("days", _("Days apart"), value=lambda match: match.why.get("days"), kind="number"),
    Column("last_on", _("Last day"), kind="date"),
    Column("made_by", _("Matched by"), value=lambda match: match.made_by or _("the portal")),
    Column("made_at", _("Matched at"), kind="instant"),
    Column("undone_at", _("Undone at"), kind="instant"),
)


class MatchesPage(ListPage):
    """All matches, the standing ones first of all."""

    empty = _("Nothing is matched yet. Open an account under Reconciliation to match its lines.")
    model, title, filters = Match, _("Matches"), MatchFilters
    template_name = "reconciliation/matches.html"
    related = ("account", "made_by")
    selectable = True
    selection_url = reverse_lazy("reconciliation:undo_matches")  # type: ignore[assignment]
    columns = COLUMNS

    def more(self) -> dict[str, Any]:
        return abilities(self.request)


class MatchPage(DetailPage):
    """One match with the lines of both sides and its history."""

    model, template_name, related = Match, "reconciliation/match.html", ("account", "made_by", "undone_by")
    facts = (*COLUMNS[1:], Column("note", _("Note"), value=lambda match: match.why.get("note")))
    timeline = True

    def more(self, found: Match) -> dict[str, Any]:
        lines = found.lines.select_related("entry", "ledger_entry").order_by("pk")
        return {
            "bank": [line.entry for line in lines if line.entry is not None],
            "books": [line.ledger_entry for line in lines if line.ledger_entry is not None],
            **abilities(self.request),
        }


@require_POST
def undo_many(request: HttpRequest) -> HttpResponse:
    """Undo the chosen matches one by one; each refusal is told, the others are undone."""
    rows = Match.objects.visible_to(request.user).select_related("account")
    done = 0
    for match in rows.filter(pk__in=ids_of(request.POST.getlist("ids"))[:500]).order_by("pk"):
        try:
            by_hand.undo_match(match=match, by=request.user, at=timezone.now())
            done += 1
        except by_hand.MatchError as error:
            messages.error(request, f"#{match.pk}: {error}")
    if done:
        text = ngettext("%(count)d match is undone.", "%(count)d matches are undone.", done)
        messages.success(request, text % {"count": done})
    return redirect("reconciliation:matches")
