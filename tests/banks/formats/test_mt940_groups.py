"""MT940 and MT942: every group of odd real files, twelve to nineteen, by name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from banks.formats.mt940 import lines
from banks.messages import EntryStatus
from tests.banks.formats.build import swift, whole

D = Decimal


@pytest.mark.parametrize(
    ("mark", "amount", "reversal"),
    [
        ("C", "10.00", False),
        ("D", "-10.00", False),
        ("RC", "-10.00", True),
        ("RD", "10.00", True),
        ("CR", "10.00", False),
        ("DM", "-10.00", False),
        ("RCR", "-10.00", True),
        ("RDR", "10.00", True),
        ("DD", "-10.00", False),
        ("CC", "10.00", False),
    ],
)
def test_group_12_marks_and_funds_codes(mark: str, amount: str, reversal: bool) -> None:
    entry = whole(swift(f":61:2601150115{mark}10,00NTRFREF//BANK")).entry
    assert (entry.amount, entry.reversal, entry.reference, entry.bank_reference) == (
        D(amount),
        reversal,
        "REF",
        "BANK",
    )


def test_group_12_reversal_of_credit_is_negative_and_the_balance_agrees() -> None:
    read = whole(swift(":61:260115C30,00NTRFA", ":61:260115RC10,00NTRFB", closing="C260131EUR20,00"))
    assert read.amounts == [D("30.00"), D("-10.00")]
    assert read.ends[0].balanced is True


@pytest.mark.parametrize(("mark", "sign"), [("EC", 1), ("ED", -1)])
def test_group_12_expected_entries_are_pending_and_not_booked(mark: str, sign: int) -> None:
    read = whole(swift(f":61:2601150115{mark}140,NTRF50215//990"))
    assert read.entry.amount == 140 * sign
    assert read.entry.status is EntryStatus.PENDING
    assert read.ends[0].balanced is True


@pytest.mark.parametrize(
    ("value", "entry", "booked"),
    [
        ("260102", "1231", date(2025, 12, 31)),
        ("251231", "0102", date(2026, 1, 2)),
        ("260115", "0116", date(2026, 1, 16)),
        ("260115", "    ", date(2026, 1, 15)),
        ("260115", "", date(2026, 1, 15)),
    ],
)
def test_group_13_the_entry_date_is_the_one_nearest_to_the_value_date(
    value: str, entry: str, booked: date
) -> None:
    assert whole(swift(f":61:{value}{entry}C1,00NTRFNONREF")).entry.booked_on == booked


def test_group_13_february_30_is_the_last_day_of_february_and_flagged() -> None:
    read = whole(swift(":61:2602300301C1,00NTRFNONREF"))
    assert (read.entry.value_on, read.entry.booked_on) == (date(2026, 2, 28), date(2026, 3, 1))
    assert "does not exist" in read.flags


def test_group_13_a_month_that_does_not_exist_is_quarantined() -> None:
    read = whole(swift(":61:261315C1,00NTRFNONREF", ":61:260115C2,00NTRFNONREF"))
    assert read.amounts == [D("2.00")]
    assert read.quarantined[0].position == 5
    assert "261315" in read.quarantined[0].raw


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234,56", "1234.56"),
        ("300,", "300"),
        ("0,5", "0.5"),
        ("000000001000,00", "1000.00"),
        ("300.00", "300.00"),
        ("7.5", "7.5"),
        ("1.000,50", "1000.50"),
        ("1,000.50", "1000.50"),
        ("1.234.567,89", "1234567.89"),
        ("500", "500"),
        ("1,234", "1.234"),
        ("12'345,60", "12345.60"),
    ],
)
def test_group_14_amounts_with_one_reading_are_read(text: str, amount: str) -> None:
    assert whole(swift(f":61:260115C{text}NTRFNONREF")).entry.amount == D(amount)


@pytest.mark.parametrize("text", ["1.000", "1,2,3", "1.2.3", "1,00,00", "1.000.00"])
def test_group_14_an_amount_with_two_readings_is_quarantined_never_guessed(text: str) -> None:
    read = whole(swift(f":61:260115C{text}NTRFNONREF", ":86:its text", ":61:260115C1,00NTRFNONREF"))
    assert read.amounts == [D("1.00")]
    assert read.quarantined[0].raw.endswith(":86:its text")
    assert read.ends[0].balanced is not True


@pytest.mark.parametrize(
    ("closing", "amounts"),
    [("C260131EUR105,12", ["1.00", "104.12"]), ("D260131EUR103,12", ["1.00", "-104.12"])],
)
def test_group_14_a_minus_sign_is_settled_by_the_balance(closing: str, amounts: list[str]) -> None:
    read = whole(swift(":61:260115C1,00NTRFX", ":61:1908150815D-104,12NMSCNONREF//010F", closing=closing))
    assert read.amounts == [D(a) for a in amounts]
    assert read.ends[0].balanced is True
    assert "minus sign" in read.flags


def page(number: str, opens: str, closes: str, *lines: str, head: str = ":20:X\r\n:25:123456\r\n") -> str:
    return f"{head}:28C:{number}\r\n:{opens}\r\n" + "".join(f"{x}\r\n" for x in lines) + f":{closes}\r\n-\r\n"


def test_group_15_pages_are_one_statement() -> None:
    read = whole(
        page("7/1", "60F:C260101EUR0,", "62M:C260131EUR1,", ":61:260115C1,NTRFA")
        + page("7/2", "60M:C260131EUR1,", "62M:C260131EUR3,", ":61:260115C2,NTRFB")
        + page("7/3", "60M:C260131EUR3,", "62F:C260131EUR6,", ":61:260115C3,NTRFC")
    )
    (statement,) = read.statements
    assert [e.amount for e in statement.entries] == [1, 2, 3]
    assert (statement.number, read.ends[0].balanced, read.flags) == ("7", True, "")


def test_group_15_pages_of_two_accounts_or_with_a_gap_are_not_joined() -> None:
    first = page("7/1", "60F:C260101EUR0,", "62M:C260131EUR1,", ":61:260115C1,NTRFA")
    other = page("7/2", "60M:C260131EUR1,", "62F:C260131EUR1,", head=":20:X\r\n:25:999999\r\n")
    gap = page("7/3", "60M:C260131EUR9,", "62F:C260131EUR9,")
    for second in (other, gap):
        read = whole(first + second)
        assert len(read.statements) == 2
        assert "later page is missing" in read.flags
        assert "earlier page is missing" in read.flags


def test_group_15_one_reference_with_several_statements() -> None:
    read = whole(
        page("7", "60F:C260101EUR0,", "62F:C260131EUR1,", ":61:260115C1,NTRFA")
        + page("8", "60F:C260131EUR1,", "62F:C260131EUR3,", ":61:260115C2,NTRFB", head="")
    )
    assert [s.number for s in read.statements] == ["7", "8"]
    assert [s.account.number for s in read.statements] == ["123456", "123456"]
    assert [e.balanced for e in read.ends] == [True, True]


@pytest.mark.parametrize("line", ["28:1/1", "28C:1", "28C:00001/001", "28:", "21:X"])
def test_group_15_old_short_and_missing_numbers(line: str) -> None:
    content = swift(":61:260115C1,00NTRFA", closing="C260131EUR1,00").replace("28C:1/1", line)
    assert whole(content).ends[0].balanced is True


def test_group_15_a_missing_statement_number_is_noticed() -> None:
    content = page("7", "60F:C260101EUR0,", "62F:C260101EUR0,") + page(
        "9", "60F:C260101EUR0,", "62F:C260101EUR0,"
    )
    assert "jump from 7 to 9" in whole(content).flags


HEADERS = [
    ("", "-"),
    ("", "-}"),
    ("{1:F01ASNBNL21XXXX0000000000}{2:O940ASNBNL21XXXXN}{3:}{4:\r\n", "-}{5:}"),
    ("{1:F01X}{4:", "-}"),
    (":940:\r\n", ""),
    ("ABNANL2A\r\n940\r\nABNANL2A\r\n", "-"),
    ("\x01\r\n", "-\x03"),
    ("0000 01INGBNL2AXXXX00001\r\n940 00\r\n", "-XXX"),
    ("\r\n\r\n", "-\r\n\r\n"),
]


@pytest.mark.parametrize(("before", "after"), HEADERS)
def test_group_16_headers_and_trailers_of_every_kind(before: str, after: str) -> None:
    one = swift(":61:260115C1,00NTRFA", ":86:TEXT", closing="C260131EUR1,00").removesuffix("-\r\n")
    two = one.replace("0000202051", "0000202052")
    read = whole(f"{before}{one}{after}\r\n{before}{two}{after}\r\n")
    assert [s.account.number for s in read.statements] == ["0000202051", "0000202052"]
    assert [e.balanced for e in read.ends] == [True, True]
    assert {e.text for e in read.entries} == {"TEXT"}


def test_group_16_a_statement_of_balances_alone() -> None:
    assert whole(swift()).ends[0].balanced is True


@pytest.mark.parametrize(
    ("field", "number", "bank", "currency"),
    [
        ("12030000/0000202051", "0000202051", "12030000", "EUR"),
        ("NL81ASNB9999999999", "NL81ASNB9999999999", "", "EUR"),
        ("1291.99.348EUR", "1291.99.348", "", "EUR"),
        ("NL71RABO0123456789 EUR", "NL71RABO0123456789", "", "EUR"),
        ("UBRTHUHB/123456789150ABCDEF002/EUR", "123456789150ABCDEF002", "UBRTHUHB", "EUR"),
        ("6222000011112222", "6222000011112222", "", "EUR"),
    ],
)
def test_group_16_account_fields(field: str, number: str, bank: str, currency: str) -> None:
    account = whole(swift(account=field)).statements[0].account
    assert (account.number, account.bank_code, account.currency) == (number, bank, currency)


def test_group_16_a_second_line_of_the_account_is_its_bank_or_its_owner() -> None:
    account = whole(swift(account="123456\r\nDEUTDEFF")).statements[0].account
    assert (account.number, account.bank_code, account.name) == ("123456", "DEUTDEFF", "")
    account = whole(swift(account="123456\r\nSOME GMBH")).statements[0].account
    assert (account.number, account.bank_code, account.name) == ("123456", "", "SOME GMBH")


def text(*lines: str, after: str = "") -> str:
    return swift(":61:260115C1,00NTRFNONREF", *lines, after, closing="C260131EUR1,00").replace(
        "\r\n\r\n", "\r\n"
    )


def test_group_17_german_fields_with_keywords_split_across_lines_and_fields() -> None:
    entry = whole(
        text(
            ":86:166?00GUTSCHRIFT?100399?20EREF+INVOICE-2026-0001-ABCD?21EF MREF+M1 SV",
            "?22WZ+Rechnung 17 vom Jaenner?23 2026 und mehr?30BYLADEMM?31DE99700500000",
            "000012345?32Finanzamt Muenchen Abteilun?33g Erhebung?60 letzter Teil",
        ).replace("SV\r\n?22WZ", "SV?22WZ")
    ).entry
    assert entry.reference == "INVOICE-2026-0001-ABCDEF"
    assert "Rechnung 17 vom Jaenner 2026 und mehr letzter Teil" in entry.text
    assert entry.counterparty.name == "Finanzamt Muenchen Abteilung Erhebung"
    assert entry.counterparty.account == "DE99700500000000012345"
    assert entry.counterparty.bank_code == "BYLADEMM"


def test_group_17_a_german_return_keeps_its_reason() -> None:
    entry = whole(text(":86:109?00RUECKLASTSCHRIFT?20EREF+OURS?21SVWZ+Konto erloschen?34902")).entry
    assert (entry.reference, entry.return_reason) == ("OURS", "902")


def test_group_17_slash_words() -> None:
    entry = whole(
        text(
            ":86:/TRTP/SEPA OVERBOEKING/IBAN/NL20INGB0001234567/BIC/INGBNL2A/NAME/J",
            "ANSEN BV/REMI/FACTUUR 123/EREF/OUR-REF-1",
        )
    ).entry
    party = entry.counterparty
    assert (entry.reference, entry.text) == ("OUR-REF-1", "FACTUUR 123")
    assert (party.name, party.account, party.bank_code) == ("JANSEN BV", "NL20INGB0001234567", "INGBNL2A")


def test_group_17_the_counterparty_word_of_dutch_files() -> None:
    entry = whole(text(":86:/EREF/E1//CNTP/NL20INGB0001234567/INGBNL2A/JANSEN///REMI/USTD//FACTUUR 9/")).entry
    assert (entry.counterparty.name, entry.text, entry.reference) == ("JANSEN", "FACTUUR 9", "E1")


def test_group_17_free_text_keeps_its_words_and_a_pointer_is_no_reference() -> None:
    content = text(":86:PAYMENT FOR", "GOODS 17").replace("NTRFNONREF", "NTRFEREF")
    entry = whole(content).entry
    assert (entry.text, entry.reference) == ("PAYMENT FOR GOODS 17", "")


def test_group_17_clock_times_cut_by_a_line_end_are_not_fields() -> None:
    for time in (":26:37 Uhr", ":20:37 Uhr", ":12:11"):
        assert whole(text(":86:Terminal 12-09-2014T16", time)).entry.text.endswith(f"T16 {time}")


def test_group_17_text_after_the_closing_balance_belongs_to_the_statement() -> None:
    content = text(":86:MINE").replace("\r\n-\r\n", "\r\n:64:C260131EUR1,00\r\n:86:NOT MINE\r\n-\r\n")
    assert whole(content).entry.text == "MINE"


def test_group_17_the_old_ns_field() -> None:
    entry = whole(
        text(":NS:01Purpose one", "02and two", "15Some", "16Body", "3310918001", "340000004279")
    ).entry
    assert entry.text == "Purpose one and two"
    assert (entry.counterparty.name, entry.counterparty.account) == ("Some Body", "0000004279")


def test_group_18_over_long_lines_and_unknown_fields_do_no_harm() -> None:
    read = whole(text(":86:" + "X" * 5000, ":99Z:what is this", ":77E:unknown"))
    assert read.entry.text == "X" * 5000
    assert read.ends[0].balanced is True


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Überweisung Müller Straße", "utf-8"),
        ("Überweisung Müller Straße", "utf-8-sig"),
        ("Überweisung Müller Straße", "iso-8859-1"),
        ("Überweisung Müller – 10 €", "cp1252"),
        ("összevont utánvét átutalás jóváírása", "cp852"),
        ("płatność za usługę, Kraków", "cp852"),
        ("货款 上海直联科技有限公司", "gbk"),
        ("退票 联通", "gbk"),
        ("货款 上海", "utf-8"),
        ("Überweisung", "utf-16"),
    ],
)
def test_group_18_encodings_are_told_apart(words: str, encoding: str) -> None:
    assert whole(text(f":86:{words}").encode(encoding)).entry.text == words


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_group_18_every_line_end(end: str) -> None:
    read = whole(text(":86:A", "B").replace("\r\n", end))
    assert read.entry.text == "A B"
    assert read.ends[0].balanced is True


def test_group_18_stray_bytes_in_a_text_do_not_lose_the_line() -> None:
    raw = text(":86:Überweisung für Grüße").encode() + b"\r\n"
    entry = whole(raw.replace(b"berweisung", b"berwei\x00\x9dsung")).entry
    assert "\x00" not in entry.text
    assert entry.amount == 1


def test_group_18_a_bad_line_is_quarantined_and_the_rest_kept() -> None:
    read = whole(
        swift(
            ":61:260115C1,00NTRFA",
            ":61:garbage",
            ":86:of this line",
            ":61:260115C2,00NTRFB",
            ":86:fine",
            closing="C260131EUR3,00",
        )
    )
    assert read.amounts == [D("1.00"), D("2.00")]
    assert read.entries[0].text == ""
    assert read.entries[1].text == "fine"
    assert read.quarantined[0].raw == ":61:garbage\n:86:of this line"
    assert read.ends[0].balanced is None
    assert "not complete" in read.flags


def test_group_18_a_bad_balance_is_quarantined_and_the_lines_kept() -> None:
    read = whole(swift(":61:260115C1,00NTRFA", opening="X", closing="C260131EUR1,00"))
    assert read.amounts == [D("1.00")]
    assert read.statements[0].opening is None
    assert read.ends[0].balanced is None
    assert read.quarantined


def test_group_18_a_line_after_the_closing_balance_is_set_aside() -> None:
    content = swift(":61:260115C1,00NTRFA", closing="C260131EUR1,00") + ":61:260116C9,00NTRFB\r\n"
    read = whole(content)
    assert read.amounts == [D("1.00")]
    assert "after the closing balance" in read.quarantined[0].reason


def test_a_chinese_bank_number_before_the_account_is_not_part_of_it() -> None:
    found = lines.account("999290200014/9929020200000033", "CNY")
    assert (found.bank_code, found.number) == ("999290200014", "9929020200000033")
