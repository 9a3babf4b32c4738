"""Journal files: English and Chinese headers, all or nothing, once per account, and undone."""

from __future__ import annotations

import io
from decimal import Decimal

import openpyxl
import pytest

from reconciliation.models import LedgerEntry, LedgerImport, OpenBookLine
from reconciliation.services import booking
from reconciliation.services.journal_files import TEMPLATE
from reconciliation.services.matching import match_account
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, booked, day, statement
from treasury.models import AuditEvent
from treasury.services.access import AccessDeniedError
from treasury.tables import TableError

pytestmark = pytest.mark.django_db

CHINESE = (
    "日期,凭证字号,借方金额,贷方金额,币种,业务参考号,银行流水号,对方单位,摘要\n"
    '2026年11月23日,银收-1,"1,500.00",,人民币,,B1,示例客户有限公司,货款\n'
    "20261123,银付-2,,820.5,CNY,ZL1,,供应商,材料\n"
)


def take(cast: Cast, content: bytes, name: str = "journal.csv") -> LedgerImport:
    return booking.import_journal(account=cast.cny, name=name, content=content, by=cast.alice, at=NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_chinese_file_in_any_usual_encoding(cast: Cast, encoding: str) -> None:
    made = take(cast, CHINESE.encode(encoding))
    assert (made.rows, made.money_in, made.money_out) == (2, Decimal("1500"), Decimal("820.5"))
    received, paid = LedgerEntry.objects.order_by("row")
    assert (received.amount, received.counterparty, received.bank_reference) == (
        Decimal("1500"),
        "示例客户有限公司",
        "B1",
    )
    assert (paid.amount, paid.reference, paid.posted_on, paid.row) == (Decimal("-820.5"), "ZL1", DAY, 3)


def test_a_workbook_with_one_signed_amount_column(cast: Cast) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Date", "Amount", "Text"])
    book.active.append([DAY, 12.1, "in"])
    book.active.append([DAY, -3, "out"])
    out = io.BytesIO()
    book.save(out)
    take(cast, out.getvalue(), "journal.xlsx")
    assert list(LedgerEntry.objects.order_by("row").values_list("amount", flat=True)) == [
        Decimal("12.1"),
        Decimal("-3"),
    ]


def test_the_template_can_be_imported(cast: Cast) -> None:
    assert take(cast, TEMPLATE.encode()).rows == 2


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("2026-11-23,,5.001,,,", "amount unreadable"),
        ('2026-11-23,,"1.234,50",,,', "amount unreadable"),
        ("2026-11-23,,0,,,", "amount missing"),
        ("2026-11-23,,,,,", "amount missing"),
        ("03/04/2026,,5,,,", "date unreadable"),
        (",,5,,,", "date missing"),
        ("2026-02-30,,5,,,", "date unreadable"),
        ("2026-11-23,,5,USD,,", "other currency"),
        (f"2026-11-23,{'9' * 61},5,,,", "text too long"),
    ],
)
def test_one_bad_row_books_nothing_and_is_named(cast: Cast, row: str, cause: str) -> None:
    content = f"date,voucher,amount,currency,reference,text\n2026-11-23,V1,5,CNY,,\n{row}\n".encode()
    with pytest.raises(booking.JournalRefusedError) as refused:
        take(cast, content)
    [(found, problems)] = refused.value.journal.causes
    assert (found, problems[0].row) == (cause, 3)
    assert not LedgerEntry.objects.exists()
    assert not LedgerImport.objects.exists()


def test_debit_and_credit_in_one_row_are_refused(cast: Cast) -> None:
    with pytest.raises(booking.JournalRefusedError) as refused:
        take(cast, b"date,debit,credit\n2026-11-23,5,5\n")
    assert refused.value.journal.causes[0][0] == "debit and credit"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"PK\x03\x04not a workbook", b'date,amount\n"2026-11-23,5\n'],
)
def test_what_is_no_table_is_refused(cast: Cast, content: bytes) -> None:
    with pytest.raises(TableError):
        take(cast, content)
    assert not LedgerImport.objects.exists()


def test_headers_nobody_knows_are_mapped_by_hand(cast: Cast) -> None:
    content = b"Tag,Wert\n2026-11-23,5\n"
    draft = booking.upload_journal(account=cast.cny, name="x.csv", content=content, by=cast.alice, at=NOW)
    assert [p.cause for p in booking.look(draft=draft).problems] == ["columns", "columns"]
    booking.choose_columns(draft=draft, columns={"posted_on": "Tag", "amount": "Wert"}, by=cast.alice)
    assert booking.look(draft=draft).bookable
    booking.book_journal(draft=draft, by=cast.alice, at=NOW)
    assert LedgerEntry.objects.get().amount == 5


def test_the_same_file_counts_once_per_account(cast: Cast) -> None:
    content = b"date,amount\n2026-11-23,5\n"
    take(cast, content)
    with pytest.raises(booking.BookedAlreadyError, match=r"journal\.csv, by Alice on 2026-11-24"):
        take(cast, content, "other.csv")
    booking.import_journal(account=cast.usd, name="usd.csv", content=content, by=cast.alice, at=NOW)
    assert LedgerEntry.objects.count() == 2


def test_look_alikes_are_counted_before_booking(cast: Cast) -> None:
    take(cast, b"date,amount,voucher\n2026-11-23,5,V1\n")
    draft = booking.upload_journal(
        account=cast.cny,
        name="b.csv",
        content=b"date,amount,voucher\n2026-11-23,5,V1\n2026-11-23,6,V2\n",
        by=cast.alice,
        at=NOW,
    )
    assert booking.look_alikes(account=cast.cny, journal=booking.look(draft=draft)) == 1


def test_an_import_is_undone_and_the_file_can_come_again(cast: Cast) -> None:
    content = b"date,amount\n2026-11-23,5\n"
    booking.undo_import(imported=take(cast, content), by=cast.alice, at=NOW)
    assert not LedgerEntry.objects.live().exists()
    assert not OpenBookLine.objects.exists()
    assert LedgerEntry.objects.count() == 1
    take(cast, content)
    assert LedgerEntry.objects.live().count() == 1
    assert AuditEvent.objects.filter(action="reconciliation.journal_undone").count() == 1


def test_an_import_with_matched_lines_is_not_undone_and_says_which(cast: Cast) -> None:
    statement(cast.cny, [{"amount": 7, "reference": "A"}])
    made = booked(cast.cny, [{"amount": 5}, {"amount": 7, "reference": "A"}], by=cast.alice)
    match_account(account=cast.cny, at=NOW)
    with pytest.raises(booking.StillMatchedError, match=r"1 line of journal\.csv is matched") as refused:
        booking.undo_import(imported=made, by=cast.alice, at=NOW)
    assert refused.value.rows == [3]
    assert LedgerEntry.objects.live().count() == 2


def test_who_may_not_import(cast: Cast) -> None:
    for person in (cast.mallory, cast.bob, cast.erin):
        with pytest.raises(AccessDeniedError):
            booking.import_journal(
                account=cast.cny, name="a.csv", content=b"date,amount\n2026-11-23,5\n", by=person, at=NOW
            )


def test_a_draft_belongs_to_who_uploaded_it(cast: Cast) -> None:
    draft = booking.upload_journal(
        account=cast.cny, name="a.csv", content=b"date,amount\n2026-11-23,5\n", by=cast.alice, at=NOW
    )
    with pytest.raises(booking.BookingError, match="someone else"):
        booking.book_journal(draft=draft, by=cast.dave, at=NOW)
    assert day(0) == DAY
