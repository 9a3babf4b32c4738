"""Asking a living (and a dying) bank: balances, statements, returns, and what is remembered."""

from __future__ import annotations

import io
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from banks import tasks
from banks.connectors.abilities import ConnectorError, NotSentError
from banks.events import status_received
from banks.messages import AccountIdentity, Party, PaymentOrder
from banks.models import Connection, Entry, Exchange, InboundFile, Statement
from banks.services import asking, importing
from tests.banks.papers import camt, line, paper
from tests.banks.test_connections import active
from tests.make import Cast
from tests.simulated_bank import SimulatedBank
from treasury.models import Balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def linked(cast: Cast, now: datetime, bank: SimulatedBank) -> Connection:
    """The cast's accounts kept at a running simulated bank, reached by an active connection."""
    for account in (cast.cny, cast.usd):
        bank.open_account(account.number, account.currency, opening="1000.00", name=account.company.name)
    return active(cast, now, base_url=bank.url, key=bank.key)


def fetched(connection: Connection) -> list[importing.Imported]:
    at = timezone.now()
    files = asking.fetch_statements(connection=connection, at=at, enqueue=False)
    return [importing.import_file(file=file, at=at) for file in files]


def test_balances_are_stored_with_their_instant(cast: Cast, bank: SimulatedBank, linked: Connection) -> None:
    bank.freeze(cast.cny.number, "100")
    rows = asking.fetch_balances(connection=linked, at=timezone.now())
    assert len(rows) == 2
    balance = Balance.objects.get(account=cast.cny)
    assert (balance.ledger, balance.available, balance.frozen) == (
        Decimal(1000),
        Decimal(900),
        Decimal(100),
    )
    exchange = Exchange.objects.filter(purpose="balances").first()
    assert exchange is not None
    assert exchange.outcome == "ANSWERED"
    assert bytes(exchange.response or b"")
    assert bank.key.encode() not in bytes(exchange.request)


def test_statements_come_end_to_end_and_only_once(
    cast: Cast, bank: SimulatedBank, linked: Connection
) -> None:
    bank.credit(cast.cny.number, "250.00", name="Beihai Steel", text="Invoice 7")
    bank.credit(cast.cny.number, "250.00", name="Beihai Steel", text="Invoice 7")
    bank.close_day(2)
    first = fetched(linked)
    assert first
    assert all(done.balanced and not done.error for done in first)
    assert Entry.objects.filter(account=cast.cny, amount=250).count() == 2
    cursor = linked.connected_accounts.get(account=cast.cny).statement_cursor
    assert cursor
    assert fetched(linked) == []
    closing = Statement.objects.filter(account=cast.cny, intraday=False).first()
    assert closing is not None
    assert closing.closing == bank.balance(cast.cny.number)
    linked.connected_accounts.update(statement_cursor="")
    fetched(linked)
    assert Entry.objects.filter(account=cast.cny).count() == 2


def test_intraday_lines_are_not_doubled_by_the_days_statement(
    cast: Cast, bank: SimulatedBank, linked: Connection
) -> None:
    bank.credit(cast.cny.number, "10.00", text="one")
    fetched(linked)
    bank.credit(cast.cny.number, "20.00", text="two")
    fetched(linked)
    bank.close_day()
    fetched(linked)
    amounts = sorted(Entry.objects.filter(account=cast.cny).values_list("amount", flat=True))
    assert amounts == [Decimal(10), Decimal(20)]


def test_a_dead_bank_is_remembered_and_tried_ever_later(
    cast: Cast, bank: SimulatedBank, linked: Connection, now: datetime
) -> None:
    bank.stop()
    waits = []
    for attempt in range(1, 9):
        with pytest.raises(NotSentError):
            asking.fetch_balances(connection=linked, at=now)
        linked.refresh_from_db()
        assert linked.failures == attempt
        assert linked.retry_at is not None
        waits.append(linked.retry_at - now)
    assert waits[7] > waits[0] * 8
    assert max(waits) <= timedelta(minutes=15)
    assert "running" in linked.last_error
    bank.restart()
    asking.fetch_balances(connection=linked, at=now)
    linked.refresh_from_db()
    assert (linked.failures, linked.retry_at) == (0, None)


def test_a_fetch_that_fails_moves_no_cursor(cast: Cast, bank: SimulatedBank, linked: Connection) -> None:
    bank.close_day()
    bank.stop()
    with pytest.raises(ConnectorError):
        asking.fetch_statements(connection=linked, at=timezone.now())
    assert set(linked.connected_accounts.values_list("statement_cursor", flat=True)) == {""}
    assert not InboundFile.objects.exists()
    bank.restart()
    assert fetched(linked)


def test_an_account_the_bank_does_not_keep_hides_no_other(
    cast: Cast, bank: SimulatedBank, now: datetime
) -> None:
    bank.open_account(cast.cny.number, "CNY", opening="5", name="x")
    linked = active(cast, now, base_url=bank.url, key=bank.key)
    with pytest.raises(ConnectorError):
        asking.fetch_balances(connection=linked, at=now)
    assert Balance.objects.get().account == cast.cny
    linked.refresh_from_db()
    assert linked.failures


