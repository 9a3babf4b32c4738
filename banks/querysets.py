"""Questions about many statements, entries and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from treasury.models import Account
from treasury.services import access

if TYPE_CHECKING:
    from banks.models import Connection, Entry, Exchange, InboundFile, Statement


def _rows(name: str) -> Any:
    """All rows of another model of this app, which this module cannot import."""
    return apps.get_model("banks", name)._default_manager


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: Any) -> StatementQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: Any) -> EntryQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def booked(self) -> EntryQuerySet:
        return self.filter(status="BOOK")

    def pending(self) -> EntryQuerySet:
        """What each account's newest report says is on its way; older reports are superseded."""
        later = _rows("Statement").filter(account=OuterRef("account"), pk__gt=OuterRef("statement"))
        return self.filter(~Exists(later), status="PDNG")


class InboundFileQuerySet(models.QuerySet["InboundFile"]):
    def visible_to(self, user: Any) -> InboundFileQuerySet:
        """Files one uploaded, files with a statement of a visible account, and what came over a
        connection of such an account (it may hold nothing that could be read yet)."""
        accounts = Account.objects.visible_to(user)
        told = _rows("Statement").filter(account__in=accounts)
        reached = Q(connection__connected_accounts__account__in=accounts)
        over = self.model.objects.filter(reached)
        return self.filter(Q(uploaded_by=user) | Q(pk__in=told.values("file")) | Q(pk__in=over.values("pk")))

    def wholly_visible_to(self, user: Any) -> InboundFileQuerySet:
        """Files whose bytes tell `user` nothing new: own uploads, files of visible accounts only, and
        for whoever may read the talks of a connection also what came over it."""
        accounts = Account.objects.visible_to(user)
        statements = _rows("Statement")
        hidden = statements.exclude(account__in=accounts).values("file")
        told = statements.filter(account__in=accounts).values("file")
        whole = Q(pk__in=told) & ~Q(pk__in=hidden) & Q(error="")
        seen = Q(uploaded_by=user) | whole
        if access.may(user, "banks.view_exchange"):
            talks = _rows("Connection").wholly_visible_to(user)
            seen |= Q(connection__in=talks.values("pk"))
        return self.filter(seen)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> ConnectionQuerySet:
        """Connections of visible accounts; whoever sets connections up sees also those without any."""
        links = _rows("ConnectedAccount")
        reached = links.filter(account__in=Account.objects.visible_to(user))
        seen = Q(pk__in=reached.values("connection"))
        if access.may(user, "banks.configure_connection"):
            seen |= ~Q(pk__in=links.values("connection"))
        return self.filter(seen)

    def wholly_visible_to(self, user: Any) -> ConnectionQuerySet:
        """Connections whose every account is visible: one talk may speak of all of them."""
        links = _rows("ConnectedAccount")
        hidden = links.exclude(account__in=Account.objects.visible_to(user)).values("connection")
        return self.visible_to(user).exclude(pk__in=hidden)


class ExchangeQuerySet(models.QuerySet["Exchange"]):
    def visible_to(self, user: Any) -> ExchangeQuerySet:
        """Talks of connections whose every account is visible, for those who may read talks."""
        if not access.may(user, "banks.view_exchange"):
            return self.none()
        connections = _rows("Connection")
        return self.filter(connection__in=connections.wholly_visible_to(user).values("pk"))
