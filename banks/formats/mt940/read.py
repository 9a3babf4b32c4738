"""Reading MT940 statements and MT942 intraday reports, in one pass over the fields of the file.

Pages that end in an interim balance (62M) are joined with the page that takes it up (60M). A
field that cannot be read is quarantined and the rest of the file is kept. What single fields say
is `lines.py`'s and `details.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO

from banks.formats.errors import UnreadableError
from banks.formats.mt940 import lines
from banks.formats.mt940.details import Details, read_details, read_ns
from banks.formats.mt940.lines import BadLineError, Line
from banks.formats.mt940.text import blocks
from banks.formats.tally import Reversals, Tally
from banks.messages import (
    AccountIdentity,
    DatedAmount,
    Entry,
    EntryStatus,
    Quarantined,
    StatementEvent,
    StatementStart,
)

_TAGS = re.compile(r"\n[ \t]?:(NS|[0-9]{2}[A-Z]?):")
_END = re.compile(r"\n-(?:\}[^\n]*|XXX)?[ \t]*(?:\n|$)")
_NUMBER = re.compile(r"\s*([0-9A-Za-z-]*)(?:/([0-9]+))?")
_TOTAL = re.compile(r"\s*([0-9]{0,5})\s*[A-Z]{3}([0-9.,]+)")
_CLOCK = re.compile(r"[0-5][0-9](?![0-9])")
_NOTHING = Details()
_RAW_AT_MOST = 1 << 18


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
        if len(parts) < 3:
            carry = text
            if len(carry) > _RAW_AT_MOST and reader.line == 1:
                break
            continue
        carry = f"\n:{parts[-2]}:{parts[-1]}"
        reader.fields(parts[:-2])
        found = found or bool(reader.out)
        yield from reader.taken()
    parts = _TAGS.split(carry)
    reader.fields(parts)
    reader.finish()
    found = found or bool(reader.out)
    yield from reader.taken()
    if not found:
        raise UnreadableError(
            "No statement was found: there is no account (:25:), balance (:60F:) or line (:61:) field. "
            "Check that the file is MT940 or MT942."
        )


class _Reader:
    """One file being read: the header in hand, the open statement, the entry waiting for its 86."""

    def __init__(self, reversals: Reversals) -> None:
        self.reversals = reversals
        self.out: list[StatementEvent] = []
        self.line = 1
        self.account_text: str | None = None
        self.account = AccountIdentity(number="")
        self.number = ""
        self.page = 0
        self.currency = ""
        self.intraday = False
        self.header_used = False
        self.tally: Tally | None = None
        self.opening: DatedAmount | None = None
        self.suspended: DatedAmount | None = None
        self.pending: Line | None = None
        self.pending_at = 0
        self.details: str | None = None
        self.ns = ""
        self.bad: tuple[int, str, str] | None = None
        self.sums: dict[str, list[Decimal]] = {"C": [], "D": []}
        self.numbers: dict[str, int] = {}
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
        out, self.out = self.out, []
        return out

    def fields(self, parts: list[str]) -> None:
        """Act on fields: text before the first, then tag and content in turn."""
        handlers = self.handlers
        self.line += parts[0].count("\n")
        index, count = 1, len(parts)
        while index < count:
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

    # ── headers ───────────────────────────────────────────────────────────────

    def _reference(self, content: str) -> None:
        self._finish_message()
        self.account_text, self.number, self.page = None, "", 0
        self.currency, self.intraday, self.header_used = "", False, False

    def _account(self, content: str) -> None:
        if self.tally is not None and self.suspended is None and not self.intraday and self.opening:
            self._flush()
            self._refuse(f":25:{content}", "an account field inside a statement")
            return
        self._finish_message()
        self.account_text, self.number, self.page, self.header_used = content.strip(), "", 0, False

    def _numbered(self, content: str) -> None:
        if self.suspended is None:
            self._close(None)
        found = _NUMBER.match(content)
        self.number = found.group(1) if found else ""
        self.page = int(found.group(2) or 0) if found else 0
        self.header_used = False

    def _floor(self, content: str) -> None:
        if self.tally is None:
            self.intraday = True
            self.currency = lines.sum_currency(content) or self.currency

    def _report(self, content: str) -> None:
        if self.tally is None:
            self.intraday = True

    # ── balances ──────────────────────────────────────────────────────────────

    def _opens(self, content: str) -> None:
        self._open(content, interim=False)

    def _continues(self, content: str) -> None:
        self._open(content, interim=True)

    def _open(self, content: str, *, interim: bool) -> None:
        self._flush()
        balance, currency = self._balance("60M" if interim else "60F", content)
        if self._resumes(balance, interim):
            return
        self._give_up_pause()
        self._close(None)
        self.intraday = False
        self.currency = currency
        self._begin(balance)
        if interim:
            self._flag("it begins with an interim balance (60M): an earlier page is missing")

    def _resumes(self, balance: DatedAmount | None, interim: bool) -> bool:
        """True when this page takes up where the one before ended."""
        if self.suspended is None or balance is None or self.tally is None:
            return False
        same = self.account_text is None or self._named(self.currency).number == self.account.number
        if not same or balance.amount != self.suspended.amount or not (interim or self.page > 1):
            return False
        self.suspended = None
        self.header_used = True
        self.currency = self.tally.currency or ""
        return True

    def _give_up_pause(self) -> None:
        if self.suspended is not None:
            closing, self.suspended = self.suspended, None
            self._flag("it ends with an interim balance (62M): a later page is missing")
            self._close(closing)

    def _closes(self, content: str) -> None:
        self._flush()
        balance, currency = self._balance("62F", content)
        if self.tally is None:
            self.currency = self.currency or currency
            self._begin(None)
        self._give_up_pause()
        if currency and self.currency and currency != self.currency:
            self._flag(f"the closing balance is in {currency}, the opening in {self.currency}")
            balance = None
        self.currency = self.currency or currency
        self._close(balance)

    def _pauses(self, content: str) -> None:
        self._flush()
        balance, currency = self._balance("62M", content)
        if self.tally is None:
            self.currency = self.currency or currency
            self._begin(None)
        if balance is None:
            self._flag("its interim balance (62M) could not be read")
            self._close(None)
            return
        self.suspended = balance

    def _balance(self, tag: str, content: str) -> tuple[DatedAmount | None, str]:
        try:
            amount, on, currency, exact = lines.balance(content)
        except BadLineError as error:
            self._refuse(f":{tag}:{content}", str(error))
            return None, ""
        if not exact:
            self._flag(f"line {self.line}: a date that does not exist was read as {on}")
        return DatedAmount(amount=amount, on=on), currency

    # ── entries ───────────────────────────────────────────────────────────────

    def _statement_line(self, content: str) -> None:
        self._flush()
        if self.tally is None:
            if self.header_used:
                self._refuse(f":61:{content}", "a line after the closing balance of its statement")
                return
            self._begin(None)
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
        line, tally = self.pending, self.tally
        if line is None or tally is None:
            return
        self.pending = None
        content, self.details = self.details, None
        details = read_details(content) if content else _NOTHING
        if self.ns:
            details, self.ns = read_ns(self.ns), ""
        if not line.exact:
            tally.flag(f"line {self.pending_at}: a date that does not exist was read as the month's last day")
        if line.minus:
            tally.flag(f"line {self.pending_at}: an amount with a minus sign")
        text, more = details.text, line.supplement
        if more and more not in text:
            text = f"{text} {more}" if text else " ".join(more.split())
        entry = Entry(
            amount=line.amount,
            currency=self.currency,
            booked_on=line.booked_on,
            value_on=line.value_on,
            status=EntryStatus.PENDING if line.expected else EntryStatus.BOOKED,
            reference=details.reference or line.reference,
            bank_reference=_longer(details.bank_reference, line.bank_reference),
            counterparty=details.party,
            text=text,
            code=line.code,
            reversal=line.reversal,
            return_reason=details.reason,
            position=self.pending_at,
        )
        if self.intraday:
            self.sums["D" if line.amount < 0 else "C"].append(line.amount.copy_abs())
        self.out.extend(tally.take(entry, line.minus))

    def _refuse(self, raw: str, reason: str, position: int | None = None) -> None:
        at = self.line if position is None else position
        if self.tally is not None:
            self.tally.quarantined += 1
        self.out.append(Quarantined(position=at, raw=raw[:_RAW_AT_MOST], reason=f"line {at}: {reason}"))

    # ── statements ────────────────────────────────────────────────────────────

    def _named(self, currency: str) -> AccountIdentity:
        return lines.account(self.account_text or "", currency)

    def _begin(self, opening: DatedAmount | None) -> None:
        self.account = self._named(self.currency)
        self.currency = self.currency or self.account.currency or ""
        self.tally = Tally(self.currency, self.reversals)
        self.opening, self.suspended, self.header_used = opening, None, True
        self.sums = {"C": [], "D": []}
        self.out.append(
            StatementStart(
                account=self.account,
                currency=self.currency or None,
                number=self.number,
                opening=opening,
                intraday=self.intraday,
            )
        )
        if not self.account.number:
            self._flag("the statement names no account (:25:)")
        if self.number.isdecimal():
            key = f"{self.account.number}/{self.currency}"
            number, before = int(self.number), self.numbers.get(key)
            if before and number > before + 1 and not self.intraday:
                self._flag(f"statement numbers jump from {before} to {number}: one or more are missing")
            self.numbers[key] = number

    def _flag(self, sentence: str) -> None:
        if self.tally is not None:
            self.tally.flag(sentence)

    def _close(self, closing: DatedAmount | None) -> None:
        """End the open statement, if there is one."""
        self._flush()
        tally = self.tally
        if tally is None:
            return
        if not self.intraday:
            if self.opening is None:
                self._flag("its opening balance (:60F:) is missing")
            if closing is None:
                self._flag("its closing balance (:62F:) is missing or unusable")
        self.out.extend(tally.settle(self.opening, closing))
        self.out.append(tally.end(opening=self.opening, closing=closing, currency=self.currency or None))
        self.tally, self.opening, self.suspended = None, None, None

    def _finish_message(self) -> None:
        """A new message or account begins: end what is open, unless a next page may take it up."""
        self._flush()
        if self.suspended is not None:
            return
        if self.tally is None and self.account_text and not self.header_used:
            self._begin(None)
        self._close(None)

    def finish(self) -> None:
        """The file is over."""
        self._flush()
        self._give_up_pause()
        self._finish_message()

    def _total_credit(self, content: str) -> None:
        self._total("C", content)

    def _total_debit(self, content: str) -> None:
        self._total("D", content)

    def _total(self, mark: str, content: str) -> None:
        """Check the count and sum an MT942 gives for its debits or credits."""
        self._flush()
        found = _TOTAL.match(content)
        if self.tally is None:
            self.currency = self.currency or lines.sum_currency(content)
            if not self.header_used:
                self._begin(None)
        if not self.intraday or not found:
            return
        seen = self.sums[mark]
        try:
            total = lines.amount(found.group(2))
        except BadLineError:
            self._flag(f"line {self.line}: the total :90{mark}: could not be read")
            return
        if total != sum(seen, Decimal(0)) or int(found.group(1) or 0) != len(seen):
            self._flag(
                f"the bank reports {found.group(1)} entries of {total} (:90{mark}:), "
                f"the file holds {len(seen)} of {sum(seen, Decimal(0))}"
            )


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


def _longer(full: str, short: str) -> str:
    return full if full and full.startswith(short) else short
