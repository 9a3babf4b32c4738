"""The adjustment statement, closing a day on it, and what a closed day forbids for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from banks.models import Statement
from reconciliation.models import Close, LedgerEntry, LedgerOpening, Match
from reconciliation.services import adjusting, booking, by_hand, closing
from reconciliation.services.adjusting import adjustment_sheet
from reconciliation.services.closing import close_account_day, obstacles
from reconciliation.services.matching import match_account
from reconciliation.services.opening import OpeningStandsError, set_opening
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, booked, day, journal, statement
from treasury.services.access import AccessDeniedError

pytestmark = pytest.mark.django_db
REFUSED = (IntegrityError, InternalError)


@pytest.fixture
def month(cast: Cast) -> Cast:
    """Books of 1,000 at day −1; two matched lines; one open of each of the four kinds on day 0."""
    set_opening(account=cast.cny, on=day(-1), amount=Decimal(1000), by=cast.dave, at=NOW)
    statement(cast.cny, [{"amount": 200, "reference": "M1", "on": day(-1)}], on=day(-1), opening=1000)
    statement(
        cast.cny,
        [
            {"amount": -50, "reference": "M2"},
            {"amount": 300, "name": "Received at bank"},
            {"amount": -7, "name": "Fee"},
        ],
        on=DAY,
        opening=1200,
    )
    journal(
        cast.cny,
        [
            {"amount": 200, "reference": "M1", "on": day(-1)},
            {"amount": -50, "reference": "M2"},
            {"amount": 40, "voucher": "V-in"},
            {"amount": -11, "voucher": "V-out", "on": day(-1)},
        ],
        by=cast.alice,
    )
    match_account(account=cast.cny, at=NOW)
    return cast


def codes(cast: Cast, **change: object) -> list[str]:
    values = {"account": cast.cny, "on": DAY, "by": cast.dave, "at": NOW} | change
    return [obstacle.code for obstacle in obstacles(**values)]  # type: ignore[arg-type]


def test_the_sheet_explains_both_sides(month: Cast) -> None:
    sheet = adjustment_sheet(account=month.cny, on=DAY)
    assert (sheet.bank_balance, sheet.bank_source, sheet.book_balance) == (1443, "statement", 1179)
    assert [item.amount for item in sheet.bank_received] == [300]
    assert [item.amount for item in sheet.bank_paid] == [-7]
    assert [(item.amount, item.label) for item in sheet.book_received] == [(40, "V-in")]
    assert [(item.amount, item.days) for item in sheet.book_paid] == [(-11, 1)]
    assert sheet.adjusted_bank == sheet.adjusted_book == 1472
    assert sheet.difference == 0


def test_a_day_without_statement_carries_the_last_balance_on(month: Cast) -> None:
    later = adjustment_sheet(account=month.cny, on=day(3))
    assert (later.bank_source, later.bank_balance, later.difference) == ("computed", 1443, 0)


def test_a_line_matched_with_a_later_one_was_open_in_between(month: Cast) -> None:
    statement(month.cny, [{"amount": 40, "on": day(2)}], on=day(2), opening=1443)
    match_account(account=month.cny, at=NOW)
    by_hand.match_lines(
        account=month.cny,
        entries=[line.pk for line in month.cny.entries.filter(booked_on=day(2))],
        ledger_entries=[LedgerEntry.objects.get(voucher="V-in").pk],
        by=month.dave,
        at=NOW,
    )
    assert [i.label for i in adjustment_sheet(account=month.cny, on=DAY).book_received] == ["V-in"]
    after = adjustment_sheet(account=month.cny, on=day(2))
    assert after.book_received == ()
    assert after.difference == 0


def test_opening_items_wait_for_the_bank_without_counting_twice(cast: Cast) -> None:
    """Books 1,000 include a cheque of 30 from before, which the bank pays on the first day."""
    old = statement(
        cast.cny, [{"amount": 5, "on": day(-9)}, {"amount": 6, "on": day(-8)}], on=day(-8), opening=1024
    )
    set_opening(
        account=cast.cny, on=day(-1), amount=Decimal(1000), by=cast.dave, at=NOW, still_open=[old[0].pk]
    )
    journal(cast.cny, [{"amount": -30, "on": day(-5), "reference": "CHQ"}], by=cast.alice)
    sheet = adjustment_sheet(account=cast.cny, on=day(-1))
    assert (sheet.bank_balance, sheet.book_balance) == (1035, 1000)
    assert [item.amount for item in sheet.bank] == [5]
    assert [item.amount for item in sheet.book] == [-30]
    assert sheet.difference == 0
    statement(cast.cny, [{"amount": -30, "reference": "CHQ"}], on=DAY, opening=1035)
    match_account(account=cast.cny, at=NOW)
    assert adjustment_sheet(account=cast.cny, on=DAY).difference == 0


def test_no_sheet_without_an_opening_or_a_statement(cast: Cast) -> None:
    with pytest.raises(adjusting.NoOpeningError, match="no opening balance"):
        adjustment_sheet(account=cast.cny, on=DAY)
    set_opening(account=cast.cny, on=DAY, amount=Decimal(0), by=cast.dave, at=NOW)
    with pytest.raises(adjusting.NoBankBalanceError, match="Import the bank's statement"):
        adjustment_sheet(account=cast.cny, on=DAY)
    with pytest.raises(adjusting.NoOpeningError, match="begin on"):
        adjustment_sheet(account=cast.cny, on=day(-1))


def test_a_day_that_agrees_is_closed_with_its_sheet(month: Cast) -> None:
    close = close_account_day(account=month.cny, on=DAY, by=month.dave, at=NOW)
    assert close.adjusted_bank == close.adjusted_book == 1472
    assert closing.sheet_of(Close.objects.get()) == adjustment_sheet(account=month.cny, on=DAY)
    assert codes(month) == ["reconciliation.day_closed"]


def test_what_keeps_a_day_open(month: Cast) -> None:
    assert codes(month) == []
    assert codes(month, on=day(1)) == ["reconciliation.no_statement"]
    assert "reconciliation.day_to_come" in codes(month, on=day(9))
    assert codes(month, by=month.alice) == ["reconciliation.may_not_close", "reconciliation.same_person"]
    with pytest.raises(AccessDeniedError):
        close_account_day(account=month.cny, on=DAY, by=month.alice, at=NOW)


def test_who_imported_the_journal_does_not_close_it(month: Cast) -> None:
    journal(month.cny, [{"amount": 1}, {"amount": -1}], by=month.dave)
    assert codes(month) == ["reconciliation.same_person"]
    with pytest.raises(closing.NotClosableError, match="Another person"):
        close_account_day(account=month.cny, on=DAY, by=month.dave, at=NOW)
    with pytest.raises(REFUSED, match="cannot close"), transaction.atomic():
        Close.objects.create(
            account=month.cny,
            on=DAY,
            currency="CNY",
            bank_balance=1,
            book_balance=1,
            adjusted_bank=1,
            adjusted_book=1,
            closed_by=month.dave,
            closed_at=NOW,
        )


def test_a_difference_keeps_the_day_open(month: Cast) -> None:
    Statement.objects.filter(closing_on=DAY).update(closing=Decimal("1443.01"))
    assert codes(month) == ["reconciliation.difference"]


def test_an_unbalanced_statement_or_a_gap_keeps_the_day_open(month: Cast) -> None:
    Statement.objects.filter(closing_on=DAY).update(balanced=False)
    assert codes(month) == ["reconciliation.statement_unbalanced"]
    Statement.objects.filter(closing_on=DAY).update(balanced=True, opening=1201)
    assert codes(month) == ["reconciliation.statement_gap"]


def test_after_a_close_the_balance_must_carry_on(month: Cast) -> None:
    close_account_day(account=month.cny, on=DAY, by=month.dave, at=NOW)
    statement(month.cny, [{"amount": 1}], on=day(1), opening=1443, closing=Decimal(1445))
    later = NOW + timedelta(days=1)
    assert codes(month, on=day(1), at=later) == ["reconciliation.statement_gap", "reconciliation.difference"]


# --- closed means closed -----------------------------------------------------------------


@pytest.fixture
def closed(month: Cast) -> Cast:
    close_account_day(account=month.cny, on=DAY, by=month.dave, at=NOW)
    return month


def test_a_closed_day_takes_no_journal_line_and_loses_none(closed: Cast) -> None:
    with pytest.raises(booking.JournalRefusedError) as refused:
        booked(closed.cny, [{"amount": 1}], by=closed.alice)
    assert refused.value.journal.causes[0][0] == "closed day"
    imported = LedgerEntry.objects.first().imported  # type: ignore[union-attr]
    with pytest.raises(booking.DayClosedError):
        booking.undo_import(imported=imported, by=closed.alice, at=NOW)
    booked(closed.cny, [{"amount": 1, "on": day(1)}], by=closed.alice)


def test_a_match_that_the_closed_sheet_counts_is_not_undone(closed: Cast) -> None:
    with pytest.raises(by_hand.SheetClosedError, match="closed"):
        by_hand.undo_match(match=Match.objects.filter(amount=200).get(), by=closed.dave, at=NOW)


def test_matching_an_item_of_a_closed_day_later_is_allowed_and_undone(closed: Cast) -> None:
    later = NOW + timedelta(days=1)
    statement(closed.cny, [{"amount": 40}], on=day(1), opening=1443)
    match = by_hand.match_lines(
        account=closed.cny,
        entries=[entry.pk for entry in closed.cny.entries.filter(booked_on=day(1))],
        ledger_entries=[LedgerEntry.objects.get(voucher="V-in").pk],
        by=closed.dave,
        at=later,
    )
    assert adjustment_sheet(account=closed.cny, on=DAY).difference == 0
    assert len(adjustment_sheet(account=closed.cny, on=DAY).book) == 2
    by_hand.undo_match(match=match, by=closed.dave, at=later)


def test_the_opening_stands_once_a_day_is_closed(closed: Cast) -> None:
    with pytest.raises(OpeningStandsError):
        set_opening(account=closed.cny, on=DAY, amount=Decimal(1), by=closed.dave, at=NOW)


@pytest.mark.parametrize(
    "statement_text",
    [
        "UPDATE reconciliation_ledgerentry SET amount = amount + 1 WHERE voucher = 'V-in'",
        "UPDATE reconciliation_ledgerentry SET live = false WHERE voucher = 'V-in'",
        "UPDATE reconciliation_ledgerentry SET id = id + 100000",
        "DELETE FROM reconciliation_ledgerentry",
        "INSERT INTO reconciliation_ledgerentry (account_id, imported_id, posted_on, amount, currency,"
        ' voucher, reference, bank_reference, counterparty, text, "row", live)'
        " SELECT account_id, imported_id, posted_on, 1, currency, '', '', '', '', '', 9, true"
        " FROM reconciliation_ledgerentry WHERE voucher = 'V-in'",
        "UPDATE reconciliation_close SET adjusted_bank = 0, adjusted_book = 0",
        "DELETE FROM reconciliation_close",
        "UPDATE reconciliation_ledgeropening SET amount = 0",
        "DELETE FROM reconciliation_ledgeropening",
        "UPDATE reconciliation_match SET undone_at = now()",
        "UPDATE reconciliation_match SET amount = 1",
        "UPDATE reconciliation_matchedline SET live = false",
        "DELETE FROM reconciliation_matchedline",
        "DELETE FROM reconciliation_match",
    ],
)
def test_raw_sql_cannot_reopen_a_closed_day(closed: Cast, statement_text: str) -> None:
    with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement_text)
    assert adjustment_sheet(account=closed.cny, on=DAY) == closing.sheet_of(Close.objects.get())


def test_raw_sql_cannot_match_what_does_not_sum_up(month: Cast) -> None:
    match_id = Match.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    with pytest.raises(REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reconciliation_matchedline (match_id, entry_id, live)"
            " SELECT %s, entry_id, true FROM reconciliation_openbankline LIMIT 1",
            [match_id],
        )
    assert LedgerOpening.objects.get().amount == 1000


@pytest.mark.django_db(transaction=True)
def test_a_journal_booked_while_the_day_closes_is_in_the_sheet_or_refused(month: Cast) -> None:
    gate, ends = threading.Barrier(2), {}

    def act(name: str, work: Callable[[], object]) -> None:
        try:
            gate.wait(timeout=20)
            work()
            ends[name] = "done"
        except (closing.NotClosableError, booking.BookingError) as error:
            ends[name] = type(error).__name__
        finally:
            connection.close()

    lines = [{"amount": 12, "voucher": "late"}]
    threads = [
        threading.Thread(
            target=act,
            args=(
                "close",
                lambda: close_account_day(account=month.cny, on=DAY, by=month.dave, at=NOW),
            ),
        ),
        threading.Thread(target=act, args=("book", lambda: booked(month.cny, lines, by=month.alice))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert ends["close"] == "done"
    kept = closing.sheet_of(Close.objects.get())
    assert ends["book"] in {"done", "JournalRefusedError"}
    assert ("late" in {item.label for item in kept.book}) == (ends["book"] == "done")
    assert adjustment_sheet(account=month.cny, on=DAY) == kept
