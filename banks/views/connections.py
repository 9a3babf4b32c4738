"""Connections: their health at a glance, one by one, and setting them up with a second person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from banks.connectors import NoConnectorError, package
from banks.connectors.abilities import ABILITIES, ConnectorError, abilities_of
from banks.forms import ConnectionForm, ConnectorForm, ReasonForm
from banks.models import Connection
from banks.services import connections, talking
from banks.states import ConnectionState
from treasury import jobs
from treasury.models import Bank
from treasury.secrets import UndecipherableError
from treasury.services import access, changes
from treasury.services.moving import IllegalMoveError
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import ListPage
from treasury.wording import in_words

ABILITY_NAMES: dict[str, Any] = {
    "check": gettext_lazy("Prove that the settings work"),
    "accounts": gettext_lazy("List accounts"),
    "balances": gettext_lazy("Report balances"),
    "statements": gettext_lazy("Hand over statements"),
    "payments": gettext_lazy("Take payments"),
    "queries": gettext_lazy("Say what became of a payment"),
    "returns": gettext_lazy("Report returned payments"),
    "receipts": gettext_lazy("Hand over receipts"),
}
REFUSALS = (
    changes.ChangeRefusedError,
    connections.ConnectionSettingsError,
    talking.ConnectionNotUsableError,
    IllegalMoveError,
    UndecipherableError,
    NoConnectorError,
)


class ConnectionsPage(ListPage):
    """Health of every connection: the last success, what went wrong, when it is tried again."""

    empty = gettext_lazy(
        "No bank is connected yet. An administrator adds a connection, and a second one confirms it."
    )
    model, title = Connection, gettext_lazy("Connections")
    template_name = "banks/connections.html"
    related = ("bank",)
    order = ("name", "id")
    columns = (
        Column("name", gettext_lazy("Name"), url=lambda c: reverse("banks:connection", args=[c.pk])),
        Column("bank", gettext_lazy("Bank")),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("last_ok_at", gettext_lazy("Last success"), kind="instant", sort=True),
        Column("failures", gettext_lazy("Failures in a row"), kind="number"),
        Column(
            "last_error",
            gettext_lazy("What went wrong"),
            value=lambda c: in_words(c.last_error) if c.failures else "",
        ),
        Column("refresh_at", gettext_lazy("Next try"), kind="instant"),
    )

    def more(self) -> dict[str, Any]:
        return {"may_configure": access.may(self.request.user, connections.PERMISSION)}


class ConnectionPage(DetailPage):
    """One connection: health, abilities, settings without secrets, accounts, and what waits."""

    model, template_name, related = Connection, "banks/connection.html", ("bank",)
    timeline = True
    facts = (
        Column("bank", gettext_lazy("Bank")),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("connector", gettext_lazy("Connector")),
        Column("last_ok_at", gettext_lazy("Last success"), kind="instant"),
        Column("failures", gettext_lazy("Failures in a row"), kind="number"),
        Column("refresh_at", gettext_lazy("Next refresh"), kind="instant"),
    )

    def more(self, found: Connection) -> dict[str, Any]:
        accounts = found.connected_accounts.select_related("account").order_by("account__name")
        visible = accounts.filter(account__in=_visible_accounts(self.request))
        return {
            "abilities": _abilities(found),
            "settings": _settings(found),
            "accounts": list(visible),
            "proposal": connections.proposal_of(found),
            "may_configure": access.may(self.request.user, connections.PERMISSION),
            "may_view_talk": access.may(self.request.user, "banks.view_exchange"),
            "reason_form": ReasonForm(),
            "active": found.state == ConnectionState.ACTIVE,
        }


def _visible_accounts(request: HttpRequest) -> Any:
    from treasury.models import Account

    return Account.objects.visible_to(request.user)


def _abilities(connection: Connection) -> list[tuple[Any, bool]]:
    """Every ability there is and whether this connection's connector has it, computed from it."""
    try:
        held = abilities_of(talking.build(connection))
    except REFUSALS:
        held = ()
    return [(ABILITY_NAMES.get(name, name), name in held) for name in ABILITIES]


def _settings(connection: Connection) -> list[tuple[str, str]]:
    try:
        declared = connections.settings_of(connection.connector)
    except NoConnectorError:
        return []
    return [
        (_(s.label), "••••" if s.secret else str(connection.config.get(s.name, s.default))) for s in declared
    ]


