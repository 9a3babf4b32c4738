"""`manage.py ask_bank CONNECTION balances|statements|returns|payment REF…`: ask now, show the answer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from banks.connectors.abilities import ConnectorError, QueriesPayments
from banks.management.commands.import_statement import line_of, remarks_of
from banks.models import Connection
from banks.services import asking, importing, talking
from treasury.secrets import UndecipherableError

WHAT = ("balances", "statements", "returns", "payment")


class Command(BaseCommand):
    help = "Ask a bank for balances, statements, returned payments or the state of payments."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("connection", help="name or number of the connection")
        parser.add_argument("what", choices=WHAT)
        parser.add_argument("references", nargs="*", help="references of payments, for “payment”")

    def handle(self, *args: Any, connection: str, what: str, references: list[str], **options: Any) -> None:
        found = self._find(connection)
        if (what == "payment") != bool(references):
            raise CommandError("References go with “payment”, and “payment” takes at least one.")
        try:
            getattr(self, f"_{what}")(found, *([references] if references else []))
        except ConnectorError as error:
            raise CommandError(f"{error} {error.hint}".strip(), returncode=2) from error
        except (
            talking.ConnectionNotUsableError,
            UndecipherableError,
            asking.EndlessPagesError,
        ) as error:
            raise CommandError(str(error), returncode=1) from error

    def _find(self, text: str) -> Connection:
        rows = Connection.objects.filter(name=text) or (
            Connection.objects.filter(pk=int(text)) if text.isdecimal() else []
        )
        if len(rows) != 1:
            names = ", ".join(Connection.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no connection {text!r}. There are: {names}.")
        return rows[0]

    def _balances(self, connection: Connection) -> None:
        for row in asking.fetch_balances(connection=connection, at=timezone.now()):
            self.stdout.write(
                f"{row.account.number} {row.account.currency} {row.ledger} as of {row.as_of:%F %T %Z}"
            )

    def _statements(self, connection: Connection) -> None:
        at = timezone.now()
        files = asking.fetch_statements(connection=connection, at=at, enqueue=False)
        for file in files:
            done = importing.import_file(file=file, at=at, again=file.state != "RECEIVED")
            self.stdout.write(line_of(file.name, done))
            for remark in remarks_of(done):
                self.stderr.write(f"{file.name}: {remark}")
        self.stdout.write(f"{len(files)} files")

    def _returns(self, connection: Connection) -> None:
        for reference in asking.fetch_returns(connection=connection, at=timezone.now()):
            self.stdout.write(f"{reference} returned")

    def _payment(self, connection: Connection, references: list[str]) -> None:
        if not isinstance(talking.connector_of(connection), QueriesPayments):
            raise CommandError(f"The connector of {connection} cannot ask about payments.")
        answer = talking.ask(
            connection=connection,
            purpose="query",
            subject=", ".join(references),
            call=lambda bank: bank.query_payments(references),
            at=timezone.now(),
        )
        for report in answer.reports:
            told = " ".join(filter(None, (report.code, report.text, report.bank_reference)))
            self.stdout.write(f"{report.reference} {report.state.value} {told}".strip())
