"""camt.052/053/054: every group of odd real files, one to eleven, by name."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest

from banks.formats import ForbiddenContentError
from banks.messages import EntryStatus
from tests.banks.formats.build import bal, camt, ntry, stmt, tx, whole

D = Decimal


def details(*transactions: str) -> str:
    return f"<NtryDtls>{''.join(transactions)}</NtryDtls>"


def test_group_01_a_batch_is_split_by_its_own_amounts_and_never_counted_twice() -> None:
    batch = ntry("30.00", "CRDT", details(tx("10.00", e2e="A"), tx("20.00", e2e="B")))
    read = whole(camt(stmt(batch, closing="30.00")))
    assert [(e.amount, e.reference) for e in read.entries] == [(D("10.00"), "A"), (D("20.00"), "B")]
    assert read.ends[0].balanced is True
    assert len({e.position for e in read.entries}) == 2


def test_group_01_signs_may_differ_inside_a_batch() -> None:
    batch = ntry("15.00", "CRDT", details(tx("20.00", "CRDT"), tx("5.00", "DBIT")))
    assert whole(camt(stmt(batch))).amounts == [D("20.00"), D("-5.00")]


def test_group_01_transaction_amounts_in_amount_details_are_used_before_instructed_ones() -> None:
    def item(own: str, instructed: str) -> str:
        return tx(
            more=f"<AmtDtls><InstdAmt><Amt Ccy='USD'>{instructed}</Amt></InstdAmt>"
            f"<TxAmt><Amt Ccy='EUR'>{own}</Amt></TxAmt></AmtDtls>"
        )

    batch = ntry("30.00", "DBIT", details(item("10.00", "11.50"), item("20.00", "23.00")))
    assert whole(camt(stmt(batch))).amounts == [D("-10.00"), D("-20.00")]


def test_group_01_a_batch_that_does_not_add_up_stays_one_entry_and_says_so() -> None:
    batch = ntry("30.00", "CRDT", details(tx("10.00"), tx("30.00")))
    read = whole(camt(stmt(batch)))
    assert read.amounts == [D("30.00")]
    assert "do not add up" in read.flags


def test_group_01_a_batch_without_amounts_stays_one_entry() -> None:
    assert whole(camt(stmt(ntry("30.00", "CRDT", details(tx(e2e="A"), tx(e2e="B")))))).amounts == [D("30.00")]


def test_group_01_a_single_transaction_keeps_the_amount_that_was_booked() -> None:
    single = ntry("95.00", "CRDT", details(tx("100.00", e2e="A")))
    assert whole(camt(stmt(single))).entry.amount == D("95.00")


def test_group_02_a_batch_without_details_keeps_our_batch_reference() -> None:
    inside = "<NtryDtls><Btch><PmtInfId>OURBATCH</PmtInfId><NbOfTxs>20</NbOfTxs></Btch></NtryDtls>"
    entry = whole(camt(stmt(ntry("10.00", "DBIT", inside)))).entry
    assert (entry.amount, entry.reference) == (D("-10.00"), "OURBATCH")


def test_group_02_several_detail_blocks_and_none_at_all() -> None:
    two = ntry("30.00", "CRDT", details(tx("10.00")) + details(tx("20.00")))
    assert whole(camt(stmt(two))).amounts == [D("10.00"), D("20.00")]
    assert whole(camt(stmt(ntry("5.00")))).amounts == [D("5.00")]


RVSL = "<RvslInd>true</RvslInd>"


def test_group_03_a_reversal_counts_as_stated_when_the_balances_agree() -> None:
    read = whole(camt(stmt(ntry("10.00", "CRDT", head=RVSL), ntry("1.00"), closing="11.00")))
    assert read.amounts == [D("10.00"), D("1.00")]
    assert [e.reversal for e in read.entries] == [True, False]
    assert read.ends[0].balanced is True


def test_group_03_a_reversal_is_turned_when_only_that_agrees_with_the_balances() -> None:
    read = whole(camt(stmt(ntry("1.00"), ntry("10.00", "DBIT", head=RVSL), ntry("2.00"), closing="13.00")))
    assert read.amounts == [D("1.00"), D("10.00"), D("2.00")]
    assert read.ends[0].balanced is True
    assert "against their stated direction" in read.flags


def test_group_03_without_balances_a_reversal_is_as_stated_and_flagged() -> None:
    read = whole(camt(stmt(ntry("10.00", "DBIT", head=RVSL), opening=None)))
    assert read.amounts == [D("-10.00")]
    assert "no balances to check" in read.flags


def test_group_03_a_bank_known_to_invert_overrides_the_balance() -> None:
    content = camt(stmt(ntry("10.00", "DBIT", head=RVSL), opening=None))
    assert whole(content, reversals="inverted").amounts == [D("10.00")]
    content = camt(stmt(ntry("10.00", "DBIT", head=RVSL), closing="10.00"))
    read = whole(content, reversals="stated")
    assert read.amounts == [D("-10.00")]
    assert read.ends[0].balanced is False


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("BOOK", EntryStatus.BOOKED),
        ("<Cd>BOOK</Cd>", EntryStatus.BOOKED),
        ("<Cd>PDNG</Cd>", EntryStatus.PENDING),
        ("PDNG", EntryStatus.PENDING),
        ("INFO", EntryStatus.INFORMATION),
        ("<Cd>FUTR</Cd>", EntryStatus.PENDING),
        ("<Prtry>whatever</Prtry>", EntryStatus.INFORMATION),
    ],
)
def test_group_04_status_as_text_or_code(word: str, state: EntryStatus) -> None:
    assert whole(camt(stmt(ntry("1.00", sts=word)))).entry.status is state


def test_group_04_pending_and_information_never_count_in_the_booked_balance() -> None:
    read = whole(
        camt(stmt(ntry("1.00"), ntry("5.00", sts="PDNG"), ntry("7.00", sts="<Cd>INFO</Cd>"), closing="1.00"))
    )
    assert len(read.entries) == 3
    assert read.ends[0].booked == D("1.00")
    assert read.ends[0].balanced is True


@pytest.mark.parametrize(
    "inside",
    [
        "<Dt>2026-01-30</Dt>",
        "<Dt>2026-01-30+01:00</Dt>",
        "<Dt>2026-01-30T00:00:00</Dt>",
        "<DtTm>2026-01-30T23:59:59.999+08:00</DtTm>",
    ],
)
def test_group_05_dates_as_day_or_instant_are_the_banks_own_day(inside: str) -> None:
    dates = f"<BookgDt>{inside}</BookgDt><ValDt>{inside}</ValDt>"
    entry = whole(camt(stmt(ntry(dates=dates)))).entry
    assert entry.booked_on == entry.value_on == date(2026, 1, 30)


def test_group_05_absent_dates_are_none_and_impossible_ones_are_quarantined() -> None:
    assert whole(camt(stmt(ntry(dates="")))).entry.booked_on is None
    read = whole(camt(stmt(ntry(dates="<BookgDt><Dt>2026-02-31</Dt></BookgDt>"), ntry("2.00"))))
    assert read.amounts == [D("2.00")]
    assert "2026-02-31" in read.quarantined[0].reason


def test_group_05_a_balance_may_lack_its_date_or_give_an_instant() -> None:
    opening = bal("OPBD", "1.00").replace("<Dt><Dt>2026-01-31</Dt></Dt>", "")
    closing = bal("CLBD", "1.00").replace("<Dt>2026-01-31</Dt>", "<DtTm>2026-01-31T18:00:00Z</DtTm>")
    (statement,) = whole(camt(stmt(opening, closing, opening=None))).statements
    assert statement.opening is not None
    assert statement.opening.on is None
    assert statement.closing is not None
    assert statement.closing.on == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("balances", "expected"),
    [
        ((("OPBD", "1"), ("CLBD", "2")), ("1", "2")),
        ((("PRCD", "1"), ("CLBD", "2")), ("1", "2")),
        ((("OPBD", "1"), ("CLBD", "2"), ("OPAV", "8"), ("CLAV", "9"), ("FWAV", "7")), ("1", "2")),
        ((("ITBD", "1"), ("ITBD", "2")), ("1", "2")),
        ((("OPBD", "1"), ("ITBD", "2")), ("1", "2")),
        ((("ITBD", "1"), ("CLBD", "2")), ("1", "2")),
        ((("CLBD", "2"),), (None, "2")),
        ((("XPCD", "5"), ("INFO", "6")), (None, None)),
    ],
)
def test_group_06_which_balance_opens_and_which_closes(
    balances: tuple[tuple[str, str], ...], expected: tuple[str | None, str | None]
) -> None:
    (statement,) = whole(camt(stmt(*(bal(*pair) for pair in balances), opening=None))).statements
    found = tuple(b and str(b.amount) for b in (statement.opening, statement.closing))
    assert found == expected


def test_group_06_a_proprietary_balance_is_left_aside_and_a_debit_balance_is_negative() -> None:
    own = bal("X", "9").replace("<Cd>X</Cd>", "<Prtry>MINE</Prtry>")
    (statement,) = whole(camt(stmt(own, bal("OPBD", "5", "DBIT"), opening=None))).statements
    assert statement.opening is not None
    assert statement.opening.amount == D("-5")
    assert statement.balanced is None


def test_group_06_several_days_open_with_the_first_and_close_with_the_last() -> None:
    days = (
        bal("OPBD", "2", on="2026-01-02")
        + bal("CLBD", "3", on="2026-01-02")
        + bal("OPBD", "1", on="2026-01-01")
        + bal("CLBD", "2", on="2026-01-01")
    )
    (statement,) = whole(camt(stmt(days, opening=None))).statements
    assert statement.opening is not None
    assert statement.closing is not None
    assert (statement.opening.amount, statement.closing.amount) == (1, 3)


def test_group_07_several_statements_currencies_and_accounts_without_iban() -> None:
    read = whole(
        camt(
            stmt(ntry("1.00"), closing="1.00"),
            stmt(ntry("2", ccy="JPY"), opening="0", closing="2", ccy="JPY", ident="S2"),
            stmt(account="<Othr><Id>62220001</Id></Othr>", ccy="CNY", ident="S3", opening="0"),
        )
    )
    assert [(s.account.number, s.currency) for s in read.statements] == [
        ("DE02120300000000202051", "EUR"),
        ("DE02120300000000202051", "JPY"),
        ("62220001", "CNY"),
    ]
    assert [e.balanced for e in read.ends] == [True, True, None]


def test_group_07_an_entry_in_a_foreign_currency_is_never_added_up() -> None:
    read = whole(camt(stmt(ntry("1.00"), ntry("1.00", ccy="USD"), closing="2.00")))
    assert read.ends[0].balanced is None
    assert "USD" in read.flags


def test_group_07_a_zip_of_files_is_read_and_a_stranger_in_it_set_aside() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("day1.xml", camt(stmt(ntry("1.00"))))
        archive.writestr("note.pdf", b"%PDF-1.7")
        archive.writestr("day2.xml", camt(stmt(ntry("2.00"))))
    read = whole(packed.getvalue())
    assert read.amounts == [D("1.00"), D("2.00")]
    assert "PDF" in read.quarantined[0].reason


def test_group_08_pages_copies_and_gaps_are_said() -> None:
    page = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
    read = whole(camt(stmt(ntry("1.00"), head=page, closing="5.00")))
    assert "page 1 of a longer statement" in read.flags
    assert read.ends[0].balanced is None
    assert "duplicate" in whole(camt(stmt(head="<CpyDplctInd>DUPL</CpyDplctInd>"))).flags
    gap = camt(*(stmt(head=f"<ElctrncSeqNb>{n}</ElctrncSeqNb>", ident=str(n)) for n in (5, 7)))
    assert "jump from 5 to 7" in whole(gap).flags


def test_group_08_an_intraday_report_of_new_entries_alone_is_not_called_unbalanced() -> None:
    report = stmt(ntry("1.00"), bal("ITBD", "9.00"), tag="Rpt")
    read = whole(camt(report, message="052.001.08", root="BkToCstmrAcctRpt"))
    assert (read.ends[0].balanced, read.flags) == (None, "")


def test_group_07_an_amount_without_currency_is_in_the_statements_own() -> None:
    read = whole(camt(stmt(ntry("1.00").replace(" Ccy='EUR'", ""), closing="1.00")))
    assert (read.entry.currency, read.ends[0].balanced) == ("EUR", True)


def test_group_08_the_same_bytes_give_the_same_events_again() -> None:
    content = camt(stmt(ntry("1.00"), ntry("x"), closing="1.00"))
    assert whole(content) == whole(content)


def test_group_09_texts_references_returns_and_ultimate_parties() -> None:
    more = (
        "<RltdPties><UltmtDbtr><Nm>Behind</Nm></UltmtDbtr>"
        "<DbtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></DbtrAcct></RltdPties>"
        "<RltdAgts><DbtrAgt><FinInstnId><BIC>AGRIFRPP</BIC></FinInstnId></DbtrAgt></RltdAgts>"
        "<RmtInf><Ustrd>first</Ustrd><Ustrd>second</Ustrd>"
        "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>"
        "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed account</AddtlInf></RtrInf>"
    )
    entry = whole(camt(stmt(ntry("10.00", "CRDT", details(tx(more=more, e2e="OURS")))))).entry
    assert entry.text == "first second RF18539007547034"
    assert entry.return_reason == "AC04 closed account"
    assert entry.reference == "OURS"
    assert (entry.counterparty.name, entry.counterparty.account, entry.counterparty.bank_code) == (
        "Behind",
        "FR7630006000011234567890189",
        "AGRIFRPP",
    )


def test_group_09_the_counterparty_is_never_the_account_itself() -> None:
    more = (
        "<RltdPties><Dbtr><Pty><Nm>Other</Nm></Pty></Dbtr><Cdtr><Pty><Nm>Me</Nm></Pty></Cdtr>"
        "<CdtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></CdtrAcct></RltdPties>"
        "<RltdAgts><DbtrAgt><FinInstnId><BICFI>AGRIFRPP</BICFI></FinInstnId></DbtrAgt></RltdAgts>"
    )
    for side in ("CRDT", "DBIT"):
        party = whole(camt(stmt(ntry("10.00", side, details(tx(more=more)))))).entry.counterparty
        assert (party.name, party.bank_code) == ("Other", "AGRIFRPP")


def test_group_09_not_provided_is_no_reference_and_charges_do_not_change_the_amount() -> None:
    charges = "<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>5.00</TtlChrgsAndTaxAmt></Chrgs>"
    entry = whole(camt(stmt(ntry("95.00", "CRDT", charges + details(tx("100.00", e2e="NOTPROVIDED")))))).entry
    assert (entry.reference, entry.amount, entry.bank_reference) == ("", D("95.00"), "BANK1")


@pytest.mark.parametrize("amount", ["1", "0", "0001.50", "1.23456", "0.00", "1000.", "12.500"])
def test_group_10_amounts_are_exactly_what_the_file_says(amount: str) -> None:
    entry = whole(camt(stmt(ntry(amount)))).entry
    assert entry.amount == D(amount)
    assert isinstance(entry.amount, Decimal)


@pytest.mark.parametrize("amount", ["1,50", "1e3", "NaN", "", "-5.00", "1 000.00", "1.234567", "１２", "1_0"])
def test_group_10_an_amount_that_is_none_is_quarantined_and_spoils_the_balance(amount: str) -> None:
    read = whole(camt(stmt(ntry(amount), ntry("1.00"), closing="1.00")))
    assert read.amounts == [D("1.00")]
    assert len(read.quarantined) == 1
    assert "<Ntry>" in read.quarantined[0].raw
    assert read.ends[0].balanced is None
    assert read.ends[0].quarantined == 1
    assert "not complete" in read.flags


def test_group_10_an_entry_without_direction_is_quarantined() -> None:
    read = whole(camt(stmt(ntry("1.00").replace("<CdtDbtInd>CRDT</CdtDbtInd>", ""))))
    assert not read.entries
    assert "credit or debit" in read.quarantined[0].reason


PLAIN = camt(stmt(ntry("10.00"), closing="10.00"))
ENVELOPE = PLAIN.replace("<Document", "<Envelope><Head/><Document") + "</Envelope>"
PREFIXED = (
    PLAIN.replace("<", "<n:")
    .replace("<n:/", "</n:")
    .replace("<n:?", "<?")
    .replace("xmlns=", "xmlns:n=")
    .replace("camt.053.001.08", "http://www.six-interbank-clearing.com/de/camt.053.001.04.ch.02.xsd")
)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PREFIXED.encode(),
        PLAIN.replace(" xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'", "").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        b"\r\n \n" + PLAIN.encode(),
        PLAIN.replace("UTF-8", "UTF-16").encode("utf-16"),
        PLAIN.replace("><", ">\r<").encode(),
        PLAIN.replace("UTF-8", "ISO-8859-1").replace("BANK1", "BÄNK1").encode("latin-1"),
        PLAIN.replace("BANK1", "BÄNK1").encode("cp1252"),
        PLAIN.replace("BANK1", "BA\x00N\x02K1").encode(),
        PLAIN.replace("<Document", "<Envelope><Head/><Document")
        .replace("</Document>", "</Document></Envelope>")
        .encode(),
        PLAIN.encode() + b"\x1a\x00\n",
    ],
)
def test_group_11_namespaces_encodings_and_line_ends(content: bytes) -> None:
    read = whole(content)
    assert read.ends[0].balanced is True
    assert read.entry.bank_reference in ("BANK1", "BÄNK1")


def test_group_11_chinese_in_gbk_is_read_as_chinese() -> None:
    content = PLAIN.replace("UTF-8", "GBK").replace("BANK1", "直联银行").encode("gbk")
    assert whole(content).entry.bank_reference == "直联银行"


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE Document [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE Document [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>",
        "<!DOCTYPE Document SYSTEM 'http://127.0.0.1:9/x.dtd'>",
    ],
)
@pytest.mark.parametrize("format", [None, "camt.053"])
def test_group_11_document_types_and_entities_are_refused(doctype: str, format: str | None) -> None:
    content = PLAIN.replace("<Document", f"{doctype}<Document", 1).replace("BANK1", "&x;")
    with pytest.raises(ForbiddenContentError, match="DOCTYPE"):
        whole(content, format)
