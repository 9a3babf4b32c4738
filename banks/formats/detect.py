"""Telling what a file is from its first bytes; its name and extension are not asked.

Also says in plain words what a file looks like when it is no statement, since the usual mistakes
(a PDF, a spreadsheet, the bank's log-in page) are easily put right.
"""

from __future__ import annotations

import codecs
import re

from banks.formats.errors import ForbiddenContentError, UnreadableError

HEAD = 1 << 16
"""How many bytes `detect` wants to see."""

_CAMT = re.compile(r"<(?:[\w.-]+:)?BkToCstmr(AcctRpt|Stmt|DbtCdtNtfctn)")
_CAMT_NAMES = {"AcctRpt": "camt.052", "Stmt": "camt.053", "DbtCdtNtfctn": "camt.054"}
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_SWIFT = re.compile(r"(?:^|[\r\n]|\{4:)[ \t]?:(20|21|25P?|28C?|34F|60[FM]|61|62[FM]|64|86|90[CD]|NS):")
_OPENING = re.compile(r"[\r\n][ \t]?:60[FM]:")
_INTRADAY = re.compile(r"[\r\n][ \t]?:(34F|13D|90[CD]):")

_SIGNATURES = (
    (b"%PDF", "a PDF document", "Ask the bank for the statement as camt.053 or MT940."),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Export the statement as camt.053 or MT940."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\x89PNG", "a picture", "Ask the bank for the statement as camt.053 or MT940."),
    (b"\xff\xd8\xff", "a picture", "Ask the bank for the statement as camt.053 or MT940."),
    (b"-----BEGIN PGP", "a PGP-encrypted file", "Decrypt it first."),
)
_TEXTS = (
    (re.compile(r"(OFXHEADER|<OFX>)"), "an OFX file"),
    (re.compile(r"01,[^\r\n]*/"), "a BAI2 file"),
    (re.compile(r"0[147][0-9 ]{5}"), "a CFONB file"),
    (re.compile(r"101 [0-9 ]{9}"), "a NACHA file"),
    (re.compile(r"!Type:"), "a QIF file"),
    (re.compile(r"[\[{]\s*[\"{\[]"), "a JSON document"),
    (re.compile(r"[^\r\n]*([;,\t])[^\r\n]*\1"), "a table of separated values (CSV)"),
)


def detect(head: bytes) -> str:
    """The format of a file that begins with `head`: a name in `FORMATS`, or "zip".

    Raises `UnreadableError` naming what the file looks like and what to do.
    """
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise UnreadableError("The file is empty. Download it again.")
    if head.startswith(b"PK\x03\x04"):
        return _zip(head)
    _refuse_known(head)
    text = _text(head)
    if text.startswith("<"):
        return _xml(text)
    if _SWIFT.search(text):
        return "mt942" if _INTRADAY.search(text) and not _OPENING.search(text) else "mt940"
    if found := _CAMT.search(text):
        return _CAMT_NAMES[found.group(1)]
    for pattern, what in _TEXTS:
        if pattern.match(text):
            raise UnreadableError(
                f"This looks like {what}, which is not read here. Ask for camt.053 or MT940."
            )
    start = " ".join(text[:40].split())
    raise UnreadableError(
        f"This is not a statement format known here (it begins with “{start}”). "
        "camt.052, camt.053, camt.054, MT940 and MT942 are read."
    )


def _refuse_known(head: bytes) -> None:
    """Raise for files whose first bytes say that they are something else."""
    if head.startswith(b"PK\x05\x06"):
        raise UnreadableError("The zip archive is empty. Download it again.")
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            raise UnreadableError(f"This is {what}, not a bank statement file. {advice}")


def _refuse_text(text: str) -> None:
    for pattern, what in _TEXTS:
        if pattern.match(text):
            raise UnreadableError(
                f"This looks like {what}, which is not read here. Ask for camt.053 or MT940."
            )


def _zip(head: bytes) -> str:
    for part, what in ((b"xl/", "an Excel workbook"), (b"word/", "a Word document")):
        if part in head or (b"[Content_Types].xml" in head and part == b"xl/"):
            raise UnreadableError(
                f"This is {what} (.xlsx or .docx), not a bank statement file. "
                "Ask the bank for the statement as camt.053 or MT940."
            )
    return "zip"


def _text(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace").lstrip("\ufeff \t\r\n\x00")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1").lstrip(" \t\r\n\x00\x01")


def _xml(text: str) -> str:
    low = text[:2000].lower()
    if "<html" in low or "<!doctype html" in low:
        raise UnreadableError(
            "This is a web page (HTML), probably the bank's log-in or error page, not a statement. "
            "Sign in to the bank and download the file again."
        )
    if "<!doctype" in low or "<!entity" in low:
        raise ForbiddenContentError(
            "The XML declares a document type (DOCTYPE), which no bank statement needs and which can "
            "carry attacks: the file is refused. Ask the bank for one without it."
        )
    if found := _CAMT.search(text):
        return _CAMT_NAMES[found.group(1)]
    names = [name for name in _ROOT.findall(text)[:3] if name != "Document"]
    what = names[0] if names else "no element"
    if what == "OFX":
        raise UnreadableError("This is an OFX file, which is not read here. Ask for camt.053 or MT940.")
    raise UnreadableError(
        f"This XML is a “{what}”, not a camt.052, camt.053 or camt.054 statement. "
        "Check that it is the statement and not, for example, a payment file or a status report."
    )
