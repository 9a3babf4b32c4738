"""Lists as files: CSV streamed row by row, XLSX written to disk first and then streamed.

Text that a spreadsheet would run as a formula (it begins with = + - @ or a control character) is
defused in CSV by an apostrophe and stored in XLSX as text. Amounts stay exact: XLSX numbers carry
15 digits, so a longer amount is written as text.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from treasury.views.columns import Column

XLSX_ROWS = 1_048_575
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TooManyRowsError(Exception):
    """The list is longer than a sheet; the text says what to do instead."""

    code = "treasury.export_too_long"

    def __init__(self) -> None:
        super().__init__(
            _("A sheet holds %(most)s rows and this list has more. Narrow the filters or export CSV.")
            % {"most": f"{XLSX_ROWS:,}"}
        )


def defused(value: Any) -> str:
    """`value` for a CSV cell, so that no spreadsheet takes text for a formula."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    if not isinstance(value, int | date) and text.startswith(DANGEROUS):
        return "'" + text
    return text


def csv_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[bytes]:
    """The file piece by piece, with a byte order mark so that Excel reads it as UTF-8."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([str(c.label) for c in columns])
    yield b"\xef\xbb\xbf" + buffer.getvalue().encode()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([defused(c.exported(row)) for c in columns])
        yield buffer.getvalue().encode()


def as_csv(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponseBase:
    response = StreamingHttpResponse(csv_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def as_xlsx(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponseBase:
    """Raises TooManyRowsError beyond what one sheet holds."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_text_cell(sheet, str(c.label)) for c in columns])
    for number, row in enumerate(rows, start=1):
        if number > XLSX_ROWS:
            raise TooManyRowsError
        sheet.append([_cell(sheet, c.exported(row)) for c in columns])
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, Decimal):
        if len(value.normalize().as_tuple().digits) > 15:
            return _text_cell(sheet, f"{value:f}")
        cell = WriteOnlyCell(sheet, value=value)
        cell.number_format = "#,##0.00###"
        return cell
    return _text_cell(sheet, value) if isinstance(value, str) else value


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("�", text)[:32767])
    cell.data_type = "s"
    return cell
