"""Reading camt.052/053/054 of any version and namespace, one pass, in flat memory.

The parser is the standard library's expat, fed in pieces: it never resolves anything outside the
file, and the first sign of a document type stops the reading. Finding statements and entries in
the stream is the business here; what an element means is `extract.py`'s.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from banks.formats.camt import extract
from banks.formats.camt.extract import BadEntryError, Element
from banks.formats.errors import ForbiddenContentError, UnreadableError
from banks.formats.tally import Reversals, Tally
from banks.messages import DatedAmount, Quarantined, StatementEvent, StatementStart

_CHUNK = 1 << 16
_RAW_AT_MOST = 1 << 18
_DEEPEST = 60
_STATEMENTS = {"Stmt": False, "Rpt": True, "Ntfctn": True}
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_ENCODINGS = re.compile(
    r"(iso-?8859|windows-125|cp125|cp85|cp437|gb|big5|shift|euc|us-ascii|ascii|latin|utf-?16)"
)
_CONTROL = bytes(b for b in range(32) if b not in b"\t\n\r")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(bytes([b]).decode("cp1252", "replace") for b in bad), error.end


codecs.register_error("stray-cp1252", _as_cp1252)


def read(stream: BinaryIO, *, reversals: Reversals = "balance") -> Iterator[StatementEvent]:
    """Read a camt file as statement events.

    `reversals` overrides how entries marked as reversals are signed for a bank that is known to
    mean it one way. Raises `UnreadableError` (also after some events were given) and
    `ForbiddenContentError`.
    """
    found = False
    for event in _Reader(reversals).events(stream):
        found = True
        yield event
    if not found:
        raise UnreadableError(
            "The camt message holds no statement (no Stmt, Rpt or Ntfctn in it). "
            "Ask the bank for the file again."
        )


class _Names(dict[str, str]):
    """Element name to local name: namespace prefixes are whatever a bank likes."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(":")[2] if len(self) < 5000 else name
        return local


