"""Proving that the connection works, changing nothing at the bank."""

from __future__ import annotations

from banks.connectors.abilities import RefusedError
from banks.connectors.simulated.accounts import identities
from banks.connectors.simulated.config import Config
from banks.connectors.simulated.http import Line
from banks.connectors.simulated.reading import unreadable
from banks.connectors.simulated.reports import read_instant
from banks.messages import Answer


class Check:
    """The ability `check`."""

    _config: Config
    _line: Line

    def check(self) -> Answer:
        """Address, key and clocks are right; the answer carries the accounts behind the key.

        Raises RefusedError when the clocks are further apart than the margin.
        """
        heard = self._line.ask("GET", "/accounts")
        answered = read_instant(heard.data.get("answered_at"))
        if answered is None:
            raise unreadable(heard, "time of the bank")
        behind = (heard.talk.started_at - answered).total_seconds()
        ahead = (answered - heard.talk.ended_at).total_seconds()
        if max(behind, ahead) > self._config.clock_margin_seconds:
            way = f"{behind:.0f} s behind" if behind > ahead else f"{ahead:.0f} s ahead of"
            raise RefusedError(
                f"The bank's clock is {way} ours, more than {self._config.clock_margin_seconds:g} s.",
                hint="Set the clock of this machine by a time server, or ask the bank.",
                talk=heard.talk,
            )
        return Answer(accounts=identities(heard), talks=(heard.talk,))
