"""The generic list page, tried through the list of accounts."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import openpyxl
import pytest
from django.test import Client

from tests import make
from tests.make import Cast
from treasury.models import Account
from treasury.views.exporting import defused


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    client.force_login(cast.alice)
    return client


def names(html: str) -> list[str]:
    return re.findall(r"<td[^>]*>(?:<a [^>]*>)?(Acct [^<]*)", html)


@pytest.fixture
def many(cast: Cast) -> list[Account]:
    return [make.account(cast.company, f"77{i:08}", "EUR", name=f"Acct {i:03}") for i in range(120)]


def test_pages_follow_each_other_forwards_and_backwards_without_gap_or_repeat(
    alice: Client, many: list[Account]
) -> None:
    url, seen = "/cash/accounts/?currency=EUR&sort=-name", []
    pages = []
    while url:
        html = alice.get(url).content.decode()
        pages.append(url)
        seen += names(html)
        found = re.search(r'rel="next" href="([^"]+)"', html)
        url = "/cash/accounts/" + found.group(1).replace("&amp;", "&") if found else ""
    assert seen == [f"Acct {i:03}" for i in reversed(range(120))]
    assert len(pages) == 3
    back = re.search(r'rel="prev" href="([^"]+)"', alice.get(pages[-1]).content.decode())
    assert back
    second = alice.get("/cash/accounts/" + back.group(1).replace("&amp;", "&")).content.decode()
    assert names(second) == [f"Acct {i:03}" for i in reversed(range(20, 70))]


@pytest.mark.parametrize("place", ["nonsense", "W10", "WyJhIl0", "WyJhIiwgInh5eiJd", "%00"])
def test_a_place_that_nobody_wrote_gives_the_first_page(alice: Client, place: str) -> None:
    assert alice.get(f"/cash/accounts/?after={place}").status_code == 200


def test_a_list_costs_the_same_few_queries_however_many_rows_it_shows(
    alice: Client, many: list[Account], django_assert_max_num_queries: object
) -> None:
    alice.get("/cash/accounts/")
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        alice.get("/cash/accounts/")


def test_what_was_not_granted_is_neither_shown_nor_exported(client: Client, cast: Cast) -> None:
    client.force_login(cast.mallory)
    for kind in ("", "?export=csv", "?export=xlsx"):
        response = client.get(f"/cash/accounts/{kind}")
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"6225000000000001" not in content


def test_csv_holds_all_filtered_rows_and_defuses_formulas(alice: Client, cast: Cast) -> None:
    make.account(cast.company, "88", "EUR", name='=HYPERLINK("http://x","y")')
    response = alice.get("/cash/accounts/?currency=EUR&export=csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:2] == ["Name", "Account number"]
    assert [r[0] for r in rows[1:]] == ['\'=HYPERLINK("http://x","y")']


def test_xlsx_stores_what_looks_like_a_formula_as_text(alice: Client, cast: Cast) -> None:
    make.account(cast.company, "88", "EUR", name="=1+1")
    response = alice.get("/cash/accounts/?currency=EUR&export=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert sheet is not None
    cell = sheet["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("-5.10"), "-5.10"),
        (-5, "-5"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("\t=1", "'\t=1"),
        ("plain", "plain"),
        (None, ""),
    ],
)
def test_only_text_is_defused(value: object, written: str) -> None:
    assert defused(value) == written


def test_a_filter_that_cannot_be_read_shows_the_fault_and_no_rows(alice: Client) -> None:
    html = alice.get("/cash/accounts/?company=NOPE").content.decode()
    assert "Select a valid choice" in html
    assert "6225000000000001" not in html


def test_a_page_without_rows_says_why(alice: Client) -> None:
    assert "Nothing matches these filters." in alice.get("/cash/accounts/?currency=XXX").content.decode()