class _Reader:
    """One file being read: the stack of open elements, and the statement in hand."""

    def __init__(self, reversals: Reversals) -> None:
        self.reversals = reversals
        self.out: deque[StatementEvent] = deque()
        self.names = _Names()
        self.root = 0
        self.root_name = ""
        self.group: Element = {}
        self.head: Element = {}
        self.tally: Tally | None = None
        self.started = False
        self.intraday = False
        self.account = extract.account(None)
        self.position = 0
        self.sequences: dict[tuple[str, str | None], int] = {}
        self.entry_at = -1
        self.entry_line = 0
        self.ntries = 0
        self.kept = b""
        self.offset = 0

    # ── bytes in ──────────────────────────────────────────────────────────────

    def events(self, stream: BinaryIO) -> Iterator[StatementEvent]:
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        self._handlers(parser)
        try:
            for chunk in _utf8(stream):
                self._feed(chunk, False)
                while self.out:
                    yield self.out.popleft()
            self._feed(b"", True)
        except expat.ExpatError as error:
            raise UnreadableError(
                f"The XML breaks off or is not well-formed at line {error.lineno}, column {error.offset} "
                f"({expat.ErrorString(error.code)}). Ask the bank for the file again."
            ) from error
        yield from self.out
        if not self.root:
            raise UnreadableError(
                f"This XML is a “{self.root_name}”, not a camt.052, 053 or 054 bank statement."
            )

    def _feed(self, chunk: bytes, last: bool) -> None:
        self.kept += chunk
        self.parser.Parse(chunk, last)
        used = len(self.kept)
        if self.entry_at >= 0 and (since := self.entry_at - self.offset) >= 0:
            used = since if len(self.kept) - since <= _RAW_AT_MOST else len(self.kept)
        self.kept = self.kept[used:]
        self.offset += used

    def _handlers(self, parser: expat.XMLParserType) -> None:  # noqa: C901  the hot loop, kept in one place
        stack: list[Element] = []
        words: list[str] = []
        names = self.names
        current: Element = {}
        detail = extract.detail

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal current
            stack.append(current)
            current = {"@": attributes} if attributes else {}
            if words:
                words.clear()
            depth = len(stack)
            if depth <= self.root + 2 or not self.root or depth > _DEEPEST:
                self._opened(names[name], depth, stack[-1])

        def end(name: str) -> None:
            nonlocal current
            local = names[name]
            value: Any = current
            current = stack.pop()
            if not value:
                value = "".join(words).strip()
            elif len(value) == 1 and "@" in value:
                value["#"] = "".join(words).strip()
            words.clear()
            depth = len(stack) + 1
            if depth <= self.root + 2 and self._closed(local, depth, value):
                return
            if local == "TxDtls" and type(value) is dict:
                value = detail(value, stack[-1], self.account.number)
            before = current.get(local)
            if before is None:
                current[local] = value
            elif type(before) is list:
                before.append(value)
            else:
                current[local] = [before, value]

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = words.append
        parser.StartDoctypeDeclHandler = _refuse

    # ── elements ──────────────────────────────────────────────────────────────

    def _opened(self, local: str, depth: int, parent: Element) -> None:
        if depth > _DEEPEST:
            raise ForbiddenContentError("The XML is nested deeper than any statement: it is refused.")
        if not self.root:
            self.root_name = self.root_name if self.root_name not in ("", "Document") else local
            if local.startswith("BkToCstmr"):
                self.root = depth
        elif depth == self.root + 1 and local in _STATEMENTS:
            self.intraday = _STATEMENTS[local]
            self.tally, self.started, self.ntries = None, False, 0
        elif depth == self.root + 2 and local == "Ntry":
            self.entry_at = self.parser.CurrentByteIndex
            self.entry_line = self.parser.CurrentLineNumber
            if not self.started:
                self._begin(parent)

    def _closed(self, local: str, depth: int, value: Any) -> bool:
        """Act on the end of a statement, an entry or the group header; True if it is used up."""
        if depth == self.root + 2 and local == "Ntry":
            self._entry(value if type(value) is dict else {})
            self.entry_at = -1
            return True
        if depth == self.root + 1:
            if local == "GrpHdr":
                self.group = value if type(value) is dict else {}
            elif local in _STATEMENTS:
                self._end(value if type(value) is dict else {})
            return True
        return False

    def _begin(self, head: Element) -> None:
        if self.started:
            return
        self.started = True
        self.account = extract.account(extract.one(head, "Acct"))
        currency = self.account.currency or _balance_currency(head)
        self.tally = Tally(currency, self.reversals)
        opening, _, _ = _ends(head, currency)
        self.out.append(
            StatementStart(
                account=self.account,
                currency=currency,
                number=extract.text(head, "Id"),
                opening=opening,
                intraday=self.intraday,
            )
        )

    def _entry(self, element: Element) -> None:
        tally = self.tally
        assert tally is not None  # noqa: S101  _begin made it
        self.ntries += 1
        notes: list[str] = []
        try:
            found = extract.entries(
                element, self.account.number, self.position + 1, notes, tally.currency or ""
            )
        except BadEntryError as error:
            self.position += 1
            tally.quarantined += 1
            reason = f"entry {self.position} at line {self.entry_line}: {error}"
            self.out.append(Quarantined(position=self.position, raw=self._raw(), reason=reason))
            return
        self.position += len(found)
        for note in notes:
            tally.flag(note)
        take, out = tally.take, self.out
        for entry in found:
            out.extend(take(entry, entry.reversal))

    def _raw(self) -> str:
        begin = self.entry_at - self.offset
        if begin < 0:
            return ""
        raw = self.kept[begin : self.parser.CurrentByteIndex - self.offset]
        return raw.decode("utf-8", "replace") + "</Ntry>"

    def _end(self, head: Element) -> None:
        self._begin(head)
        tally = self.tally
        assert tally is not None  # noqa: S101  _begin made it
        currency = self.account.currency or _balance_currency(head) or tally.currency
        opening, closing, odd = _ends(head, currency)
        for sentence in odd:
            tally.flag(sentence)
        if not self.account.number:
            tally.flag("the statement names no account")
        partial = self._pages(head, tally) or self.intraday
        self._sequence(head, tally)
        _count(head, self.ntries, tally)
        self.out.extend(tally.settle(opening, closing))
        self.out.append(tally.end(opening=opening, closing=closing, partial=partial, currency=currency))

    def _pages(self, head: Element, tally: Tally) -> bool:
        if copy := extract.text(head, "CpyDplctInd"):
            words = {"COPY": "a copy", "DUPL": "a duplicate", "CODU": "a copy of a duplicate"}
            tally.flag(f"the bank marks this statement as {words.get(copy, copy)}")
        pages = (
            extract.one(head, "StmtPgntn")
            or extract.one(head, "RptPgntn")
            or extract.one(head, "NtfctnPgntn")
        )
        pages = pages or extract.one(self.group, "MsgPgntn")
        number, last = extract.text(pages, "PgNb"), extract.text(pages, "LastPgInd")
        if not number or (number.lstrip("0") == "1" and last in ("true", "1")):
            return False
        rest = "the last one" if last in ("true", "1") else "more follow"
        tally.flag(f"this is page {number} of a longer statement, {rest}")
        return True

    def _sequence(self, head: Element, tally: Tally) -> None:
        word = extract.text(head, "ElctrncSeqNb") or extract.text(head, "LglSeqNb")
        if not word.isdecimal() or len(word) > 18:
            return
        key = (self.account.number, tally.currency)
        before = self.sequences.get(key)
        if before is not None and int(word) > before + 1:
            tally.flag(f"statement numbers jump from {before} to {int(word)}: one or more are missing")
        self.sequences[key] = int(word)


