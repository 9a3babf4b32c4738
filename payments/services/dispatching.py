"""Working off what is due: send, ask, repeat until nothing is due or the time is used up.

Called by jobs in any number of workers at once; the rows' locks and leases keep them apart.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from banks.services import talking
from banks.services.talking import Clock
from payments.services import claiming, querying, sending


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
        question = querying.claim_questions(worker=worker, at=clock())
        if question is not None:
            querying.ask_question(question, clock=clock)
        done.sent += sent
        done.asked += question is not None
        if not sent and question is None:
            break
    return done


def _send_one(worker: str, clock: Clock) -> bool:
    """Send one message over the first connection that has something free to claim."""
    for connection in claiming.due_connections(clock()):
        try:
            claim = claiming.claim_due(connection=connection, worker=worker, clock=clock)
        except talking.ConnectionNotUsableError as error:
            talking.failed(connection=connection, error=error, at=clock())
            continue
        if claim is not None:
            sending.send_claim(claim)
            return True
    return False
