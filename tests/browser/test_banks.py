"""The pages of the banks floor, as a person sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from banks.models import Connection, Exchange, InboundFile, Statement
from banks.services import connections, importing
from tests.banks.papers import camt, line, paper
from tests.banks.test_connections import active
from tests.browser.conftest import Strict
from tests.make import Cast, cast_of

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast with a good, an odd and an unreadable file, and a connection that failed."""
    cast = cast_of()
    at = timezone.now()
    lines = [
        line(
            str(n * 1234 % 9999 - 3000),
            bank_reference=f"B{n}",
            text=f"发票 {n} 货款",
            name="北海钢铁有限公司",
        )
        for n in range(1, 60)
    ]
    odd = camt(paper(cast.usd, [line("1", currency="USD")], closing="7", currency="USD"))
    broken = camt(paper(cast.cny, [line("22.22")], opening="9", number="9")).replace(b">22.22<", b">twenty<")
    for name, content in (
        ("2026-11-23.xml", camt(paper(cast.cny, lines))),
        ("odd.xml", odd),
        ("broken.xml", broken),
        ("note.txt", "这不是对账单".encode()),
    ):
        file = importing.receive_file(name=name, content=content, by=cast.alice, at=at)
        importing.import_file(file=file, at=at)
    connection = active(cast, at)
    connections.change_connection(
        connection=connection,
        name="Direct line 2",
        values={"base_url": "http://127.0.0.1:10", "key": "other"},
        accounts=[cast.cny],
        by=cast.eve,
        at=at,
    )
    Connection.objects.update(
        failures=3,
        last_error="The bank at http://127.0.0.1:9 cannot be reached. Check that the bank is running.",
        refresh_at=at,
        last_ok_at=at,
    )
    Exchange.objects.create(
        connection=connection,
        purpose="balances",
        subject=cast.cny.number,
        request=b"GET /balances HTTP/1.1\r\nHost: bank\r\nX-Signature: abc\r\n\r\n",
        response=b'{"ledger": "10.00", ' + b'"more": "' + b"x" * 400 + b'"}',
        outcome="ANSWERED",
        started_at=at,
        ended_at=at,
    )
    return cast


def test_statements_lines_and_files_read_well(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    strict.tour("banks-statements", "/banks/statements/")
    whole = Statement.objects.get(file__name="2026-11-23.xml")
    strict.tour("banks-statement", f"/banks/statements/{whole.pk}/")
    strict.tour("banks-lines", "/banks/lines/")
    strict.tour("banks-files", "/banks/files/")
    strict.tour("banks-file-broken", f"/banks/files/{InboundFile.objects.get(name='broken.xml').pk}/")
    strict.tour("banks-file-foreign", f"/banks/files/{InboundFile.objects.get(name='note.txt').pk}/")
    strict.tour("banks-upload", "/banks/files/upload/")
    strict.tour("banks-account", f"/cash/accounts/{cast.cny.pk}/")


def test_connections_and_the_bank_log_read_well(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.erin)
    connection = Connection.objects.get()
    strict.tour("banks-connections", "/banks/connections/")
    strict.tour("banks-connection", f"/banks/connections/{connection.pk}/")
    strict.tour("banks-connection-change", f"/banks/connections/{connection.pk}/change/")
    strict.tour("banks-connection-new", "/banks/connections/new/")
    strict.tour(
        "banks-connection-new-2", f"/banks/connections/new/?bank={connection.bank_id}&connector=simulated"
    )
    strict.tour("banks-log", "/banks/log/")
    strict.tour("banks-exchange", f"/banks/log/{Exchange.objects.latest('id').pk}/")


def test_a_clerk_uploads_files_and_sees_what_became_of_each(
    strict: Strict, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from banks.views import files

    monkeypatch.setattr(files, "AT_ONCE", 100)
    good, note = tmp_path / "new.xml", tmp_path / "note2.txt"
    good.write_bytes(camt(paper(cast.cny, [line("5", bank_reference="NEW")], opening="77", number="77")))
    note.write_text("hello")
    strict.sign_in(cast.alice)
    page = strict.open("/banks/files/upload/")
    page.set_input_files("input[type=file]", [good, note])
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Reading.")).to_be_visible()
    strict.axe()
    file = InboundFile.objects.get(name="new.xml")
    importing.import_file(file=file, at=timezone.now())
    expect(page.get_by_text("Reading.")).to_be_hidden()
    row = page.get_by_role("row", name="new.xml")
    expect(row).to_contain_text("1")
    expect(page.get_by_role("row", name="note2.txt")).to_contain_text("Unreadable")
    strict.axe()
    strict.shot("banks-uploaded")
