"""Statement files become entries exactly once, whatever way and however often they come."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.events import statement_imported
from banks.messages import EntryStatus
from banks.models import Entry, FilePart, InboundFile, QuarantinedLine, Statement
from banks.services.importing import (
    FileRefusedError,
    Imported,
    import_file,
    receive_file,
    resolve_line,
    retry_file,
)
from banks.states import FileState
from tests.banks.papers import DAY, camt, line, paper, swift
from tests.make import Cast, account
from treasury.models import AuditEvent, Balance
from treasury.services.access import AccessDeniedError

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"


def take(content: bytes, at: datetime, by: Any = None, name: str = "file.xml") -> Imported:
    return import_file(file=receive_file(name=name, content=content, by=by, at=at), at=at)


def booked() -> list[tuple[Any, ...]]:
    return sorted(
        Entry.objects.booked().values_list("account_id", "booked_on", "amount", "bank_reference", "text")
    )


def test_a_statement_becomes_entries_a_balance_and_an_audit_event(cast: Cast, now: datetime) -> None:
    lines = [line("250.50", bank_reference="B1", reference="E2E-1"), line("-99.99", bank_reference="B2")]
    done = take(camt(paper(cast.cny, lines)), now, by=cast.alice)
    assert done.file.state == FileState.READ, done
    assert (done.new, done.known, done.balanced, done.error) == (2, 0, True, "")
    statement = done.statements[0]
    assert (statement.opening, statement.closing) == (Decimal("1000"), Decimal("1150.51"))
    assert statement.entries_sum == Decimal("150.51")
    first = Entry.objects.get(bank_reference="B1")
    assert (first.reference, first.counterparty_name, first.amount) == (
        "E2E-1",
        "Beihai Steel",
        Decimal("250.5"),
    )
    balance = Balance.objects.get(account=cast.cny)
    assert balance.ledger == Decimal("1150.51")
    assert balance.as_of == datetime(2026, 11, 23, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert AuditEvent.objects.filter(action="banks.statement_imported", company=cast.company).exists()


def test_the_bytes_are_kept_as_they_came(cast: Cast, now: datetime) -> None:
    content = b"no statement " * 200_000
    file = receive_file(name="noise.txt", content=content, by=cast.alice, at=now)
    kept = b"".join(bytes(p.content) for p in FilePart.objects.filter(file=file))
    assert file.parts.count() == 3
    assert kept == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_the_same_bytes_again_change_nothing(cast: Cast, now: datetime) -> None:
    content = camt(paper(cast.cny, [line("1")]))
    first = take(content, now, by=cast.alice)
    again = take(content, now + timedelta(hours=1), by=cast.dave, name="other.xml")
    assert again.file.pk == first.file.pk
    assert again.file.deliveries == 2
    assert (Entry.objects.count(), Statement.objects.count(), Balance.objects.count()) == (1, 1, 1)


def test_two_real_identical_lines_both_stay(cast: Cast, now: datetime) -> None:
    done = take(camt(paper(cast.cny, [line("5"), line("5"), line("5")])), now)
    assert done.new == 3


def test_a_line_known_from_an_intraday_report_is_not_doubled(cast: Cast, now: datetime) -> None:
    morning = [line("10", bank_reference="R1"), line("5"), line("5")]
    take(camt(paper(cast.cny, morning, intraday=True)), now)
    evening = [*morning, line("7", bank_reference="R2"), line("5")]
    done = take(camt(paper(cast.cny, evening)), now)
    assert (done.new, done.known) == (2, 3)
    assert Entry.objects.count() == 5


def test_the_same_line_in_another_format_is_known_by_the_bank_reference(cast: Cast, now: datetime) -> None:
    lines = [line("10", bank_reference="R1", text="A long text that MT940 may cut")]
    take(camt(paper(cast.cny, lines)), now)
    done = take(swift(paper(cast.cny, lines)), now)
    assert (done.new, done.known) == (0, 1)


def test_parts_of_one_day_that_follow_each_other_share_no_line(cast: Cast, now: datetime) -> None:
    first = paper(cast.cny, [line("5"), line("3")], opening="0", number="1")
    second = paper(cast.cny, [line("5"), line("2")], opening="8", number="2")
    assert take(camt(first), now).new == 2
    assert take(camt(second), now).new == 2
    assert take(swift(second), now).new == 0
    assert take(swift(first), now).new == 0
    assert Entry.objects.filter(amount=5).count() == 2
    assert Balance.objects.order_by("-as_of").first().ledger == Decimal(15)  # type: ignore[union-attr]


def test_parts_of_one_day_may_come_in_the_wrong_order(cast: Cast, now: datetime) -> None:
    first = paper(cast.cny, [line("5"), line("3")], opening="0", number="1")
    second = paper(cast.cny, [line("5"), line("2")], opening="8", number="2")
    take(camt(second), now)
    take(camt(first), now)
    assert Entry.objects.filter(amount=5).count() == 2
    assert Balance.objects.order_by("-as_of").first().ledger == Decimal(15)  # type: ignore[union-attr]


def test_pending_lines_never_double_what_is_booked_later(cast: Cast, now: datetime) -> None:
    pending = [line("5", status=EntryStatus.PENDING, bank_reference="P1")]
    take(camt(paper(cast.cny, pending, intraday=True)), now)
    assert [e.bank_reference for e in Entry.objects.pending()] == ["P1"]
    assert not Entry.objects.booked().exists()
    take(camt(paper(cast.cny, [*pending, line("1")], intraday=True)), now)
    assert Entry.objects.pending().count() == 1
    done = take(camt(paper(cast.cny, [line("1"), line("5", bank_reference="P1")])), now)
    assert done.new == 1
    assert Entry.objects.booked().count() == 2
    assert not Entry.objects.pending().exists()


def test_a_statement_that_does_not_add_up_is_flagged(cast: Cast, now: datetime) -> None:
    done = take(camt(paper(cast.cny, [line("5")], opening="10", closing="16")), now)
    assert done.file.state == FileState.FLAGGED
    assert done.balanced is False
    assert done.new == 1


def test_a_gap_between_statements_is_seen_and_heals_when_it_is_filled(cast: Cast, now: datetime) -> None:
    days = [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]
    one = paper(cast.cny, [line("1", on=days[0])], opening="0", on=days[0])
    two = paper(cast.cny, [line("2", on=days[1])], opening="1", on=days[1])
    three = paper(cast.cny, [line("3", on=days[2])], opening="3", on=days[2])
    assert take(camt(one), now).statements[0].continuous is None
    gap = take(camt(three), now).statements[0]
    assert gap.continuous is False
    assert "does not continue closing 1" in " ".join(gap.flags)
    assert take(camt(two), now).statements[0].continuous is True
    gap.refresh_from_db()
    assert gap.continuous is True
    assert gap.flags == []


def test_an_unknown_account_is_named_and_the_file_can_be_read_again(cast: Cast, now: datetime) -> None:
    done = take(camt(paper(cast.cny, [line("1")]), paper("0000 4711 0815", [line("2")])), now, by=cast.alice)
    assert done.file.state == FileState.FLAGGED
    assert "4711" in done.error
    assert "Create the account" in done.error
    assert Entry.objects.count() == 1
    account(cast.company, "47110815")
    again = retry_file(file=done.file, by=cast.alice, at=now)
    assert again.file.state == FileState.READ, again
    assert (len(again.statements), Entry.objects.count()) == (2, 2)


def test_a_file_of_only_unknown_accounts_stores_nothing_but_its_bytes(cast: Cast, now: datetime) -> None:
    done = take(camt(paper("4711", [line("1")])), now, by=cast.alice)
    assert done.file.state == FileState.UNREADABLE
    assert not Statement.objects.exists()
    assert FilePart.objects.exists()


def test_a_statement_in_another_currency_than_the_account_is_refused(cast: Cast, now: datetime) -> None:
    done = take(camt(paper(cast.cny, [line("1", currency="EUR")], currency="EUR")), now)
    assert "is kept in CNY here, but the statement is in EUR" in done.error


def test_account_numbers_match_without_spaces_and_leading_zeros(cast: Cast, now: datetime) -> None:
    account(cast.company, "DE89 3704 0044 0532 0130 00", "EUR")
    done = take(camt(paper("DE89370400440532013000", [line("1", currency="EUR")], currency="EUR")), now)
    assert done.error == ""
    done = take(camt(paper(f"000{cast.cny.number}", [line("1")])), now)
    assert done.error == ""


def test_whoever_may_not_see_the_account_cannot_write_to_it(cast: Cast, now: datetime) -> None:
    done = take(camt(paper(cast.cny, [line("1")])), now, by=cast.mallory)
    assert done.file.state == FileState.UNREADABLE
    assert not Entry.objects.exists()
    again = retry_file(file=done.file, by=cast.alice, at=now)
    assert again.file.state == FileState.READ


def test_import_needs_the_permission(cast: Cast, now: datetime) -> None:
    with pytest.raises(AccessDeniedError):
        receive_file(name="x", content=b"x", by=cast.bob, at=now)
    assert not InboundFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00\x01 what is this", ""),
        (b"<?xml version='1.0'?><html/>", ""),
        (
            b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]>'
            b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>',
            "",
        ),
        ("一份说明文字，不是对账单".encode("gb18030"), ""),
        (b"PK\x03\x04 not really a zip", ""),
    ],
)
def test_a_foreign_file_is_kept_and_explained(cast: Cast, now: datetime, content: bytes, words: str) -> None:
    done = take(content, now, by=cast.alice)
    assert done.file.state == FileState.UNREADABLE
    assert len(done.error) > 20
    assert InboundFile.objects.get().size == len(content)
    assert not Statement.objects.exists()


def test_a_broken_off_file_leaves_nothing_half_written(cast: Cast, now: datetime) -> None:
    whole = camt(paper(cast.cny, [line("1")]), paper(cast.cny, [line("2")], opening="1001", number="2"))
    done = take(whole[:-200], now, by=cast.alice)
    assert done.file.state == FileState.UNREADABLE
    assert not Entry.objects.exists()
    assert not Balance.objects.exists()


def test_an_empty_and_a_huge_file_are_refused(cast: Cast, now: datetime, settings: Any) -> None:
    settings.STATEMENT_FILE_LIMIT = 1 << 20
    with pytest.raises(FileRefusedError, match="is empty"):
        receive_file(name="void.xml", content=b"", by=cast.alice, at=now)
    with pytest.raises(FileRefusedError, match=r"big.xml is larger than 1 MB"):
        receive_file(name="big.xml", content=b" " * (2 << 20), by=cast.alice, at=now)
    assert not InboundFile.objects.exists()


def test_a_bad_line_is_quarantined_and_the_rest_is_read(cast: Cast, now: datetime) -> None:
    content = camt(paper(cast.cny, [line("1"), line("22.22"), line("3")]))
    assert content.count(b">22.22<") == 1
    done = take(content.replace(b">22.22<", b">twenty<"), now, by=cast.alice)
    assert (done.file.state, done.new, done.quarantined) == (FileState.FLAGGED, 2, 1)
    assert done.balanced is not True
    held = QuarantinedLine.objects.get()
    assert "twenty" in held.raw
    resolve_line(line=held, by=cast.dave, at=now)
    again = retry_file(file=done.file, by=cast.dave, at=now)
    assert (again.quarantined, QuarantinedLine.objects.count(), Entry.objects.count()) == (0, 1, 2)


def test_a_line_in_a_foreign_currency_is_quarantined(cast: Cast, now: datetime) -> None:
    content = camt(paper(cast.cny, [line("1"), line("2")])).replace(b'Ccy="CNY">2<', b'Ccy="USD">2<')
    done = take(content, now)
    assert (done.new, done.quarantined, done.balanced) == (1, 1, False)


def test_entries_and_stored_bytes_cannot_be_changed(cast: Cast, now: datetime) -> None:
    take(camt(paper(cast.cny, [line("1")])), now)
    for act in (
        lambda: Entry.objects.update(amount=2),
        lambda: Entry.objects.all().delete(),
        lambda: FilePart.objects.update(content=b""),
    ):
        with pytest.raises(DatabaseError, match="kept as it came"), transaction.atomic():
            act()


def test_news_of_a_statement_goes_out_after_the_commit(
    cast: Cast, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[int] = []

    def hear(statement_id: int, **_rest: Any) -> None:
        heard.append(statement_id)

    statement_imported.connect(hear)
    try:
        with django_capture_on_commit_callbacks() as waiting:
            done = take(camt(paper(cast.cny, [line("1")])), now)
        assert heard == []
        for one in waiting:
            one()
    finally:
        statement_imported.disconnect(hear)
    assert heard == [done.statements[0].pk]


@contextmanager
def undone() -> Iterator[None]:
    """One example of many: what it wrote is rolled back."""
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


LINES = [
    *(line(str(n), bank_reference=f"R{n}") for n in range(1, 6)),
    *(line("7") for _ in range(3)),
    line("8", bank_reference="NONREF"),
    line("8", bank_reference="NONREF"),
    line("9", bank_reference="TWICE"),
    line("-9", bank_reference="TWICE"),
    line("9", bank_reference="TWICE"),
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_overlapping_reports_in_any_order_give_each_line_once(
    cast: Cast, now: datetime, data: st.DataObject
) -> None:
    """Reports of a day from its beginning, each further than some other, in any order."""
    cuts = data.draw(st.lists(st.integers(1, len(LINES)), max_size=4))
    reports = [LINES[:cut] for cut in cuts] + [LINES]
    order = data.draw(st.permutations(range(len(reports))))
    with undone():
        for number, index in enumerate(order):
            whole = index == len(reports) - 1
            content = camt(paper(cast.cny, reports[index], intraday=not whole, number=str(number + 1)))
            done = take(content, now)
            assert done.file.state != FileState.UNREADABLE
        assert sorted(e.amount for e in LINES) == sorted(
            Entry.objects.booked().values_list("amount", flat=True)
        )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_referenced_lines_split_over_any_files_come_once(
    cast: Cast, now: datetime, data: st.DataObject
) -> None:
    lines = [line(str(n % 3 + 1), bank_reference=f"R{n}") for n in range(8)]
    piles = data.draw(
        st.lists(st.lists(st.sampled_from(lines), unique=True, min_size=1), min_size=1, max_size=5)
    )
    with undone():
        for number, pile in enumerate([*piles, data.draw(st.permutations(lines))]):
            take(camt(paper(cast.cny, pile, number=str(number + 1))), now)
        assert Entry.objects.booked().count() == len(lines)


@pytest.mark.django_db(transaction=True)
def test_two_processes_importing_one_file_store_it_once(cast: Cast, now: datetime) -> None:
    content = camt(paper(cast.cny, [line(str(n + 1)) for n in range(300)]))
    results: list[Imported] = []
    errors: list[BaseException] = []
    start = threading.Barrier(3)

    def work() -> None:
        try:
            start.wait()
            results.append(take(content, now))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert InboundFile.objects.get().deliveries == 3
    assert Entry.objects.count() == 300
    assert Statement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_lines_at_once_store_each_line_once(cast: Cast, now: datetime) -> None:
    lines = [line(str(n + 1)) for n in range(300)]
    files = [
        receive_file(name=f"{n}.xml", content=content, by=None, at=now)
        for n, content in enumerate((camt(paper(cast.cny, lines)), swift(paper(cast.cny, lines[::-1]))))
    ]
    errors: list[BaseException] = []
    start = threading.Barrier(2)

    def work(file: InboundFile) -> None:
        try:
            start.wait()
            import_file(file=file, at=now)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert sorted(Entry.objects.values_list("amount", flat=True)) == [Decimal(n + 1) for n in range(300)]


def sample_files() -> list[Path]:
    if not SAMPLES.is_dir():
        return []
    return sorted(p for p in SAMPLES.rglob("*") if p.is_file() and p.suffix not in {".json", ""})


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample files are not on this machine")
def test_no_sample_file_breaks_the_service(cast: Cast, now: datetime) -> None:
    files = sample_files()
    assert len(files) > 50
    for path in files:
        done = take(path.read_bytes(), now, by=None, name=path.name)
        assert done.file.state != FileState.RECEIVED, path
        if done.file.state == FileState.UNREADABLE:
            assert done.error, path


def test_dates_of_the_account_not_of_the_server(cast: Cast, now: datetime) -> None:
    far = account(cast.company, "7001", "USD", time_zone="America/New_York")
    take(camt(paper(far, [line("1", currency="USD")], currency="USD", on=date(2026, 11, 20))), now)
    as_of = Balance.objects.get(account=far).as_of
    assert as_of == datetime(2026, 11, 21, 4, 59, 59, tzinfo=UTC)
