"""What reconciliation hangs into the shell: a home panel, a count, a box on the account's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Min
from django.http import HttpRequest

from reconciliation.models import OpenBankLine, OpenBookLine
from reconciliation.services.standing import standings
from treasury.models import Account
from treasury.services import access


def waiting(user: Any, at: datetime) -> dict[str, Any] | None:
    """Open lines, for who may match them."""
    if not access.may(user, "reconciliation.reconcile"):
        return None
    bank = _counted(OpenBankLine, user)
    books = _counted(OpenBookLine, user)
    if not bank["n"] and not books["n"]:
        return None
    days = [side["oldest"] for side in (bank, books) if side["oldest"]]
    return {"bank": bank["n"], "books": books["n"], "oldest_on": min(days)}


def account_box(request: HttpRequest, account: Account, at: datetime) -> dict[str, Any] | None:
    """How reconciliation stands on one account."""
    return {"standing": standings([account])[0], "account": account}


def _counted(model: Any, user: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.objects.visible_to(user).aggregate(n=Count("pk"), oldest=Min("on"))
    return found
