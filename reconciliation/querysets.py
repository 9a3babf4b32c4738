"""Questions about many ledger entries and matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from treasury.models import Account

if TYPE_CHECKING:
    from reconciliation.models import LedgerEntry, Match


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: Any) -> LedgerEntryQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))


class MatchQuerySet(models.QuerySet["Match"]):
    def visible_to(self, user: Any) -> MatchQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def live(self) -> MatchQuerySet:
        return self.filter(undone_at__isnull=True)
