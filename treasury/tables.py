"""Tables people upload: CSV or XLSX bytes into rows of text, headers found by their names.

Pure reading; what a cell means is the caller's rule. Dates and numbers of a workbook arrive as
text that `read_date` and `money.parse` take. Refused rather than guessed: unreadable encodings,
workbooks that unpack to far more than they weigh, XML with a document type, unclear dates.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

ROW_LIMIT = 50_000
UNPACKED_LIMIT = 200 * 1024 * 1024
COLUMN_LIMIT = 256
SHEET_ROWS = 1_048_576
"""The rows a spreadsheet has; a row number beyond them is made up."""


class TableError(Exception):
    """The file cannot be read as a table; the text says why and what to upload instead."""

    code = "treasury.unreadable_table"


@dataclass(frozen=True, slots=True)
class Row:
    """One line below the header. `number` is the line as a spreadsheet counts it, from 1."""

    number: int
    cells: tuple[str, ...]

    def get(self, column: int | None) -> str:
        """The cell, "" when the column is absent or the row is short."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    headers: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row. `cause` groups equal mistakes; `text` says all about this one."""

    row: int
    cause: str
    text: str


def grouped(problems: Iterable[Problem]) -> list[tuple[str, list[Problem]]]:
    """Problems by cause, the most frequent cause first."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.cause, []).append(problem)
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def read_table(*, name: str, content: bytes) -> Table:
    """The first sheet of a workbook, or a CSV file in UTF-8 or GB18030. Raises TableError."""
    if not content:
        raise TableError(
            _("%(file)s is empty. Upload a CSV or XLSX file with a header line.") % {"file": name}
        )
    _refuse_no_table(name, content)
    if content[:4] == b"PK\x03\x04":
        filled = _workbook(name, content)
    else:
        lines = enumerate(_separated(name, content), start=1)
        filled = [(n, cells) for n, cells in lines if any(cells)]
    if not filled:
        raise TableError(_("%(file)s has no lines. The first line must name the columns.") % {"file": name})
    if len(filled) - 1 > ROW_LIMIT:
        raise TableError(
            _("%(file)s has more than %(limit)d rows. Split it into smaller files.")
            % {"file": name, "limit": ROW_LIMIT}
        )
    return Table(headers=filled[0][1], rows=tuple(Row(n, cells) for n, cells in filled[1:]))


def _refuse_no_table(name: str, content: bytes) -> None:
    """Raises TableError for what starts like another kind of file."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"%pdf"):
        raise TableError(_("%(file)s is a PDF document. Upload the table as CSV or XLSX.") % {"file": name})
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise TableError(
            _("%(file)s is a web page or an XML document. Upload the table as CSV or XLSX.") % {"file": name}
        )
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError(
            _("%(file)s is a workbook of the old XLS kind. Save it as XLSX and upload it again.")
            % {"file": name}
        )


def find_columns(
    table: Table, names: Mapping[str, Sequence[str]], *, required: Iterable[str], file: str
) -> dict[str, int]:
    """Column index by field, headers compared without case, spaces and underscores.

    Raises TableError naming every required column that is missing and how it may be called.
    """
    seen = {_folded(header): n for n, header in reversed(list(enumerate(table.headers)))}
    found = {
        key: next(seen[_folded(alias)] for alias in aliases if _folded(alias) in seen)
        for key, aliases in names.items()
        if any(_folded(alias) in seen for alias in aliases)
    }
    missing = [" / ".join(names[key][:2]) for key in required if key not in found]
    if missing:
        raise TableError(
            _("%(file)s has no column %(columns)s. Name the columns in the first line.")
            % {"file": file, "columns": "; ".join(missing)}
        )
    return found


_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|(\d{2})(\d{2})|年(\d{1,2})月(\d{1,2})日)"
)


def read_date(text: str) -> date:
    """2026-11-24, 2026/11/24, 20261124 or 2026年11月24日. Raises ValueError for anything else."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            _("%(text)s is not a date that can be read in one way only. Write it like 2026-11-24.")
            % {"text": repr(text)}
        )
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(_("%(text)s is not a day of the calendar.") % {"text": repr(text)}) from error


def _folded(header: str) -> str:
    return re.sub(r"[\s_\-]+", "", header).casefold()


def _separated(name: str, content: bytes) -> list[tuple[str, ...]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise TableError(
            _("%(file)s is neither UTF-8 nor GB18030 text. Save it as CSV (UTF-8) and upload it again.")
            % {"file": name}
        )
    if "\x00" in text:
        raise TableError(_("%(file)s is not a text file. Upload a CSV or XLSX file.") % {"file": name})
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        return [
            tuple(cell.strip() for cell in line)
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise TableError(
            _("%(file)s breaks off or has a stray quote: %(error)s. Save it as CSV again.")
            % {"file": name, "error": error}
        ) from error


def _workbook(name: str, content: bytes) -> list[tuple[int, tuple[str, ...]]]:
    """The rows that hold something, with their numbers; what a sheet says of its size is not believed."""
    from openpyxl import load_workbook

    refused = _("%(file)s cannot be read as a workbook. Save it as XLSX or CSV and upload it again.") % {
        "file": name
    }
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNPACKED_LIMIT:
                raise TableError(_("%(file)s unpacks to more than 200 MB. Split it.") % {"file": name})
            for member in archive.namelist():
                with archive.open(member) as part:
                    if b"<!DOCTYPE" in part.read(2048):
                        raise TableError(refused)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            lines = sheet.iter_rows(max_row=SHEET_ROWS, max_col=COLUMN_LIMIT, values_only=True)
            texts = (
                (n, _texts(line)) for n, line in enumerate(lines, start=1) if line.count(None) < len(line)
            )
            return list(islice((row for row in texts if row[1]), ROW_LIMIT + 2))
        finally:
            book.close()
    except TableError:
        raise
    except Exception as error:
        raise TableError(refused) from error


def _texts(line: Sequence[Any]) -> tuple[str, ...]:
    """The cells as text, without the empty ones at the end."""
    cells = [_text(value) for value in line]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return str(value).strip()
