"""Proposed changes of connections, as others need to know them: who may see one, and what is in force.

Making and applying them is `services.connections`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from banks.models import Connection
from treasury.models import Account, ProposedChange
from treasury.services import access

KIND = "banks.connection"


def sees(change: ProposedChange, by: Any) -> None:
    """Raises AccessDeniedError for whoever may not see every account that the connection has or
    would have: neither the first nor the second person decides about accounts hidden from them."""
    wanted = Q(pk__in=change.payload.get("accounts", []))
    for account in Account.objects.filter(wanted | Q(connected__connection=change.object_id)):
        access.require_account(by, account)


def settings_changed_since(connection: Connection, since: datetime) -> bool:
    """Whether other settings or secrets came in force at or after an instant: the bank that answers
    now need not be the one, or know us as the customer, that was talked to then."""
    return ProposedChange.objects.filter(
        kind=KIND,
        object_id=connection.pk,
        state=ProposedChange.State.APPLIED,
        decided_at__gte=since,
        payload__settings_changed=True,
    ).exists()
