"""One act at a time on the reconciliation of an account."""

from __future__ import annotations

from django.db import connection

from treasury.models import Account

LOCK = 0x5EC0
"""First key of our advisory locks; the second is the account."""


def hold_account(account: Account) -> None:
    """Wait for and hold the reconciliation of `account` until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, account.pk])
