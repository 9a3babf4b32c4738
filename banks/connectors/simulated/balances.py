"""Asking for balances, one account a request as the bank wants it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from banks.connectors.simulated.http import Heard, Line
from banks.connectors.simulated.reading import amount_of, text_of, unreadable
from banks.connectors.simulated.reports import read_instant
from banks.messages import AccountIdentity, Answer, BalanceReport, Talk


class Balances:
    """The ability `balances`."""

    _line: Line

    def fetch_balances(self, accounts: Sequence[AccountIdentity]) -> Answer:
        """The four figures of each account; an account the bank does not keep raises RefusedError."""
        reports: list[BalanceReport] = []
        talks: list[Talk] = []
        for account in accounts:
            heard = self._line.ask("GET", f"/balances?{urlencode({'account': account.number})}")
            talks.append(heard.talk)
            reports.append(_report(heard, account))
        return Answer(balances=tuple(reports), talks=tuple(talks))


def _report(heard: Heard, account: AccountIdentity) -> BalanceReport:
    as_of = read_instant(heard.data.get("as_of"))
    currency = text_of(heard, "currency")
    if as_of is None or text_of(heard, "account") != account.number:
        raise unreadable(heard, f"balance of account {account.number}")
    if account.currency not in (None, currency):
        raise unreadable(heard, f"balance of account {account.number} in {account.currency}")
    return BalanceReport(
        account=account,
        as_of=as_of,
        ledger=amount_of(heard, "ledger"),
        available=amount_of(heard, "available"),
        frozen=amount_of(heard, "frozen"),
        previous_day=amount_of(heard, "previous_day"),
    )
