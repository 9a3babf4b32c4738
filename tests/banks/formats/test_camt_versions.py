"""camt messages: every version is read, and what is broken or foreign is refused by name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from banks.formats import ForbiddenContentError, UnreadableError
from tests.banks.formats.build import camt, ntry, stmt, whole

D = Decimal
PLAIN = camt(stmt(ntry("10.00"), closing="10.00"))


def test_a_broken_or_foreign_message_is_refused_with_a_reason() -> None:
    with pytest.raises(UnreadableError, match="line"):
        whole(PLAIN[:-40])
    with pytest.raises(UnreadableError, match="CstmrPmtStsRpt"):
        whole(PLAIN.replace("BkToCstmrStmt", "CstmrPmtStsRpt"))
    with pytest.raises(UnreadableError, match="no statement"):
        whole(camt())
    with pytest.raises(ForbiddenContentError, match="nested"):
        whole(camt(stmt("<a>" * 500 + "</a>" * 500)))


@pytest.mark.parametrize("version", [f"{v:02}" for v in range(1, 14)])
@pytest.mark.parametrize(
    ("message", "root", "tag"),
    [
        ("052", "BkToCstmrAcctRpt", "Rpt"),
        ("053", "BkToCstmrStmt", "Stmt"),
        ("054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    ],
)
def test_every_version_of_every_message_is_told_and_read(
    version: str, message: str, root: str, tag: str
) -> None:
    if version == "01":
        root += "V01"
    read = whole(camt(stmt(ntry("1.00"), tag=tag), message=f"{message}.001.{version}", root=root))
    assert read.amounts == [D("1.00")]
    assert read.statements[0].intraday is (message != "053")


def test_a_count_that_disagrees_with_the_file_is_flagged() -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>"
    assert "counts 3 entries" in whole(camt(stmt(summary, ntry("1.00")))).flags
