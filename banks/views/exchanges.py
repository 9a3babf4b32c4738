"""Every talk with a bank word for word, secrets masked; for those who look after connections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from banks.models import Connection, Exchange
from banks.rules import SHOWN_AT_MOST, shown
from treasury import secrets
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage
from treasury.wording import in_words

PERMISSION = "banks.view_exchange"
PURPOSES = {
    "check": _("Connection test"),
    "accounts": _("Accounts"),
    "balances": _("Balances"),
    "statements": _("Statements"),
    "payments": _("Payments"),
    "query": _("Enquiry about a payment"),
    "returns": _("Returned payments"),
}
"""What the purposes of talks are called on screen."""


def purpose_of(exchange: Exchange) -> Any:
    return PURPOSES.get(exchange.purpose, exchange.purpose)


class ExchangeFilters(Filters):
    connection = forms.ModelChoiceField(Connection.objects.none(), label=_("Connection"))
    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", _("All")), *PURPOSES.items()])
    search = forms.CharField(label=_("About"))
    lookups = {
        "connection": "connection",
        "purpose": "purpose",
        "search": ("subject__icontains", "error__icontains"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].queryset = Connection.objects.visible_to(self.user)  # type: ignore[attr-defined]


class ExchangesPage(ListPage):
    """The log of talks, newest first."""

    empty = _("Nothing was said to a bank yet. The log fills with the first enquiry of a connection.")
    model, title, filters, permission = Exchange, _("Bank log"), ExchangeFilters, PERMISSION
    tab_field, tab_choices = "outcome", Exchange.Outcome.choices
    related = ("connection",)
    columns = (
        Column("started_at", _("Started at"), kind="instant"),
        Column(
            "purpose", _("Purpose"), value=purpose_of, url=lambda e: reverse("banks:exchange", args=[e.pk])
        ),
        Column("connection", _("Connection")),
        Column("subject", _("About")),
        Column("outcome", _("Outcome"), kind="state"),
        Column("error", _("What went wrong"), value=lambda e: in_words(e.error)),
    )

    def rows(self) -> Any:
        return super().rows().defer("request", "response")


class ExchangePage(DetailPage):
    """One talk: request and answer as they went over the line, without secrets."""

    model, template_name, related = Exchange, "banks/exchange.html", ("connection",)
    permission = PERMISSION
    facts = (
        Column("connection", _("Connection")),
        Column("purpose", _("Purpose"), value=purpose_of),
        Column("subject", _("About")),
        Column("outcome", _("Outcome"), kind="state"),
        Column("started_at", _("Started at"), kind="instant"),
        Column("ended_at", _("Ended at"), kind="instant"),
    )

    def more(self, found: Exchange) -> dict[str, Any]:
        try:
            hidden = list(secrets.unseal(found.connection.secrets).values())
        except secrets.UndecipherableError:
            hidden = []
        return {
            "request_text": shown(found.request, hidden),
            "response_text": None if found.response is None else shown(found.response, hidden),
            "limit": SHOWN_AT_MOST,
            "cut": max(len(found.request), len(found.response or b"")) > SHOWN_AT_MOST,
        }
