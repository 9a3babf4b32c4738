"""Payment files: everything checked before anything is written, repeats blocked, undone as a whole."""

from __future__ import annotations

import io
import time
from datetime import datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook

from payments.models import Batch, Payment
from payments.services import import_reading, importing, preparing
from payments.services.importing import FileRepeatedError, ImportRefusedError
from payments.services.returning import AlreadyMovingError
from tests import make
from tests.make import Cast
from treasury.services.access import AccessDeniedError
from treasury.tables import TableError

HEAD = "收款人名称,收款账号,金额,币种,执行日期,用途\n"
ROW = "北京供应商有限公司,6217 0000 0000 0099,{},CNY,2026-11-24,货款\n"


def csv_of(*rows: str, head: str = HEAD) -> bytes:
    return (head + "".join(rows)).encode()


def upload(cast: Cast, now: datetime, content: bytes, name: str = "pay.csv") -> object:
    return importing.upload_file(account=cast.cny, name=name, content=content, by=cast.alice, at=now)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_good_file_becomes_a_batch_of_drafts(cast: Cast, now: datetime, encoding: str) -> None:
    make.beneficiary(cast)
    content = (HEAD + ROW.format("1234.50") + ROW.format('"1,000.00"')).encode(encoding)
    file = upload(cast, now, content)
    preview = importing.preview_file(file=file, at=now)
    assert (preview.good, preview.totals) == (True, [("CNY", 2, Decimal("2234.50"))])
    assert not Payment.objects.exists()
    batch = importing.commit_file(file=file, by=cast.alice, at=now)
    rows = list(Payment.objects.filter(batch=batch).order_by("id"))
    assert [(p.state, p.source, p.amount) for p in rows] == [
        ("DRAFT", "IMPORT", Decimal("1234.50000")),
        ("DRAFT", "IMPORT", Decimal("1000.00000")),
    ]


def test_a_workbook_with_english_columns_is_read_alike(cast: Cast, now: datetime) -> None:
    make.beneficiary(cast)
    book = Workbook()
    book.active.append(["Payee name", "Payee account", "Amount", "Execution date"])
    book.active.append(["北京供应商有限公司", "6217000000000099", 1234.5, datetime(2026, 11, 24)])  # noqa: DTZ001
    target = io.BytesIO()
    book.save(target)
    file = upload(cast, now, target.getvalue(), "pay.xlsx")
    preview = importing.preview_file(file=file, at=now)
    assert preview.totals == [("CNY", 1, Decimal("1234.5"))]
    importing.commit_file(file=file, by=cast.alice, at=now)
    assert Payment.objects.get().amount == Decimal("1234.50")


def test_every_fault_is_told_grouped_by_cause_and_nothing_is_written(cast: Cast, now: datetime) -> None:
    make.beneficiary(cast)
    file = upload(
        cast,
        now,
        csv_of(
            ROW.format("10"),
            ROW.format("-5"),
            ROW.format("abc"),
            ROW.format("1.005"),
            "无名公司,999999999,10,CNY,2026-11-24,\n",
            "另一家公司,6217000000000099,10,CNY,2026-11-24,\n",
            "北京供应商有限公司,6217000000000099,10,CNY,2026-11-01,\n",
            "北京供应商有限公司,6217000000000099,10,CNY,2026-11-28,\n",
            "北京供应商有限公司,6217000000000099,10,CNY,11/24/2026,\n",
            "北京供应商有限公司,6217000000000099,10,CNY,2026-11-24,=1+1\n",
            f"北京供应商有限公司,6217000000000099,10,CNY,2026-11-24,{'长' * 99}\n",
        ),
    )
    preview = importing.preview_file(file=file, at=now)
    assert not preview.good
    by_cause = {str(cause): [p.row for p in problems] for cause, problems in preview.groups}
    causes = {code: str(text) for code, text in import_reading.CAUSES.items()}
    assert by_cause[causes["payments.amount"]] == [3, 5]
    assert by_cause[causes["payments.import_cell"]] == [4, 10]
    assert by_cause[causes["payments.import_payee_unknown"]] == [6]
    assert by_cause[causes["payments.import_payee_name"]] == [7]
    assert by_cause[causes["payments.date_past"]] == [8]
    assert by_cause[causes["payments.date_not_business_day"]] == [9]
    assert by_cause[causes["payments.import_formula"]] == [11]
    assert by_cause[causes["payments.text_too_long"]] == [12]
    with pytest.raises(ImportRefusedError, match="Nothing was written"):
        importing.commit_file(file=file, by=cast.alice, at=now)
    assert not Payment.objects.exists()
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        (b"", "empty.csv", "empty"),
        (HEAD.encode(), "head.csv", "no payments"),
        (b"a,b\n1,2\n", "foreign.csv", "payee name"),
        (b"\xff\xfe\x00\x81\x30", "bytes.csv", "neither UTF-8"),
        (b"PK\x03\x04broken", "broken.xlsx", "cannot be read"),
        (b"%PDF-1.7\n\x00\x01", "paper.pdf", "not a text file|PDF document"),
    ],
)
def test_unreadable_and_foreign_files_are_refused_at_the_door(
    cast: Cast, now: datetime, content: bytes, name: str, match: str
) -> None:
    with pytest.raises(TableError, match=match):
        upload(cast, now, content, name)