def test_returned_payments_are_told_upwards(cast: Cast, bank: SimulatedBank, linked: Connection) -> None:
    order = PaymentOrder(
        reference="ZL-RETURN-1",
        debtor=AccountIdentity(number=cast.cny.number, currency="CNY"),
        creditor=Party(name="Beihai Steel", account="998877", bank_code="SIMBCNBJ"),
        amount=Decimal(10),
        currency="CNY",
        requested_on=bank.business_day(),
    )
    connector = bank.connector()
    connector.send(connector.compose([order]))
    bank.return_payment("ZL-RETURN-1")
    heard: list[str] = []

    def hear(references: list[str], **_rest: Any) -> None:
        heard.extend(references)

    status_received.connect(hear)
    try:
        asking.fetch_returns(connection=linked, at=timezone.now())
        linked.refresh_from_db()
        asking.fetch_returns(connection=linked, at=timezone.now())
    finally:
        status_received.disconnect(hear)
    assert heard == ["ZL-RETURN-1"]
    assert linked.returns_cursor


def test_a_refresh_is_handed_out_once_and_soon_again_after_a_failure(
    cast: Cast, bank: SimulatedBank, linked: Connection
) -> None:
    assert tasks.refresh_due() == 1
    assert tasks.refresh_due() == 0
    tasks.refresh_connection(linked.pk)
    linked.refresh_from_db()
    assert Balance.objects.count() == 2
    assert linked.refresh_at is not None
    assert linked.refresh_at > timezone.now() + timedelta(minutes=8)
    bank.stop()
    tasks.refresh_connection(linked.pk)
    linked.refresh_from_db()
    assert linked.failures == 1
    assert linked.refresh_at == linked.retry_at
    assert linked.refresh_at is not None
    assert linked.refresh_at < timezone.now() + timedelta(seconds=10)


def test_a_file_that_is_never_read_to_its_end_is_given_up_with_words(cast: Cast, now: datetime) -> None:
    file = importing.receive_file(name="f.xml", content=camt(paper(cast.cny, [line("1")])), by=None, at=now)
    InboundFile.objects.update(attempts=importing.ATTEMPTS_AT_MOST)
    tasks.import_stored_file(file.pk)
    file.refresh_from_db()
    assert file.state == "UNREADABLE"
    assert "import_statement" in file.error


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_being_read_is_left_to_its_reader(cast: Cast, now: datetime) -> None:
    file = importing.receive_file(name="f.xml", content=camt(paper(cast.cny, [line("1")])), by=None, at=now)
    done = threading.Event()

    def nudge() -> None:
        tasks.import_stored_file(file.pk)
        done.set()
        connection.close()

    with transaction.atomic():
        InboundFile.objects.select_for_update().get(pk=file.pk)
        thread = threading.Thread(target=nudge)
        thread.start()
        assert done.wait(20)
    thread.join()
    file.refresh_from_db()
    assert (file.state, file.attempts) == ("RECEIVED", 0)
    tasks.import_stored_file(file.pk)
    file.refresh_from_db()
    assert file.state == "READ"


def test_a_file_whose_nudge_was_lost_is_found(cast: Cast, now: datetime) -> None:
    importing.receive_file(name="f.xml", content=b"x", by=None, at=timezone.now() - timedelta(hours=1))
    assert tasks.import_pending() == 1


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(*words, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return code, out.getvalue(), err.getvalue()


def test_import_statement_reports_and_exits_as_files_deserve(cast: Cast, tmp_path: Path) -> None:
    good, odd, bad = (tmp_path / name for name in ("good.xml", "odd.xml", "bad.xml"))
    good.write_bytes(camt(paper(cast.cny, [line("1"), line("2")])))
    odd.write_bytes(camt(paper(cast.usd, [line("1", currency="USD")], closing="7", currency="USD")))
    bad.write_bytes(b"not a statement at all")
    code, out, err = run("import_statement", str(good))
    assert (code, err) == (0, "")
    assert "read, 1 statements, 2 lines new, 0 known, balanced, 0 quarantined" in out
    assert run("import_statement", str(good))[0] == 0
    code, out, err = run("import_statement", str(good), str(odd))
    assert code == 1
    assert "NOT BALANCED" in out
    assert "closing is 7" in err
    assert run("import_statement", str(bad))[0] == 2
    assert run("import_statement", str(tmp_path / "none.xml"))[0] == 2
    assert Entry.objects.count() == 3


def test_ask_bank_shows_what_the_bank_says(cast: Cast, bank: SimulatedBank, linked: Connection) -> None:
    code, out, _err = run("ask_bank", "Direct line", "balances")
    assert code == 0
    assert f"{cast.cny.number} CNY 1000" in out
    bank.close_day()
    code, out, _err = run("ask_bank", "Direct line", "statements")
    assert code == 0
    assert "2 files" in out
    code, out, _err = run("ask_bank", "Direct line", "payment", "NOBODY-KNOWS")
    assert "NOBODY-KNOWS NO_RECORD" in out
    assert run("ask_bank", "Nowhere", "balances")[0] == 1
    bank.stop()
    code, _out, err = run("ask_bank", "Direct line", "balances")
    assert code == 2
    assert "running" in err