def new_connection(request: HttpRequest) -> HttpResponse:
    """Two steps on one address: bank and connector first, then the connector's own settings."""
    access.require(request.user, connections.PERMISSION)
    first = ConnectorForm(request.GET or None)
    if not first.is_valid():
        return render(request, "banks/connection_new.html", {"form": first, "step": 1})
    bank: Bank = first.cleaned_data["bank"]
    connector: str = first.cleaned_data["connector"]
    form = ConnectionForm(request.POST or None, connector=connector, bank=bank, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made = connections.create_connection(
                name=form.cleaned_data["name"],
                bank=bank,
                connector=connector,
                values=form.values(),
                accounts=form.accounts(),
                by=request.user,
                at=timezone.now(),
            )
        except connections.ConnectionSettingsError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The connection works once another administrator agrees."))
            return redirect("banks:connection", pk=made.pk)
    context = {
        "form": form,
        "step": 2,
        "bank": bank,
        "connector_name": _(package(connector).NAME),
        "form_has_errors": bool(form.errors),
    }
    return render(request, "banks/connection_new.html", context, status=422 if form.errors else 200)


def change_connection(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose other settings; the old ones work until another administrator agrees."""
    access.require(request.user, connections.PERMISSION)
    connection = _find(request, pk)
    form = ConnectionForm(
        request.POST or None,
        connector=connection.connector,
        bank=connection.bank,
        user=request.user,
        connection=connection,
    )
    if request.method == "POST" and form.is_valid():
        try:
            connections.change_connection(
                connection=connection,
                name=form.cleaned_data["name"],
                values=form.values(),
                accounts=form.accounts(),
                by=request.user,
                at=timezone.now(),
            )
        except connections.ConnectionSettingsError as error:
            form.refuse(error)
        except REFUSALS as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The change takes effect once another administrator agrees."))
            return redirect("banks:connection", pk=pk)
    context = {"form": form, "connection": connection, "form_has_errors": bool(form.errors)}
    return render(request, "banks/connection_change.html", context, status=422 if form.errors else 200)


@require_POST
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One button of a connection's page: pause, resume, test, refresh, agree or refuse."""
    access.require(request.user, connections.PERMISSION)
    connection = _find(request, pk)
    try:
        text = ACTS[act](request, connection)
    except ConnectorError as error:
        messages.error(request, in_words(f"{error} {error.hint}".strip()))
    except REFUSALS as error:
        messages.error(request, str(error))
    else:
        messages.success(request, text)
    return redirect("banks:connection", pk=pk)


def _find(request: HttpRequest, pk: int) -> Connection:
    return get_object_or_404(Connection.objects.visible_to(request.user).select_related("bank"), pk=pk)


def _pause(request: HttpRequest, connection: Connection) -> str:
    reason = request.POST.get("reason", "")
    connections.pause_connection(connection=connection, by=request.user, at=timezone.now(), reason=reason)
    return _("The connection rests: nothing is said to the bank until two people start it again.")


def _resume(request: HttpRequest, connection: Connection) -> str:
    connections.resume_connection(connection=connection, by=request.user, at=timezone.now())
    return _("The connection works once another administrator agrees.")


def _test(request: HttpRequest, connection: Connection) -> str:
    return connections.check_connection(connection=connection, by=request.user, at=timezone.now())


def _refresh(request: HttpRequest, connection: Connection) -> str:
    if connection.state != ConnectionState.ACTIVE:
        raise talking.ConnectionNotUsableError(_("Only an active connection can be refreshed."))
    jobs.enqueue("banks.tasks.refresh_connection", connection.pk)
    return _("The worker asks the bank now. Reload this page in a moment.")


def _agree(request: HttpRequest, connection: Connection) -> str:
    changes.confirm(change=_waiting(connection), by=request.user, at=timezone.now())
    return _("The change is in force.")


def _refuse(request: HttpRequest, connection: Connection) -> str:
    reason = request.POST.get("reason", "")
    changes.reject(change=_waiting(connection), by=request.user, at=timezone.now(), reason=reason)
    return _("The change is refused.")


def _waiting(connection: Connection) -> Any:
    proposal = connections.proposal_of(connection)
    if proposal is None:
        raise changes.ChangeRefusedError(_("No change waits here any more. Reload the page."))
    return proposal


ACTS = {
    "pause": _pause,
    "resume": _resume,
    "test": _test,
    "refresh": _refresh,
    "agree": _agree,
    "refuse": _refuse,
}