def _refuse(*_: object) -> None:
    raise ForbiddenContentError(
        "The XML declares a document type (DOCTYPE), which no bank statement needs and which can carry "
        "attacks: the file is refused. Ask the bank for one without it."
    )


def _count(head: Element, ntries: int, tally: Tally) -> None:
    said = extract.text(head, "TxsSummry", "TtlNtries", "NbOfNtries")
    if said.isdecimal() and len(said) < 19 and int(said) not in (ntries, tally.count + tally.quarantined):
        tally.flag(f"the bank counts {int(said)} entries, the file holds {ntries}")


def _balance_currency(head: Element) -> str | None:
    for wanted in (("OPBD", "PRCD", "CLBD", "ITBD"), ()):
        for item in extract.many(head, "Bal"):
            kind = extract.text(item, "Tp", "CdOrPrtry", "Cd") or extract.text(item, "Tp", "Cd")
            amount = extract.one(item, "Amt")
            if (not wanted or kind in wanted) and type(amount) is dict and amount["@"].get("Ccy"):
                return str(amount["@"]["Ccy"])
    return None


def _ends(head: Element, currency: str | None) -> tuple[DatedAmount | None, DatedAmount | None, list[str]]:
    """Opening and closing booked balance, and what is odd about the balances.

    A page in the middle opens and closes with interim balances; a missing opening is the
    previous day's closing.
    """
    found = extract.balances(head, currency)
    odd = []
    if "OTHER" in found:
        odd.append(f"{len(found['OTHER'])} balance(s) are not in {currency} and were left aside")
    if "BAD" in found:
        odd.append(f"{len(found['BAD'])} balance(s) could not be read")
    interim = found.get("ITBD", [])
    opening = _first(found.get("OPBD") or found.get("PRCD"))
    closing = _last(found.get("CLBD"))
    if opening is None and interim and (closing is not None or len(interim) > 1):
        opening, interim = interim[0], interim[1:]
    if closing is None and interim:
        closing = interim[-1]
    return opening, closing, odd


def _first(found: list[DatedAmount] | None) -> DatedAmount | None:
    return min(found, key=lambda b: (b.on is None, b.on)) if found else None


def _last(found: list[DatedAmount] | None) -> DatedAmount | None:
    if not found:
        return None
    dated = [b for b in found if b.on is not None]
    return max(reversed(dated), key=lambda b: str(b.on)) if dated else found[-1]


def _utf8(stream: BinaryIO) -> Iterator[bytes]:
    """The file as UTF-8 without control characters, whatever it was declared and really was."""
    head = stream.read(_CHUNK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        head = head.removeprefix(codecs.BOM_UTF8)
        match = _DECLARED.match(head)
        encoding = match.group(1).decode().lower() if match else "utf-8"
        if not _ENCODINGS.match(encoding) or encoding.replace("-", "").startswith("utf16"):
            encoding = "utf-8"
        encoding = "gb18030" if encoding.startswith("gb") else encoding
    try:
        decoder = codecs.getincrementaldecoder(encoding)(
            errors="stray-cp1252" if encoding == "utf-8" else "replace"
        )
    except LookupError as error:
        raise UnreadableError(f"The XML is declared as “{encoding}”, which is not known here.") from error
    first = True
    while head:
        # The first piece may not start with blank lines: the XML declaration must come first.
        piece = decoder.decode(head).encode("utf-8", "replace").translate(None, _CONTROL)
        piece = piece.lstrip() if first else piece
        if piece:
            first = False
            yield piece
        head = stream.read(_CHUNK)
    yield decoder.decode(b"", True).encode("utf-8", "replace").translate(None, _CONTROL)
