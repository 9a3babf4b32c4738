"""The only door to the job queue. A job is a nudge; the database row is the truth.

Arguments are ids and short strings. Jobs are enqueued at commit, so a rolled-back transaction
leaves no nudge behind, whichever broker carries it; should a nudge be lost, the sweep job
that runs every minute finds the row.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

SCHEDULES: dict[str, int] = {}
"""Dotted path of a task to the minutes between its runs; apps add theirs in `ready()`."""


def enqueue(path: str, *ids: int | str) -> None:
    """Run the function at dotted `path` in a worker once this transaction has committed."""
    transaction.on_commit(partial(async_task, path, *ids))


def every(minutes: int, path: str) -> None:
    """Declare that `path` runs every so many minutes."""
    SCHEDULES[path] = minutes


def lay_schedules(**_signal: object) -> None:
    """Bring the stored schedules in step with the declared ones (after migrate; idempotent)."""
    Schedule.objects.exclude(func__in=SCHEDULES).delete()
    for path, minutes in SCHEDULES.items():
        Schedule.objects.update_or_create(
            func=path,
            defaults={
                "name": path,
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
                "repeats": -1,
            },
            create_defaults={
                "name": path,
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
                "repeats": -1,
                "next_run": timezone.now() + timedelta(seconds=5),
            },
        )
