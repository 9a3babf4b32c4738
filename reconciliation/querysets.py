"""Questions about many ledger entries, open lines, matches and closes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import F

from treasury.models import Account

if TYPE_CHECKING:
    from reconciliation.models import Close, LedgerEntry, LedgerImport, Match
    from reconciliation.models.open_lines import OpenLine

Open = TypeVar("Open", bound="OpenLine")


class LedgerImportQuerySet(models.QuerySet["LedgerImport"]):
    def visible_to(self, user: Any) -> LedgerImportQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def booked(self) -> LedgerImportQuerySet:
        """Files whose lines count: confirmed and not undone."""
        return self.filter(booked_at__isnull=False, undone_at__isnull=True)


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: Any) -> LedgerEntryQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def live(self) -> LedgerEntryQuerySet:
        """Lines whose import was not undone."""
        return self.filter(live=True)


class OpenLineQuerySet(models.QuerySet[Open]):
    def visible_to(self, user: Any) -> OpenLineQuerySet[Open]:
        return self.filter(account__in=Account.objects.visible_to(user))


class MatchQuerySet(models.QuerySet["Match"]):
    def visible_to(self, user: Any) -> MatchQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def live(self) -> MatchQuerySet:
        return self.filter(undone_at__isnull=True)

    def spanning(self, on: date) -> MatchQuerySet:
        """Living matches with a line on or before `on` that waited for a line after it."""
        return self.live().filter(first_on__lte=on, last_on__gt=on).exclude(first_on=F("last_on"))


class CloseQuerySet(models.QuerySet["Close"]):
    def visible_to(self, user: Any) -> CloseQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def last_of(self, account: Account) -> Close | None:
        """The latest closed day of `account`."""
        return self.filter(account=account).order_by("-on").first()
