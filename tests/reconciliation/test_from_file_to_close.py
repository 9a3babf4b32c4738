"""From the bank's file and the company's journal to a closed day, through the real importers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_q.models import OrmQ

from banks.models import Statement
from banks.services.importing import import_file, receive_file
from reconciliation import tasks
from reconciliation.models import Match, OpenBankLine, OpenBookLine
from reconciliation.services.adjusting import adjustment_sheet
from reconciliation.services.closing import close_account_day, obstacles
from reconciliation.services.opening import set_opening
from tests.banks.papers import camt, line, paper
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, booked, day

pytestmark = pytest.mark.django_db


def bank_says(cast: Cast, *lines: object, opening: str, on: date = DAY) -> Statement:
    content = camt(paper(cast.cny, lines, opening=opening, number=str(on), on=on))  # type: ignore[arg-type]
    file = receive_file(name=f"{on}.xml", content=content, by=cast.dave, at=NOW)
    [made] = import_file(file=file, at=NOW).statements
    return made


def test_two_days_are_matched_and_closed(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    set_opening(account=cast.cny, on=DAY, amount=Decimal(1000), by=cast.dave, at=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        made = bank_says(
            cast,
            line("-80.00", reference="ZL1", name="Supplier"),
            line("20.00", bank_reference="B1", name="Beihai Steel"),
            line("5.00", name="Interest"),
            opening="1000",
        )
        booked(
            cast.cny,
            [{"amount": -80, "reference": "ZL1"}, {"amount": 20, "name": "BEIHAI STEEL"}],
            by=cast.alice,
        )
    nudges = {(job.task["func"], *job.task["args"]) for job in OrmQ.objects.all()}
    assert ("reconciliation.tasks.match_statement", made.pk) in nudges
    assert ("reconciliation.tasks.match_lines", cast.cny.pk) in nudges
    assert tasks.match_statement(made.pk) == 2
    assert tasks.match_everything() == 0
    assert sorted(Match.objects.values_list("tier", flat=True)) == ["T1", "T3"]
    sheet = adjustment_sheet(account=cast.cny, on=DAY)
    assert (sheet.bank_balance, sheet.book_balance, sheet.adjusted_bank) == (945, 940, 945)
    close_account_day(account=cast.cny, on=DAY, by=cast.dave, at=NOW)

    later = NOW + timedelta(days=1)
    bank_says(cast, line("7.00", name="Late", on=day(1)), opening="945", on=day(1))
    booked(
        cast.cny,
        [{"amount": 5, "on": day(1), "name": "Interest"}, {"amount": 7, "on": day(1), "name": "late"}],
        by=cast.alice,
    )
    assert tasks.match_lines(cast.cny.pk) == 2
    assert not OpenBankLine.objects.exists()
    assert not OpenBookLine.objects.exists()
    assert close_account_day(account=cast.cny, on=day(1), by=cast.dave, at=later).book_balance == 952


def test_the_same_file_again_opens_nothing_twice(cast: Cast) -> None:
    lines = [line("20.00"), line("20.00")]
    bank_says(cast, *lines, opening="1000")
    bank_says(cast, *lines, opening="1000")
    assert OpenBankLine.objects.count() == 2


def test_a_missing_day_keeps_the_next_one_open(cast: Cast) -> None:
    set_opening(account=cast.cny, on=DAY, amount=Decimal(1000), by=cast.dave, at=NOW)
    bank_says(cast, line("1.00"), opening="1000")
    bank_says(cast, line("1.00", on=day(2)), opening="1003", on=day(2))
    later = NOW + timedelta(days=2)
    codes = {o.code for o in obstacles(account=cast.cny, on=day(2), by=cast.dave, at=later)}
    assert "reconciliation.statement_gap" in codes
    bank_says(cast, line("2.00", on=day(1)), opening="1001", on=day(1))
    assert obstacles(account=cast.cny, on=day(2), by=cast.dave, at=later) == []
