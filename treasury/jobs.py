"""The only door to the job queue. A job is a nudge; the database row is the truth.

Arguments are ids and short strings. Jobs are enqueued at commit, so a rolled-back transaction
leaves no nudge behind, whichever broker carries it; should a nudge be lost, the sweep job
that runs every minute finds the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure, Schedule, Task
from django_q.tasks import async_task

SCHEDULES: dict[str, int] = {}
"""Dotted path of a task to the minutes between its runs; apps add theirs in `ready()`."""


_held_back: ContextVar[bool] = ContextVar("jobs_held_back", default=False)


def enqueue(path: str, *ids: int | str) -> None:
    """Run the function at dotted `path` in a worker once this transaction has committed."""
    if not _held_back.get():
        transaction.on_commit(partial(async_task, path, *ids))


@contextmanager
def held_back() -> Iterator[None]:
    """Inside, nudges are dropped: for who works the rows off at once and by another clock."""
    token = _held_back.set(True)
    try:
        yield
    finally:
        _held_back.reset(token)


def every(minutes: int, path: str) -> None:
    """Declare that `path` runs every so many minutes."""
    SCHEDULES[path] = minutes


def last_run() -> datetime | None:
    """When a worker last ended a job of any kind, well or not."""
    last: datetime | None = Task.objects.aggregate(last=Max("stopped"))["last"]
    return last


def waiting() -> int:
    """How many jobs wait in the queue for a worker."""
    return int(get_broker().queue_size())


def failed_since(moment: datetime) -> dict[str, int]:
    """Dotted path to the number of its failed runs that ended after `moment`, most first."""
    rows = Failure.objects.filter(stopped__gte=moment).values("func").annotate(n=Count("id")).order_by("-n")
    return {row["func"]: row["n"] for row in rows}


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
