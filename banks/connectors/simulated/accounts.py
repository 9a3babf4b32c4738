"""Listing the accounts the bank keeps."""

from __future__ import annotations

from banks.connectors.simulated.http import Heard, Line
from banks.connectors.simulated.reading import items_of
from banks.messages import AccountIdentity, Answer


class Accounts:
    """The ability `accounts`."""

    _line: Line

    def list_accounts(self) -> Answer:
        """Every account behind the key."""
        heard = self._line.ask("GET", "/accounts")
        return Answer(accounts=identities(heard), talks=(heard.talk,))


def identities(heard: Heard) -> tuple[AccountIdentity, ...]:
    """The accounts of an answer to /accounts."""
    return tuple(
        AccountIdentity(
            number=str(item.get("number", "")),
            currency=str(item.get("currency", "")) or None,
            bank_code=str(item.get("bank_code", "")),
            name=str(item.get("name", "")),
        )
        for item in items_of(heard, "accounts")
    )
