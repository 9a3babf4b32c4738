"""MT942 intraday reports (group nineteen), and SWIFT files that are refused as a whole."""

from __future__ import annotations

from decimal import Decimal

import pytest

from banks.formats import UnreadableError
from tests.banks.formats.build import swift, whole

D = Decimal

INTRADAY = "\r\n".join(
    [
        ":20:X",
        ":25:123456",
        ":28C:1/1",
        ":34F:EURD0,00",
        ":34F:EURC0,00",
        ":13D:2601151030+0100",
        ":61:2601150115D2,30NTRFA",
        ":86:fee",
        ":61:2601150115C5,00NTRFB",
        ":90D:1EUR2,30",
        ":90C:1EUR5,00",
        "-",
        "",
    ]
)


def test_group_19_an_intraday_report_never_closes_a_day() -> None:
    read = whole(INTRADAY)
    (statement,) = read.statements
    assert statement.intraday is True
    assert (statement.opening, statement.closing, read.ends[0].balanced) == (None, None, None)
    assert [(e.amount, e.currency) for e in statement.entries] == [(D("-2.30"), "EUR"), (D("5.00"), "EUR")]
    assert read.flags == ""


def test_group_19_totals_that_disagree_are_flagged() -> None:
    assert "reports 2 entries of 2.30" in whole(INTRADAY.replace(":90D:1", ":90D:2")).flags


def test_what_is_no_statement_is_refused() -> None:
    for content in (":20:ONLY\r\n-\r\n", ":86:TEXT\r\n-\r\n"):
        with pytest.raises(UnreadableError, match="No statement was found"):
            whole(content)


def test_a_field_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UnreadableError, match="no new field begins"):
        whole(swift(":61:260115C1,00NTRFX", ":86:" + "x\r\n" * 3_000_000))
    read = whole(swift(":61:260115C1,00" + " " * 60_000 + "x"))
    assert "60012 characters" in read.quarantined[0].reason
