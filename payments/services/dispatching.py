"""Working off what is due: send, ask, repeat until nothing is due or the time is used up.

Called by jobs in any number of workers at once; the rows' locks and leases keep them apart.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from banks.services import talking
from banks.services.talking import Clock
from payments.services import claiming, querying, sending

log = logging.getLogger(__name__)


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


def _send_one(worker: str, clock: Clock) -> bool:
    """Send one message over the first connection that has something free to claim."""
    for connection in claiming.due_connections(clock()):
        try:
            claim = claiming.claim_due(connection=connection, worker=worker, clock=clock)
        except talking.ConnectionNotUsableError as error:
            talking.failed(connection=connection, error=error, at=clock())
            continue
        except Exception as error:
            log.exception("Nothing could be claimed for %s", connection)
            talking.failed(connection=connection, error=error, at=clock())
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
