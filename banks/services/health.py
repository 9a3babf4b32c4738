"""The doctor's look at the connections: each active one is asked to prove itself.

Address, credentials and the bank's clock are checked by the connector's own `check` ability,
which changes nothing at the bank; the talk is stored like every other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from banks.connectors.abilities import ChecksConnection, ConnectorError
from banks.models import Connection
from banks.services.talking import ConnectionNotUsableError, ask, connector_of
from banks.states import ConnectionState
from treasury.checks_registry import Finding, Level
from treasury.secrets import UndecipherableError


def check_connections(at: datetime) -> Iterator[Finding]:
    """One finding for each active connection, one for all that rest."""
    resting = Connection.objects.exclude(state=ConnectionState.ACTIVE).count()
    for connection in Connection.objects.filter(state=ConnectionState.ACTIVE):
        yield _check(connection, at)
    if resting:
        yield Finding("connections", Level.OK, f"{resting} not active, not asked")


def _check(connection: Connection, at: datetime) -> Finding:
    name = f"bank {connection}"
    try:
        if not isinstance(connector_of(connection), ChecksConnection):
            last = connection.last_ok_at
            seen = f"last success {last:%Y-%m-%d %H:%M} UTC" if last else "never used"
            return Finding(name, Level.OK, f"its connector cannot be tested without acting; {seen}")
        ask(connection=connection, purpose="check", subject="doctor", call=lambda c: c.check(), at=at)
    except ConnectorError as error:
        step = error.hint or "Look at the connection's exchanges and ask the bank."
        return Finding(name, Level.FAIL, str(error), step)
    except (ConnectionNotUsableError, UndecipherableError) as error:
        return Finding(name, Level.FAIL, str(error), "Correct the connection's settings.")
    return Finding(name, Level.OK, "answers; key and clock are right")
