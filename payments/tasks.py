"""Jobs of the payments floor. Each is a nudge: it looks at the rows and does what is due."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from banks.models import Statement
from payments.models import Payment
from payments.services import dispatching, querying
from treasury import jobs

BUDGET = timedelta(seconds=45)
PATIENCE = timedelta(seconds=20)


def send_due() -> dict[str, int]:
    """Send what is approved and due, ask about what is open; come back when time ran out."""
    done = dispatching.watch(budget=BUDGET, patience=PATIENCE)
    if done.sent or done.asked:
        jobs.enqueue("payments.tasks.send_due")
    return {"sent": done.sent, "asked": done.asked}


def sweep_up() -> dict[str, int]:
    """Every minute: whatever a lost nudge or a dead worker left behind."""
    querying.find_forgotten(at=timezone.now())
    return send_due()


def ask_about(*references: str) -> int:
    """The bank has news of these payments: ask with their references."""
    asked = querying.ask_soon(references=references, at=timezone.now())
    dispatching.work_off(budget=BUDGET)
    return asked


def look_for_returns(statement_id: int) -> int:
    """Ask about settled payments that a statement gives back (退票)."""
    statement = Statement.objects.get(pk=statement_id)
    returned = statement.entries.filter(amount__gt=0).exclude(reference="").values("reference")
    references = list(
        Payment.objects.filter(
            account=statement.account, reference__in=returned, state="SETTLED"
        ).values_list("reference", flat=True)
    )
    return ask_about(*references) if references else 0
