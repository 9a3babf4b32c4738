"""What we write is valid, and reading it back gives what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from banks.formats import UnwritableError, camt, camt053, mt940
from banks.messages import AccountIdentity, DatedAmount, Entry, EntryStatus, Party, Statement
from tests.banks.formats.build import closed, shared, whole

LETTERS = st.characters(whitelist_categories=("Lu", "Ll", "Lo", "Nd"), max_codepoint=0x9FFF)
WORD = st.text(LETTERS, min_size=1, max_size=12)
SENTENCE = st.lists(WORD, max_size=12).map(" ".join)
SAYS_NONE = {"NONREF", "NOREF", "NOTPROVIDED", "NOTAVAILABLE", "NONE", "EREF", "MARF", "PREF", "UNKNOWN"}
CODE = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=30).filter(
    lambda code: code not in SAYS_NONE
)
DAY = st.dates(date(2001, 1, 1), date(2078, 12, 31))
PLACES = {"JPY": 0, "CNY": 2, "KWD": 3}


@st.composite
def entries(draw: st.DrawFn, currency: str, booked_only: bool) -> Entry:
    amount = draw(st.decimals(Decimal("-99999999"), Decimal("99999999"), places=PLACES[currency]))
    day = draw(DAY)
    return Entry(
        amount=amount,
        currency=currency,
        booked_on=day,
        value_on=day,
        status=EntryStatus.BOOKED if booked_only else draw(st.sampled_from(list(EntryStatus))),
        reference=draw(CODE | st.just("")),
        bank_reference=draw(CODE.map(lambda code: code[:16]) | st.just("")),
        counterparty=Party(
            name=" ".join(draw(SENTENCE).split())[:50].strip(),
            account=draw(st.text("0123456789", max_size=20)),
            bank_code=draw(st.sampled_from(["", "ABNANL2A", "102100099996"])),
        ),
        text=draw(SENTENCE),
        code="NTRF" if booked_only else draw(st.sampled_from(["", "PMNT-RCDT-ESCT", "OWN"])),
    )


@st.composite
def statements(draw: st.DrawFn, booked_only: bool = False) -> Statement:
    currency = draw(st.sampled_from(sorted(PLACES)))
    amount = draw(st.decimals(Decimal("-99999999"), Decimal("99999999"), places=PLACES[currency]))
    lines = tuple(draw(st.lists(entries(currency, booked_only), max_size=5)))
    statement = Statement(
        account=AccountIdentity(
            number=draw(st.text("0123456789", min_size=6, max_size=20)), currency=currency
        ),
        currency=currency,
        number=str(draw(st.integers(1, 99999))),
        opening=DatedAmount(amount=amount, on=draw(DAY)),
        closing=DatedAmount(amount=Decimal(0), on=draw(DAY)),
        entries=lines,
    )
    booked = tuple(e for e in lines if e.status is EntryStatus.BOOKED)
    return replace(statement, closing=closed(replace(statement, entries=booked)).closing)


def without_position(statement: Statement) -> Statement:
    return replace(statement, entries=tuple(replace(e, position=0) for e in statement.entries))


@settings(max_examples=60, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=3))
def test_camt_written_is_read_back_the_same(given_statements: list[Statement]) -> None:
    read = whole(camt053.write(given_statements))
    assert [without_position(s) for s in read.statements] == [
        replace(s, flags=r.flags) for s, r in zip(given_statements, read.statements, strict=True)
    ]
    assert all(end.balanced for end in read.ends)


@settings(max_examples=60, deadline=None)
@given(st.lists(statements(booked_only=True), min_size=1, max_size=3))
def test_mt940_written_is_read_back_the_same(given_statements: list[Statement]) -> None:
    read = whole(mt940.write(given_statements))
    for got, given_one in zip(read.statements, given_statements, strict=True):
        assert (got.account, got.number, got.opening, got.closing) == (
            given_one.account,
            given_one.number,
            given_one.opening,
            given_one.closing,
        )
        for line, wanted in zip(got.entries, given_one.entries, strict=True):
            assert replace(line, position=0, text="") == replace(wanted, text="")
            # A field full to its last column joins without a gap, so spaces may move; letters may not.
            assert line.text.replace(" ", "") == (
                wanted.text.replace(" ", "") or ("OUT" if wanted.amount < 0 else "IN")
            )
    assert all(end.balanced for end in read.ends)


def sample() -> Statement:
    line = Entry(
        amount=Decimal("-204.88"),
        currency="EUR",
        booked_on=date(2026, 1, 31),
        value_on=date(2026, 1, 30),
        reference="E2E-" + "7" * 31,
        bank_reference="B" * 35,
        counterparty=Party(
            name="A & B <GmbH>", account="DE02120300000000202051", bank_code="BYLADEM1001", country="DE"
        ),
        text="Rechnung & Gutschrift " * 20,
        code="PMNT-RCDT-ESCT",
        reversal=True,
        return_reason="AC04 account closed",
    )
    statement = Statement(
        account=AccountIdentity(number="DE02120300000000202051", currency="EUR", bank_code="BYLADEM1001"),
        currency="EUR",
        number="17",
        opening=DatedAmount(amount=Decimal("-1.00"), on=date(2026, 1, 30)),
        closing=DatedAmount(amount=Decimal(0), on=date(2026, 1, 31)),
        entries=(line, replace(line, status=EntryStatus.PENDING, booked_on=None, text="", reversal=False)),
    )
    return closed(replace(statement, entries=statement.entries[:1]))


@pytest.mark.parametrize("message", ["052", "053", "054"])
def test_camt_written_is_valid_against_the_iso_schema(message: str) -> None:
    schema = etree.XMLSchema(file=str(shared(f"schemas/iso20022/camt.{message}.001.08.xsd")))
    schema.assertValid(etree.fromstring(camt.write([sample()], message=message)))


@settings(max_examples=40, deadline=None)
@given(given_statements=st.lists(statements(), min_size=1, max_size=2))
def test_any_camt_written_is_valid(given_statements: list[Statement]) -> None:
    schema = etree.XMLSchema(file=str(shared("schemas/iso20022/camt.053.001.08.xsd")))
    schema.assertValid(etree.fromstring(camt053.write(given_statements)))


def test_writing_the_same_day_twice_gives_the_same_bytes() -> None:
    assert camt053.write([sample()]) == camt053.write([sample()])
    assert camt053.write([sample()]) != camt053.write([replace(sample(), number="18")])


def test_reversals_and_returns_survive_both_formats() -> None:
    short = replace(sample(), entries=(replace(sample().entries[0], text="short"),))
    for content in (camt053.write([short]), mt940.write([short])):
        read = whole(content)
        assert read.entry.reversal is True
        assert read.entry.amount == Decimal("-204.88")
        assert read.entry.return_reason == "AC04 account closed"
        assert read.entry.bank_reference == "B" * 35
        assert read.entry.reference == "E2E-" + "7" * 31
        assert read.ends[0].balanced is True


def test_an_intraday_report_is_written_as_mt942_and_camt_052() -> None:
    day = replace(sample(), intraday=True, entries=(replace(sample().entries[0], text="x"),))
    for content in (mt940.write([day]), camt.write([day], message="052")):
        assert whole(content).statements[0].intraday is True
        assert whole(content).entry.amount == Decimal("-204.88")
    with pytest.raises(UnwritableError, match="intraday"):
        camt053.write([day])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"currency": "EURO"}, "ISO 4217"),
        ({"opening": DatedAmount(amount=Decimal(1))}, "date|day"),
        ({"number": "x" * 36}, "35 characters|digits"),
    ],
)
def test_what_cannot_be_said_is_named(change: dict[str, object], words: str) -> None:
    for writer in (camt053, mt940):
        with pytest.raises(UnwritableError, match=words):
            writer.write([replace(sample(), **change)])  # type: ignore[arg-type]


def test_pending_entries_have_no_place_in_mt940() -> None:
    pending = replace(sample().entries[0], status=EntryStatus.PENDING)
    with pytest.raises(UnwritableError, match="booked"):
        mt940.write([replace(sample(), entries=(pending,))])


def test_chinese_goes_out_in_gbk_and_comes_back() -> None:
    line = replace(sample().entries[0], text="货款", counterparty=Party(name="上海直联科技"))
    read = whole(mt940.write([replace(sample(), entries=(line,))], encoding="gbk"))
    assert (read.entry.text, read.entry.counterparty.name) == ("货款", "上海直联科技")
    with pytest.raises(UnwritableError, match="latin-1"):
        mt940.write([replace(sample(), entries=(line,))], encoding="latin-1")
