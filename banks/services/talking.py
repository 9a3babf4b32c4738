"""Talking to a bank: from a stored connection to a live connector, every word kept.

`ask` is for questions that change nothing at the bank. Sending money is `open_exchange` (the
request is stored and committed), the send itself, then `close_exchange`: `payments` does that,
because only it knows what an unclear ending means. The health of a connection is kept here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from banks import connectors
from banks.connectors.abilities import ConnectorError, NotSentError, RefusedError
from banks.messages import Talk
from banks.models import Connection, Exchange
from banks.states import ConnectionState
from treasury import secrets

Result = TypeVar("Result")

BACKOFF_FIRST = timedelta(seconds=1)
BACKOFF_MOST = timedelta(minutes=15)


class ConnectionNotUsableError(Exception):
    """The connection is not active, or its stored settings do not make a connector."""

    code = "banks.connection_not_usable"


Clock = Callable[[], datetime]

_open: dict[int, tuple[object, object]] = {}
"""One live connector per connection and process, so that lines to the bank stay open."""


def connector_of(connection: Connection, *, clock: Clock = timezone.now) -> Any:
    """The connector of an active connection, built from its settings and opened secrets.

    `clock` is the one the connector signs and measures by. Raises ConnectionNotUsableError, or
    UndecipherableError when no master key fits.
    """
    if connection.state != ConnectionState.ACTIVE:
        raise ConnectionNotUsableError(
            _("Connection %(name)s is %(state)s. An administrator activates it, a second one confirms.")
            % {"name": connection, "state": connection.get_state_display()}
        )
    return build(connection, clock=clock)


def build(connection: Connection, *, clock: Clock = timezone.now) -> Any:
    """The connector whatever the connection's state: for testing settings before activation."""
    stamp = (connection.connector, repr(sorted(connection.config.items())), bytes(connection.secrets), clock)
    held = _open.get(connection.pk) if connection.pk else None
    if held and held[0] == stamp:
        return held[1]
    package = connectors.package(connection.connector)
    values = connection.config | secrets.unseal(connection.secrets)
    try:
        config = package.Config(**values)
    except (TypeError, ValueError) as error:
        raise ConnectionNotUsableError(
            _("The settings of connection %(name)s do not fit connector %(connector)s: %(error)s.")
            % {"name": connection, "connector": connection.connector, "error": error}
        ) from error
    made = package.connect(config, clock=clock)
    if connection.pk:
        _open[connection.pk] = (stamp, made)
    return made


def ask(
    *,
    connection: Connection,
    purpose: str,
    subject: str,
    call: Callable[[Any], Result],
    at: datetime,
    clock: Clock = timezone.now,
) -> Result:
    """Ask the bank something that changes nothing there; the talk is stored either way.

    `call` gets the connector. Raises the ConnectorError of the talk after storing it.
    """
    connector = connector_of(connection, clock=clock)
    try:
        result = call(connector)
    except ConnectorError as error:
        outcome = outcome_of(error)
        keep_talks(
            connection=connection,
            purpose=purpose,
            subject=subject,
            talks=[error.talk] if error.talk else [],
            outcome=outcome,
            error=str(error),
            at=at,
        )
        failed(connection=connection, error=error, at=at)
        raise
    answer = result[0] if isinstance(result, tuple) else result
    talks = list(getattr(answer, "talks", ())) or [f.talk for f in getattr(answer, "files", ()) if f.talk]
    keep_talks(
        connection=connection,
        purpose=purpose,
        subject=subject,
        talks=talks,
        outcome=Exchange.Outcome.ANSWERED,
        error="",
        at=at,
    )
    worked(connection=connection, at=at)
    return result


def open_exchange(
    *, connection: Connection, purpose: str, subject: str, request: bytes, at: datetime
) -> Exchange:
    """Store a request before its first byte leaves. The caller commits before sending."""
    return Exchange.objects.create(
        connection=connection, purpose=purpose, subject=subject[:200], request=request, started_at=at
    )


def close_exchange(
    *, exchange: Exchange, outcome: str, at: datetime, response: bytes | None = None, error: str = ""
) -> None:
    """Store what came back, once."""
    Exchange.objects.filter(pk=exchange.pk).update(
        outcome=outcome, response=response, error=error[:500], ended_at=at
    )


def outcome_of(error: ConnectorError) -> str:
    """The exchange outcome a failed talk stands for; what is not certain is UNCERTAIN."""
    if isinstance(error, NotSentError):
        return Exchange.Outcome.NOT_SENT
    return Exchange.Outcome.REFUSED if isinstance(error, RefusedError) else Exchange.Outcome.UNCERTAIN


def worked(*, connection: Connection, at: datetime) -> None:
    """Note a success; writes only when there is something new to note."""
    stale = Q(last_ok_at__isnull=True) | Q(last_ok_at__lt=at - timedelta(seconds=30)) | Q(failures__gt=0)
    Connection.objects.filter(stale, pk=connection.pk).update(last_ok_at=at, failures=0, retry_at=None)


def failed(*, connection: Connection, error: Exception, at: datetime) -> None:
    """Note a failure and when to try again: exponential, with jitter, without an end."""
    text = " ".join(filter(None, (str(error), getattr(error, "hint", ""))))[:500]
    Connection.objects.filter(pk=connection.pk).update(
        failures=F("failures") + 1, last_error=text, last_error_at=at
    )
    count = Connection.objects.values_list("failures", flat=True).get(pk=connection.pk)
    wait = min(BACKOFF_FIRST * 2 ** min(count - 1, 12), BACKOFF_MOST)
    jittered = wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, decides nothing
    Connection.objects.filter(pk=connection.pk).update(retry_at=at + jittered)


def keep_talks(
    *,
    connection: Connection,
    purpose: str,
    subject: str = "",
    talks: Sequence[Talk | None],
    outcome: str,
    error: str,
    at: datetime,
) -> None:
    """Store finished talks, one exchange each; one empty exchange when there was no talk at all."""
    rows = [
        Exchange(
            connection=connection,
            purpose=purpose,
            subject=subject[:200],
            request=talk.request if talk else b"",
            response=talk.response if talk else None,
            outcome=outcome,
            error=error[:500],
            started_at=talk.started_at if talk else at,
            ended_at=talk.ended_at if talk else at,
        )
        for talk in (talks or [None])
    ]
    Exchange.objects.bulk_create(rows)
