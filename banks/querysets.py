"""Questions about many statements, entries and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from treasury.models import Account

if TYPE_CHECKING:
    from banks.models import Entry, InboundFile, Statement


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
        later = self.model._meta.get_field("statement").related_model._default_manager.filter(
            account=OuterRef("account"), pk__gt=OuterRef("statement")
        )
        return self.filter(~Exists(later), status="PDNG")


class InboundFileQuerySet(models.QuerySet["InboundFile"]):
    def visible_to(self, user: Any) -> InboundFileQuerySet:
        """Files one uploaded, files with a statement of a visible account, and what came over a
        connection of such an account (it may hold nothing that could be read yet)."""
        accounts = Account.objects.visible_to(user)
        told = self.model.statements.rel.related_model.objects.filter(account__in=accounts)
        reached = Q(connection__connected_accounts__account__in=accounts)
        over = self.model.objects.filter(reached)
        return self.filter(Q(uploaded_by=user) | Q(pk__in=told.values("file")) | Q(pk__in=over.values("pk")))
