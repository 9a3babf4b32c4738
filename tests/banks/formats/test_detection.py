"""Telling files by content, zip archives, and looking at files from the command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from banks import formats
from banks.formats import ForbiddenContentError, UnreadableError
from tests.banks.formats.build import camt, ntry, stmt, swift, whole

ROOT = Path(__file__).parents[3]


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n  \r\n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (packed(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<x/>")), "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "log-in"),
        (b"<HTML><body>503</body></HTML>", "web page"),
        (b'{"error": "no"}', "JSON"),
        (b"date;amount;text\r\n2026-01-01;1,00;x", "CSV"),
        (b"-----BEGIN PGP MESSAGE-----", "Decrypt"),
        (b"<Document><CstmrCdtTrfInitn/></Document>", "CstmrCdtTrfInitn"),
        (b"Dear customer", "Dear customer"),
        (bytes(range(1, 200)), "not a statement format"),
    ],
)
def test_what_is_no_statement_is_called_by_its_name(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        whole(content)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (camt(stmt()), "camt.053"),
        (camt(stmt(), root="BkToCstmrAcctRpt"), "camt.052"),
        (camt(stmt(), root="n:BkToCstmrDbtCdtNtfctn"), "camt.054"),
        (swift(), "mt940"),
        (":20:X\r\n:25:1\r\n:34F:EUR0,\r\n:13D:2601011200+0000\r\n", "mt942"),
    ],
)
def test_formats_are_told_by_content(content: str, name: str) -> None:
    assert formats.detect(content.encode()) == name
    assert name in formats.FORMATS


@pytest.mark.parametrize("name", ["camt.053", "CAMT053", "camt_053", "camt.053.001.08"])
def test_format_names_are_taken_in_any_spelling(name: str) -> None:
    assert formats.canonical(name) == "camt.053"


def test_an_unknown_format_name_lists_the_known_ones() -> None:
    with pytest.raises(UnreadableError, match=r"camt\.052"):
        whole(swift(), "fax")


def test_archives_that_inflate_nest_or_are_damaged_are_refused() -> None:
    with pytest.raises(ForbiddenContentError, match="unpack to"):
        whole(packed(("bomb.xml", b"0" * (64 << 20))))
    with pytest.raises(UnreadableError, match="archive inside an archive"):
        whole(packed(("in.zip", packed(("a.sta", swift().encode())))))
    with pytest.raises(UnreadableError, match="damaged"):
        whole(packed(("a.sta", swift().encode()))[:-30])
    with pytest.raises(UnreadableError, match="no statement"):
        whole(packed(("a.pdf", b"%PDF")))


def test_a_zip_from_a_pipe_is_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    content = packed(
        ("a.sta", swift(":61:260115C1,00NTRFA").encode()), ("b.xml", camt(stmt(ntry())).encode())
    )
    assert len(list(formats.read(Pipe(content)))) == 6


def test_the_command_needs_no_database_and_tells_by_its_exit_status(tmp_path: Path) -> None:
    good, odd, bad = tmp_path / "good.sta", tmp_path / "odd.xml", tmp_path / "bad.txt"
    good.write_text(swift(":61:260115C1,00NTRFA", closing="C260131EUR1,00"))
    odd.write_text(camt(stmt(ntry("1.00"), closing="5.00")))
    bad.write_text("%PDF")

    def run(*files: Path) -> tuple[int, list[dict[str, object]]]:
        done = subprocess.run(
            [sys.executable, "manage.py", "inspect_statement", *map(str, files)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "PATH": "/usr/bin", "LANG": "C.UTF-8"},
        )
        assert done.stdout, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    status, (report,) = run(good)
    assert status == 0
    assert set(report) == {"file", "format", "statements", "quarantined", "error"}
    assert report["format"] == "mt940"
    status, reports = run(good, odd)
    assert status == 1
    assert reports[1]["statements"][0]["balanced"] is False  # type: ignore[index]
    status, reports = run(good, odd, bad)
    assert (status, len(reports)) == (2, 3)
    assert "PDF" in str(reports[2]["error"])