def test_a_workbook_that_computes_is_refused(cast: Cast, now: datetime) -> None:
    book = Workbook()
    book.active.append(["Payee name", "Payee account", "Amount", "Execution date"])
    book.active.append(["X", "6217000000000099", "=1+1", "2026-11-24"])
    target = io.BytesIO()
    book.save(target)
    with pytest.raises(TableError, match="formulas"):
        upload(cast, now, target.getvalue(), "pay.xlsx")


def test_a_huge_file_is_refused(cast: Cast, now: datetime, settings: object) -> None:
    settings.IMPORT_FILE_LIMIT = 1000
    with pytest.raises(TableError, match="Split it"):
        upload(cast, now, csv_of(ROW.format("1") * 50))


def test_the_same_bytes_pay_once_unless_undone(cast: Cast, now: datetime) -> None:
    make.beneficiary(cast)
    content = csv_of(ROW.format("10"))
    first, second = upload(cast, now, content), upload(cast, now, content, "copy.csv")
    batch = importing.commit_file(file=first, by=cast.alice, at=now)
    with pytest.raises(FileRepeatedError):
        importing.commit_file(file=first, by=cast.alice, at=now)
    with pytest.raises(FileRepeatedError, match=r"Undo that"):
        importing.commit_file(file=second, by=cast.alice, at=now)
    with pytest.raises(FileRepeatedError):
        upload(cast, now, content, "third.csv")
    assert importing.undo_import(batch=batch, by=cast.alice, at=now) == 1
    assert Payment.objects.get().state == "CANCELLED"
    again = importing.commit_file(file=second, by=cast.alice, at=now)
    assert again.payments.get().state == "DRAFT"


def test_an_import_cannot_be_undone_after_submission(cast: Cast, now: datetime) -> None:
    make.beneficiary(cast)
    make.rule_set(cast)
    batch = importing.commit_file(file=upload(cast, now, csv_of(ROW.format("10"))), by=cast.alice, at=now)
    preparing.submit_batch(batch=batch, by=cast.alice, at=now)
    with pytest.raises(AlreadyMovingError):
        importing.undo_import(batch=batch, by=cast.alice, at=now)


def test_repeated_rows_and_live_payments_are_pointed_out(cast: Cast, now: datetime) -> None:
    live = make.payment(cast, "10.00", to=make.beneficiary(cast))
    file = upload(cast, now, csv_of(ROW.format("20"), ROW.format("20.00"), ROW.format("10")))
    preview = importing.preview_file(file=file, at=now)
    assert preview.good
    assert [row for row, _text in preview.duplicates] == [3, 4]
    assert "row 2" in preview.duplicates[0][1]
    assert live.reference in preview.duplicates[1][1]


def test_only_people_who_prepare_for_the_account_import(cast: Cast, now: datetime) -> None:
    for person in (cast.bob, cast.mallory, cast.erin):
        with pytest.raises(AccessDeniedError):
            importing.upload_file(
                account=cast.cny, name="x.csv", content=csv_of(ROW.format("1")), by=person, at=now
            )


def test_the_template_reads_back(cast: Cast, now: datetime) -> None:
    preview = import_reading.read(
        name="t.csv", content=import_reading.template_csv(), account=cast.cny, at=now
    )
    assert preview.rows == 1


def test_ten_thousand_rows_preview_in_seconds_with_few_queries(
    cast: Cast, now: datetime, django_assert_max_num_queries: object
) -> None:
    make.beneficiary(cast)
    content = csv_of(*[ROW.format(f"{n}.{n % 100:02d}") for n in range(1, 10_001)])
    began = time.perf_counter()
    with django_assert_max_num_queries(6):
        preview = import_reading.read(name="big.csv", content=content, account=cast.cny, at=now)
    assert len(preview.lines) == 10_000
    assert time.perf_counter() - began < 10
