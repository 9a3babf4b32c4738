"""Questions about many statements, entries and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

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


class InboundFileQuerySet(models.QuerySet["InboundFile"]):
    def visible_to(self, user: Any) -> InboundFileQuerySet:
        """Files one uploaded, and files with a statement of a visible account."""
        accounts = Account.objects.visible_to(user)
        return self.filter(Q(uploaded_by=user) | Q(statements__account__in=accounts)).distinct()
