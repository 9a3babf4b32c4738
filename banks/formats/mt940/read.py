"""Reading MT940 statements and MT942 intraday reports, in one pass over the fields of the file.

Pages that end in an interim balance (62M) are joined with the page that takes it up (60M). A
field that cannot be read is quarantined and the rest of the file is kept. What single fields say
is `lines.py`'s and `details.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from banks.formats.errors import UnreadableError
from banks.formats.mt940 import lines
from banks.formats.mt940.details import NO_DETAILS, read_details, read_ns
from banks.formats.mt940.lines import BadLineError, Line
from banks.formats.mt940.pages import Pages
from banks.formats.mt940.run import plain_run
from banks.formats.mt940.text import blocks
from banks.formats.quick import quick_entry
from banks.formats.tally import Reversals
from banks.messages import (
    DatedAmount,
    EntryStatus,
    Quarantined,
    StatementEvent,
)

_TAGS = re.compile(r"\n[ \t]?:(NS|[0-9]{2}[A-Z]?):")
_END = re.compile(r"\n-(?:\}[^\n]*|XXX)?[ \t]*(?:\n|$)")
_NUMBER = re.compile(r"\s*([0-9A-Za-z-]*)(?:/([0-9]+))?")
_CLOCK = re.compile(r"[0-5][0-9](?![0-9])")
_RAW_AT_MOST = 1 << 18
_LONGEST_FIELD = 1 << 22
_BOOKED, _PENDING = EntryStatus.BOOKED, EntryStatus.PENDING


def read(
    stream: BinaryIO, *, reversals: Reversals = "balance", encoding: str | None = None
) -> Iterator[StatementEvent]:
    """Read an MT940 or MT942 file as statement events.

    `reversals` settles amounts written with a minus sign (RC and RD need no settling); `encoding`
    overrides the guess. Raises `UnreadableError` when there is no statement in the file.
    """
    reader = _Reader(reversals)
    found = False
    carry = "\n"
    for block in blocks(stream, encoding):
        text = carry + block
        if "{4::" in text:
            text = text.replace("{4::", "{4:\n:")
        parts = _TAGS.split(text)
        carry = text if len(parts) < 3 else f"\n:{parts[-2]}:{parts[-1]}"
        if len(carry) > _LONGEST_FIELD:
            raise UnreadableError(
                f"From line {reader.line} on no new field begins for {len(carry)} characters. "
                "This is not MT940, or the file is damaged: ask the bank for it again."
            )
        if len(parts) < 3:
            continue
        reader.fields(parts[:-2])
        found = found or bool(reader.pages.out)
        yield from reader.taken()
    parts = _TAGS.split(carry)
    reader.fields(parts)
    reader.finish()
    found = found or bool(reader.pages.out)
    yield from reader.taken()
    if not found:
        raise UnreadableError(
            "No statement was found: there is no account (:25:), balance (:60F:) or line (:61:) field. "
            "Check that the file is MT940 or MT942."
        )


class _Reader:
    """One file being read: the header in hand, the open statement, the entry waiting for its 86."""

    def __init__(self, reversals: Reversals) -> None:
        self.pages = Pages(reversals)
        self.line = 1
        self.pending: Line | None = None
        self.pending_at = 0
        self.details: str | None = None
        self.ns = ""
        self.bad: tuple[int, str, str] | None = None
        self.handlers: dict[str, Callable[[str], None]] = {
            "20": self._reference,
            "21": _ignored,
            "13": _ignored,
            "13D": self._report,
            "25": self._account,
            "25P": self._account,
            "28": self._numbered,
            "28C": self._numbered,
            "34F": self._floor,
            "60F": self._opens,
            "60M": self._continues,
            "61": self._statement_line,
            "62F": self._closes,
            "62M": self._pauses,
            "64": _ignored,
            "65": _ignored,
            "86": self._details,
            "90C": self._total_credit,
            "90D": self._total_debit,
            "NS": self._ns,
        }

    def taken(self) -> list[StatementEvent]:
        """The events so far; they are the caller's now."""
        out, self.pages.out = self.pages.out, []
        return out

    def fields(self, parts: list[str]) -> None:
        """Act on fields: text before the first, then tag and content in turn."""
        handlers = self.handlers
        self.line += parts[0].count("\n")
        index, count = 1, len(parts)
        while index < count:
            index = self._run(parts, index, count - 4)
            tag, content = parts[index], parts[index + 1]
            index += 2
            while index < count and parts[index] not in handlers and parts[index].isdigit():
                # `:26:37` at the start of a line is a clock time cut in two, not a field.
                content = f"{content}\n:{parts[index]}:{parts[index + 1]}"
                index += 2
            if tag == "86" and index < count and _is_clock(content, parts[index], parts[index + 1]):
                parts[index - 1 : index + 2] = [f"{content}\n:{parts[index]}:{parts[index + 1]}"]
                index, count = index - 2, count - 2
                continue
            newlines = content.count("\n") + 1
            ended = False
            if newlines > 1 and "\n-" in content and (end := _END.search(content)):
                content, ended = content[: end.start()], True
            handler = handlers.get(tag)
            if handler is not None:
                handler(content)
            if ended:
                self._flush()
            self.line += newlines

    def _run(self, parts: list[str], index: int, last: int) -> int:
        """Read ordinary pairs of 61 and 86 in one go, up to the first that needs a closer look."""
        tally = self.pages.tally
        if tally is None or parts[index] != "61" or self.pages.intraday or tally.holding:
            return index
        self._flush()
        index, self.line = plain_run(
            parts, index, last, self.line, self.pages.currency, tally, self.pages.out
        )
        return index

    # ── headers ───────────────────────────────────────────────────────────────

    def _reference(self, content: str) -> None:
        self._finish_message()
        self.pages.new_message()

    def _account(self, content: str) -> None:
        pages = self.pages
        if pages.tally is not None and pages.suspended is None and not pages.intraday and pages.opening:
            self._flush()
            self._refuse(f":25:{content}", "an account field inside a statement")
            return
        self._finish_message()
        pages.account_text, pages.number, pages.page = content.strip(), "", 0
        pages.header_used = False

    def _numbered(self, content: str) -> None:
        self._flush()
        if self.pages.suspended is None:
            self.pages.close(None)
        found = _NUMBER.match(content)
        self.pages.number = found.group(1) if found else ""
        self.pages.page = int(found.group(2) or 0) if found else 0
        self.pages.header_used = False

    def _floor(self, content: str) -> None:
        if self.pages.tally is None:
            self.pages.intraday = True
            self.pages.currency = lines.sum_currency(content) or self.pages.currency

    def _report(self, content: str) -> None:
        if self.pages.tally is None:
            self.pages.intraday = True

    # ── balances ──────────────────────────────────────────────────────────────

    def _opens(self, content: str) -> None:
        self._open(content, interim=False)

    def _continues(self, content: str) -> None:
        self._open(content, interim=True)

    def _open(self, content: str, *, interim: bool) -> None:
        self._flush()
        balance, currency = self._balance("60M" if interim else "60F", content)
        if self.pages.resumes(balance, interim):
            return
        self.pages.give_up_pause()
        self.pages.close(None)
        self.pages.intraday = False
        self.pages.currency = currency
        self.pages.begin(balance)
        if interim:
            self.pages.flag("it begins with an interim balance (60M): an earlier page is missing")

    def _closes(self, content: str) -> None:
        self._flush()
        balance, currency = self._balance("62F", content)
        if self.pages.tally is None:
            self.pages.currency = self.pages.currency or currency
            self.pages.begin(None)
        self.pages.give_up_pause()
        if currency and self.pages.currency and currency != self.pages.currency:
            self.pages.flag(f"the closing balance is in {currency}, the opening in {self.pages.currency}")
            balance = None
        self.pages.currency = self.pages.currency or currency
        self.pages.close(balance)

    def _pauses(self, content: str) -> None:
        self._flush()
        balance, currency = self._balance("62M", content)
        if self.pages.tally is None:
            self.pages.currency = self.pages.currency or currency
            self.pages.begin(None)
        if balance is None:
            self.pages.flag("its interim balance (62M) could not be read")
            self.pages.close(None)
            return
        self.pages.suspended = balance

    def _balance(self, tag: str, content: str) -> tuple[DatedAmount | None, str]:
        try:
            amount, on, currency, exact = lines.balance(content)
        except BadLineError as error:
            self._refuse(f":{tag}:{content}", str(error))
            return None, ""
        if not exact:
            self.pages.flag(f"line {self.line}: a date that does not exist was read as {on}")
        return DatedAmount(amount=amount, on=on), currency

    # ── entries ───────────────────────────────────────────────────────────────

    def _statement_line(self, content: str) -> None:
        self._flush()
        if self.pages.tally is None:
            if self.pages.header_used:
                self._refuse(f":61:{content}", "a line after the closing balance of its statement")
                return
            self.pages.begin(None)
        try:
            self.pending = lines.statement_line(content)
        except BadLineError as error:
            self.bad = (self.line, f":61:{content}", str(error))
            return
        self.pending_at = self.line

    def _details(self, content: str) -> None:
        if self.bad is not None:
            self.bad = (self.bad[0], f"{self.bad[1]}\n:86:{content}", self.bad[2])
        elif self.pending is not None:
            self.details = content if self.details is None else f"{self.details}\n{content}"

    def _ns(self, content: str) -> None:
        if self.pending is not None:
            self.ns = f"{self.ns}\n{content}" if self.ns else content

    def _flush(self) -> None:
        """The entry in hand is complete: give it away."""
        if self.bad is not None:
            position, raw, reason = self.bad
            self.bad = None
            self._refuse(raw, reason, position)
        line, tally = self.pending, self.pages.tally
        if line is None or tally is None:
            return
        self.pending = None
        amount, value_on, booked_on, exact, expected, reversal, minus, code, reference, bank, more = line
        content, self.details = self.details, None
        if self.ns:
            found, self.ns = read_ns(self.ns), ""
        else:
            found = read_details(content) if content else NO_DETAILS
        own_reference, own_bank, party, text, reason = found
        if not exact:
            tally.flag(f"line {self.pending_at}: a date that does not exist was read as the month's last day")
        if minus:
            tally.flag(f"line {self.pending_at}: an amount with a minus sign")
        if more and more not in text:
            text = f"{text} {more}" if text else " ".join(more.split())
        if own_bank and own_bank.startswith(bank):
            bank = own_bank
        entry = quick_entry(
            amount,
            self.pages.currency,
            booked_on,
            value_on,
            _PENDING if expected else _BOOKED,
            own_reference or reference,
            bank,
            party,
            text,
            code,
            reversal,
            reason,
            self.pending_at,
        )
        if self.pages.intraday:
            self.pages.sums["D" if amount < 0 else "C"].append(amount.copy_abs())
        self.pages.out.extend(tally.take(entry, minus))

    def _refuse(self, raw: str, reason: str, position: int | None = None) -> None:
        at = self.line if position is None else position
        if self.pages.tally is not None:
            self.pages.tally.quarantined += 1
        self.pages.out.append(Quarantined(position=at, raw=raw[:_RAW_AT_MOST], reason=f"line {at}: {reason}"))

    def _finish_message(self) -> None:
        """A new message or account begins: end what is open, unless a next page may take it up."""
        self._flush()
        if self.pages.suspended is not None:
            return
        if self.pages.tally is None and self.pages.account_text and not self.pages.header_used:
            self.pages.begin(None)
        self.pages.close(None)

    def finish(self) -> None:
        """The file is over."""
        self._flush()
        self.pages.give_up_pause()
        self._finish_message()

    def _total_credit(self, content: str) -> None:
        self._total("C", content)

    def _total_debit(self, content: str) -> None:
        self._total("D", content)

    def _total(self, mark: str, content: str) -> None:
        """Field 90: begin a report without entries, or check the sums of one with them."""
        self._flush()
        pages = self.pages
        if pages.tally is None:
            pages.currency = pages.currency or lines.sum_currency(content)
            if not pages.header_used:
                pages.begin(None)
        if pages.intraday:
            pages.check_total(mark, content)


def _ignored(content: str) -> None:
    """A field that says nothing about the entries."""


def _is_clock(before: str, tag: str, content: str) -> bool:
    """Whether `:20:`, `:21:`, `:25:` or `:28:` is the middle of a time such as 16:20:37."""
    return (
        tag in ("20", "21", "25", "28", "13")
        and before[-2:].isdigit()
        and bool(_CLOCK.match(content))
        and not before.endswith("\n-")
    )
