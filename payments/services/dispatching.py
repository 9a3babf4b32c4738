"""Working off what is due: send, ask, repeat until nothing is due or the time is used up.

Called by jobs in any number of workers at once; the rows' locks and leases keep them apart.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from banks.services import talking
from banks.services.talking import Clock
from payments.services import claiming, querying, sending

log = logging.getLogger(__name__)


WATCHER = 7_215_001
"""The advisory lock of the one process that waits for enquiries; any fixed number of our own."""


@dataclass(slots=True)
class Worked:
    """What one run did: messages sent and enquiries made."""

    sent: int = 0
    asked: int = 0


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def work_off(*, budget: timedelta, clock: Clock = timezone.now) -> Worked:
    """Send and ask until nothing is due or `budget` has passed. Never raises for one bank's sake."""
    done, until, worker = Worked(), clock() + budget, worker_name()
    while clock() < until:
        sent = _send_one(worker, clock)
        asked = _ask_one(worker, clock)
        done.sent += sent
        done.asked += asked
        if not sent and not asked:
            break
    return done


def watch(*, budget: timedelta, patience: timedelta, clock: Clock = timezone.now) -> Worked:
    """Work off what is due, then stay for the enquiries that fall due within `patience`.

    Only one process of all stays, so that the others are free for other jobs. Without this an
    outcome known in two seconds would be asked for by the job of the next minute.
    """
    done, until = work_off(budget=budget, clock=clock), clock() + patience
    with _only_watcher() as ours:
        while ours and clock() < until:
            due = querying.next_due()
            if due is None or due > until:
                break
            time.sleep(min(max((due - clock()).total_seconds(), 0.1), 1.0))
            more = work_off(budget=budget, clock=clock)
            done.sent, done.asked = done.sent + more.sent, done.asked + more.asked
    return done


@contextmanager
def _only_watcher() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [WATCHER])
        ours = bool(cursor.fetchone()[0])
        try:
            yield ours
        finally:
            if ours:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [WATCHER])


def _send_one(worker: str, clock: Clock) -> bool:
    """Send one message over the first connection that has something free to claim."""
    for line in claiming.due_connections(clock()):
        try:
            claim = claiming.claim_due(connection=line, worker=worker, clock=clock)
        except talking.ConnectionNotUsableError as error:
            talking.failed(connection=line, error=error, at=clock())
            continue
        except Exception as error:
            log.exception("Nothing could be claimed for %s", line)
            talking.failed(connection=line, error=error, at=clock())
            continue
        if claim is not None:
            _send(claim)
            return True
    return False


def _send(claim: claiming.Claim) -> None:
    """Send; an outcome that could not be stored leaves the lease, and the bank is asked after it."""
    try:
        sending.send_claim(claim)
    except Exception:
        log.exception("The outcome of exchange %s was not stored; the bank will be asked", claim.exchange.pk)


def _ask_one(worker: str, clock: Clock) -> bool:
    question = querying.claim_questions(worker=worker, at=clock())
    if question is None:
        return False
    try:
        querying.ask_question(question, clock=clock)
    except Exception:
        log.exception("The answer about %s was not stored; it is asked again", question.references)
    return True
