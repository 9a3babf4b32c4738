"""Converting amounts at what was known on a day, and taking rate files in."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from tests.make import Cast
from treasury.models import AuditEvent, ExchangeRate
from treasury.money import MoneyError
from treasury.services import rates
from treasury.services.access import AccessDeniedError
from treasury.tables import TableError

DAY = date(2026, 11, 24)


def rate(currency: str, quote: str, value: str, on: date = DAY) -> None:
    ExchangeRate.objects.create(currency=currency, quote=quote, rate=Decimal(value), on=on)


def converted(amount: str, currency: str, to: str, on: date = DAY) -> Decimal:
    return rates.convert(amount=Decimal(amount), currency=currency, to=to, on=on)


@pytest.mark.django_db
def test_the_latest_rate_on_or_before_the_day_is_used() -> None:
    rate("USD", "CNY", "7.00", date(2026, 11, 1))
    rate("USD", "CNY", "7.10", date(2026, 11, 20))
    rate("USD", "CNY", "7.20", date(2026, 11, 25))
    assert converted("100", "USD", "CNY") == Decimal("710.00")
    assert converted("100", "USD", "CNY", date(2026, 11, 19)) == Decimal("700.00")


@pytest.mark.django_db
def test_the_inverse_serves_when_the_pair_itself_is_unknown() -> None:
    rate("USD", "CNY", "7.10")
    assert converted("710", "CNY", "USD") == Decimal("100.00")


@pytest.mark.django_db
def test_a_newer_inverse_beats_an_older_direct_rate() -> None:
    rate("USD", "CNY", "7.00", date(2026, 1, 1))
    rate("CNY", "USD", "0.125", date(2026, 11, 1))
    assert converted("1", "USD", "CNY") == Decimal("8.00")


@pytest.mark.django_db
def test_one_common_quote_currency_joins_two_others() -> None:
    rate("USD", "CNY", "7.2")
    rate("JPY", "CNY", "0.048")
    assert converted("10", "USD", "JPY") == Decimal("1500")
    assert rates.find_path(currency="USD", to="JPY", on=DAY).through == ("CNY",)


@pytest.mark.django_db
def test_rounding_is_half_even_at_the_target_minor_unit() -> None:
    rate("USD", "CNY", "0.005")
    assert [converted(n, "USD", "CNY") for n in ("1", "3", "-1")] == [Decimal("0.00"), Decimal("0.02"), 0]
    rate("KWD", "JPY", "0.5")
    assert converted("5", "KWD", "JPY") == Decimal("2")


@pytest.mark.django_db
def test_a_missing_rate_names_pair_day_and_next_step() -> None:
    rate("USD", "CNY", "7.2", date(2026, 12, 1))
    with pytest.raises(rates.NoRateError, match=r"USD to CNY on or before 2026-11-24.*import_rates"):
        converted("1", "USD", "CNY")
    with pytest.raises(MoneyError, match="XXX"):
        converted("1", "USD", "XXX")


@given(st.fractions(min_value=-(10**12), max_value=10**12), st.sampled_from(["JPY", "CNY", "KWD"]))
def test_rounding_never_moves_an_amount_by_more_than_half_a_minor_unit(exact: Fraction, code: str) -> None:
    written = rates.rounded(exact, code)
    assert abs(Fraction(written) - exact) <= Fraction(1, 2 * 10 ** rates.money.minor_units(code))


GOOD = "日期,币种,折算币种,汇率\n2026-11-24,USD,CNY,7.1234\n2026/11/24,EUR,CNY,8.2\n20261124,jpy,cny,0.048\n"


def test_a_rate_file_is_taken_in_once(cast: Cast, now: datetime) -> None:
    first = rates.import_rates(name="rates.csv", content=GOOD.encode("gb18030"), by=cast.carol, at=now)
    again = rates.import_rates(name="rates.csv", content=GOOD.encode(), by=cast.carol, at=now)
    assert (first.added, again.added, again.unchanged) == (3, 0, 3)
    assert AuditEvent.objects.filter(action="treasury.rates_imported").count() == 1


def test_a_corrected_rate_is_replaced_and_audited(cast: Cast, now: datetime) -> None:
    rates.import_rates(name="a.csv", content=GOOD.encode(), by=None, at=now)
    changed = GOOD.replace("8.2", "8.3").encode()
    assert rates.import_rates(name="b.csv", content=changed, by=None, at=now).corrected == 1
    assert ExchangeRate.objects.get(currency="EUR").rate == Decimal("8.3")
    detail = AuditEvent.objects.filter(action="treasury.rates_imported").latest("id").detail
    assert "8.2000000000" in detail
    assert "8.3" in detail


def test_every_wrong_row_is_named_and_nothing_is_stored(cast: Cast, now: datetime) -> None:
    bad = GOOD + "2026-13-01,USD,CNY,7\n2026-11-25,USX,CNY,7\n2026-11-25,USD,USD,1\n2026-11-25,USD,CNY,-1\n"
    bad += "03/04/2026,USD,CNY,7\n2026-11-24,USD,CNY,9\n2026-11-25,USD,CNY,NaN\n"
    with pytest.raises(rates.RatesRefusedError) as caught:
        rates.import_rates(name="bad.csv", content=bad.encode(), by=cast.carol, at=now)
    assert [problem.row for problem in caught.value.problems] == [5, 6, 7, 8, 9, 10, 11]
    assert not ExchangeRate.objects.exists()


def test_a_workbook_is_read_like_a_csv(cast: Cast, now: datetime) -> None:
    book = Workbook()
    book.active.append(["date", "currency", "quote", "rate"])
    book.active.append([datetime(2026, 11, 24), "USD", "CNY", 7.1234])  # noqa: DTZ001
    file = io.BytesIO()
    book.save(file)
    assert rates.import_rates(name="r.xlsx", content=file.getvalue(), by=None, at=now).added == 1
    assert ExchangeRate.objects.get().rate == Decimal("7.1234")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"date,currency\n2026-11-24,USD\n", "no column quote"),
        (b"PK\x03\x04garbage", "cannot be read as a workbook"),
        (b"\xff\xfe\x00\x01", "UTF-8"),
        (b"date,currency,quote,rate\n", "no rows"),
    ],
)
def test_a_file_that_is_no_table_says_what_to_do(
    cast: Cast, now: datetime, content: bytes, says: str
) -> None:
    with pytest.raises(TableError, match=says):
        rates.import_rates(name="x.csv", content=content, by=None, at=now)


def test_a_clerk_may_not_import_rates(cast: Cast, now: datetime) -> None:
    with pytest.raises(AccessDeniedError):
        rates.import_rates(name="r.csv", content=GOOD.encode(), by=cast.alice, at=now)


@pytest.mark.django_db
def test_the_command_imports_good_files_and_fails_on_bad_ones(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("USD", "USX"))
    out, errors = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_rates", good, bad, tmp_path / "none.csv", stdout=out, stderr=errors)
    assert "3 added" in out.getvalue()
    assert "row 2" in errors.getvalue()
    assert "none.csv" in errors.getvalue()
