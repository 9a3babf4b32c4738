"""The connector to the simulated bank: signed JSON over HTTP, one file an ability.

It is also the model to copy for a new bank; see `banks/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from banks.connectors.simulated.accounts import Accounts
from banks.connectors.simulated.balances import Balances
from banks.connectors.simulated.check import Check
from banks.connectors.simulated.config import Config
from banks.connectors.simulated.http import Line
from banks.connectors.simulated.payments import Payments
from banks.connectors.simulated.queries import Queries
from banks.connectors.simulated.returns import Returns
from banks.connectors.simulated.statements import Statements
from banks.marking import gettext_noop as _

__all__ = ["NAME", "Config", "SimulatedConnector", "connect"]

NAME = _("Simulated bank")


class SimulatedConnector(Check, Accounts, Balances, Statements, Payments, Queries, Returns):
    """All the abilities of one connection. Stores nothing but an open socket for reading."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._line = Line(config, clock)


def connect(config: Config, *, clock: Callable[[], datetime]) -> SimulatedConnector:
    """A connector for `config`; nothing is sent before an ability is used."""
    return SimulatedConnector(config, clock)
