"""Tables people upload: what is no table is named for what it is, and none takes more than it holds."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
from openpyxl import Workbook

from treasury.tables import ROW_LIMIT, TableError, read_table


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"%PDF-1.7\n1 0 obj", "PDF document"),
        (b"\n <!DOCTYPE html><html></html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "XML document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old XLS"),
        (b"", "is empty"),
        ("付款,金额".encode("utf-16"), "neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_its_kind(content: bytes, named: str) -> None:
    with pytest.raises(TableError, match=named):
        read_table(name="file", content=content)


def workbook(xml: str) -> bytes:
    """A workbook whose sheet is this XML."""
    plain = io.BytesIO()
    Workbook().save(plain)
    made = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, xml if name.endswith("sheet1.xml") else old.read(name))
    return made.getvalue()


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def sheet(*rows: str, dimension: str) -> bytes:
    return workbook(
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{"".join(rows)}</sheetData></worksheet>'
    )


@pytest.mark.parametrize("last", ["1048576", "99999999999"])
def test_a_sheet_that_claims_to_be_huge_is_read_for_what_it_holds(last: str) -> None:
    rows = (
        f'<row r="1">{cell("A1", "payee")}{cell("B1", "amount")}</row>',
        f'<row r="2">{cell("A2", "X")}{cell("XFD2", "far")}</row>',
        f'<row r="{last}"/>',
    )
    began = time.monotonic()
    table = read_table(name="p.xlsx", content=sheet(*rows, dimension=f"A1:XFD{last}"))
    assert time.monotonic() - began < 20
    assert table.headers == ("payee", "amount")
    assert [(row.number, row.cells) for row in table.rows] == [(2, ("X",))]


def test_more_rows_than_allowed_are_refused_without_reading_them_all() -> None:
    rows = [f'<row r="{n}">{cell(f"A{n}", "x")}</row>' for n in range(1, ROW_LIMIT + 100)]
    with pytest.raises(TableError, match="more than"):
        read_table(name="p.xlsx", content=sheet(*rows, dimension="A1"))
