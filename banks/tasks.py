"""Jobs of the banks floor. They take ids, load rows, and call one service each.

`refresh_due` runs every minute and hands out one refresh per connection that is due: every ten
minutes when all is well, by growing waits when not, always with jitter and never giving up.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from banks.connectors.abilities import ConnectorError
from banks.models import Connection, InboundFile
from banks.services import asking, importing, talking
from banks.states import ConnectionState, FileState
from treasury import jobs
from treasury.secrets import UndecipherableError

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
STATEMENT_SECONDS = 120.0
"""How long one refresh may fetch statements; the rest comes with the next, well within the job timeout."""


def refresh_due() -> int:
    """Hand out the connections that are due; gives their number. Each is claimed by its row."""
    at = timezone.now()
    due = Connection.objects.filter(
        Q(refresh_at__isnull=True) | Q(refresh_at__lte=at), state=ConnectionState.ACTIVE
    )
    claimed = 0
    for pk, seen in due.values_list("pk", "refresh_at"):
        following = at + EVERY * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, decides nothing
        if Connection.objects.filter(pk=pk, refresh_at=seen).update(refresh_at=following):
            jobs.enqueue("banks.tasks.refresh_connection", pk)
            claimed += 1
    return claimed


def refresh_connection(connection_id: int) -> None:
    """Balances, statements and returns of one connection; a failure sets the time of the next try."""
    connection = Connection.objects.get(pk=connection_id)
    if connection.state != ConnectionState.ACTIVE:
        return
    at = timezone.now()
    try:
        asking.fetch_balances(connection=connection, at=at)
        asking.fetch_returns(connection=connection, at=at)
        asking.fetch_statements(connection=connection, at=at, seconds=STATEMENT_SECONDS)
    except ConnectorError:
        _sooner(connection)  # stored with its talk, and on the health page
    except (talking.ConnectionNotUsableError, UndecipherableError, asking.EndlessPagesError) as error:
        talking.failed(connection=connection, error=error, at=at)
        _sooner(connection)
    except Exception as error:
        talking.failed(connection=connection, error=error, at=at)
        log.exception("Refreshing connection %s failed", connection)
        raise


def _sooner(connection: Connection) -> None:
    """After a failure the next refresh is when the connection may next be tried."""
    connection.refresh_from_db()
    if connection.retry_at is not None:
        Connection.objects.filter(pk=connection.pk).update(refresh_at=connection.retry_at)


def import_stored_file(file_id: int) -> None:
    """Read one stored file; one that a bank delivers again after a remark is read again.

    A file that another process is reading right now is left to it.
    """
    with transaction.atomic():
        free = InboundFile.objects.select_for_update(skip_locked=True, of=("self",))
        file = free.filter(pk=file_id).first()
    if file is None:
        return
    if file.state == FileState.RECEIVED and file.attempts >= importing.ATTEMPTS_AT_MOST:
        importing.give_up(file=file, at=timezone.now())
        return
    importing.import_file(file=file, at=timezone.now(), again=file.state != FileState.RECEIVED)


def import_pending() -> int:
    """Pick up files whose nudge was lost; gives their number."""
    since = timezone.now() - timedelta(minutes=5)
    waiting = InboundFile.objects.filter(state=FileState.RECEIVED, received_at__lte=since)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:100])
    for pk in ids:
        jobs.enqueue("banks.tasks.import_stored_file", pk)
    return len(ids)
