"""Jobs of reconciliation: match what news made matchable. Each may run again at any time."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils import timezone

from banks.models import Statement
from reconciliation.models import OpenBankLine, OpenBookLine
from reconciliation.services.matching import match_account
from treasury.models import Account


def match_statement(statement_id: int) -> int:
    """After a statement came in. Returns the number of new matches."""
    return match_lines(Statement.objects.values_list("account_id", flat=True).get(pk=statement_id))


def match_lines(account_id: int) -> int:
    """After a journal came in. Returns the number of new matches."""
    return match_account(account=Account.objects.get(pk=account_id), at=timezone.now()).total


def match_everything() -> int:
    """Picks up what a lost nudge left behind: accounts with open lines on both sides."""
    waiting = Account.objects.filter(
        Exists(OpenBankLine.objects.filter(account=OuterRef("pk"))),
        Exists(OpenBookLine.objects.filter(account=OuterRef("pk"))),
    )
    return sum(match_lines(pk) for pk in waiting.values_list("pk", flat=True))
