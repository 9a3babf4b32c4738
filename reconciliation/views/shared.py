"""What the pages of one account share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from treasury.models import Account
from treasury.services import access

RECONCILE = "reconciliation.reconcile"
IMPORT = "reconciliation.import_journal"
CLOSE = "reconciliation.close_account"


def account_for(request: HttpRequest, pk: int) -> Account:
    """The account when the reader may see it; 404 otherwise."""
    rows = Account.objects.visible_to(request.user).select_related("company", "bank")
    return get_object_or_404(rows, pk=pk)


def abilities(request: HttpRequest) -> dict[str, Any]:
    """What the reader may do here, for templates."""
    return {
        "may_reconcile": access.may(request.user, RECONCILE),
        "may_import": access.may(request.user, IMPORT),
        "may_close": access.may(request.user, CLOSE),
    }


def today_at(account: Account, at: datetime) -> date:
    """The day it is at the account's bank."""
    return at.astimezone(ZoneInfo(account.time_zone)).date()


def ids_of(values: list[str]) -> list[int]:
    """The ids among `values`; anything else is left out."""
    return [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 19]
