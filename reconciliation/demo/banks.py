"""The simulated banks of the demonstration: how they are started, ordered about and connected."""

from __future__ import annotations

import secrets as random_keys
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from banks.models import Connection
from banks.services import connections, proposals
from banks.simulator.client import Control
from reconciliation.demo import stage
from reconciliation.demo.figures import ACCOUNTS, BANKS, COMPANIES, BankFigure
from treasury import secrets
from treasury.models import Account, Bank, ProposedChange, User
from treasury.services import changes
from treasury.supervisor import Program, Supervisor, answers, free_port, is_free

PATIENCE_SECONDS = 20.0
WINDOW_SECONDS = 60.0
"""How long after its timestamp the banks take a payment message."""


@dataclass(slots=True)
class SimulatedBank:
    """One simulated bank: its figure, where it listens and the key it shares with us."""

    figure: BankFigure
    port: int
    key: str
    window: float = WINDOW_SECONDS

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"bank-{self.figure.code.lower()}"

    @property
    def control(self) -> Control:
        return Control(self.url, self.key)

    def program(self, clock: str) -> Program:
        """How it is run; `clock` is a date to begin on, "manual", or "auto" to follow midnights."""
        options = {
            "--store": str(stage.folder() / f"{self.figure.code}.sqlite"),
            "--port": str(self.port),
            "--bank-code": self.figure.bic,
            "--clock": clock,
            "--window": str(self.window),
        }
        return Program(
            name=self.name,
            command=(sys.executable, "-m", "banks.simulator", *(p for o in options.items() for p in o)),
            folder=Path(settings.BASE_DIR),
            variables={"SIMULATED_BANK_KEY": self.key},
        )


def new_banks(window: float) -> list[SimulatedBank]:
    """The three banks with fresh keys on free ports."""
    return [SimulatedBank(figure, free_port(), random_keys.token_hex(24), window) for figure in BANKS]


def known_banks() -> list[SimulatedBank]:
    """The banks as the stored connections know them."""
    found = []
    for figure in BANKS:
        connection = connection_of(figure.code)
        port = urlsplit(connection.config["base_url"]).port or 0
        found.append(SimulatedBank(figure, port, secrets.unseal(connection.secrets)["key"]))
    return found


def connection_of(code: str) -> Connection:
    return Connection.objects.select_related("bank").get(bank__code=code)


def start(supervisor: Supervisor, banks: list[SimulatedBank], clock: str) -> None:
    """Start the banks and wait until they answer."""
    for bank in banks:
        supervisor.start(bank.program(clock))
    for bank in banks:
        supervisor.wait_until(
            lambda port=bank.port: answers(port),  # type: ignore[misc]
            seconds=PATIENCE_SECONDS,
            name=bank.name,
        )


def open_accounts(banks: list[SimulatedBank]) -> None:
    """Open the group's accounts at the banks, with their opening balances."""
    by_code = {bank.figure.code: bank for bank in banks}
    names = {company.code: company.name for company in COMPANIES}
    for figure in ACCOUNTS:
        bank = by_code[figure.bank]
        bank.control.open_account(
            figure.number,
            figure.currency,
            opening=figure.opening,
            name=names[figure.company],
            bank_code=figure.branch_code or bank.figure.bic,
            format=figure.format,
        )


def connect(banks: list[SimulatedBank], *, erin: User, eve: User, at: datetime) -> None:
    """Erin sets a connection to each bank up, Eve confirms it."""
    for bank in banks:
        row = Bank.objects.get(code=bank.figure.code)
        connection = connections.create_connection(
            name=bank.figure.name,
            bank=row,
            connector="simulated",
            values={
                "base_url": bank.url,
                "key": bank.key,
                "timeout_seconds": 10.0,
                "no_record_window_seconds": bank.window,
                "clock_margin_seconds": 2.0,
            },
            accounts=list(Account.objects.filter(bank=row)),
            by=erin,
            at=at,
        )
        _confirm(connection, eve, at)


def move_to_free_ports(banks: list[SimulatedBank], *, erin: User, eve: User, at: datetime) -> None:
    """Where somebody else took a bank's port meanwhile, give it another and tell the connection."""
    for bank in banks:
        if is_free(bank.port):
            continue
        bank.port = free_port()
        connection = connection_of(bank.figure.code)
        connections.change_connection(
            connection=connection,
            name=connection.name,
            values={**connection.config, "base_url": bank.url},
            accounts=[c.account for c in connection.connected_accounts.select_related("account")],
            by=erin,
            at=at,
        )
        _confirm(connection, eve, at)


def _confirm(connection: Connection, eve: User, at: datetime) -> None:
    waiting = ProposedChange.objects.get(
        kind=proposals.KIND, object_id=connection.pk, state=ProposedChange.State.PENDING
    )
    changes.confirm(change=waiting, by=eve, at=at)


def business_day(banks: list[SimulatedBank]) -> date:
    """The earliest business day of the banks."""
    return min(bank.control.business_day() for bank in banks)
