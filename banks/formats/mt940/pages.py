"""The open statement of an MT940 file: its header, its pages, its balances and its sums.

Pages that end in an interim balance (62M) wait here for the page that takes it up (60M). Finding
fields in the file and reading entries is `read.py`'s business.
"""

from __future__ import annotations

import re
from decimal import Decimal

from banks.formats.mt940 import lines
from banks.formats.mt940.lines import BadLineError
from banks.formats.tally import Reversals, Tally
from banks.messages import AccountIdentity, DatedAmount, StatementEvent, StatementStart

_TOTAL = re.compile(r"\s*([0-9]{0,5})\s*[A-Z]{3}([0-9.,]+)")


class Pages:
    """Header fields as they come, and the statement that is open; events go to `out`."""

    def __init__(self, reversals: Reversals) -> None:
        self.reversals = reversals
        self.out: list[StatementEvent] = []
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
        self.sums: dict[str, list[Decimal]] = {"C": [], "D": []}
        self.numbers: dict[str, int] = {}

    def new_message(self) -> None:
        """Forget the header: a new message begins."""
        self.account_text, self.number, self.page = None, "", 0
        self.currency, self.intraday, self.header_used = "", False, False

    def named(self, currency: str) -> AccountIdentity:
        """The account of the header, whose currency may stand behind its number."""
        return lines.account(self.account_text or "", currency)

    def begin(self, opening: DatedAmount | None) -> None:
        """A statement begins with what the header has said."""
        self.account = self.named(self.currency)
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
            self.flag("the statement names no account (:25:)")
        if self.number.isdecimal():
            key = f"{self.account.number}/{self.currency}"
            number, before = int(self.number), self.numbers.get(key)
            if before and number > before + 1 and not self.intraday:
                self.flag(f"statement numbers jump from {before} to {number}: one or more are missing")
            self.numbers[key] = number

    def flag(self, sentence: str) -> None:
        """Note something odd on the open statement."""
        if self.tally is not None:
            self.tally.flag(sentence)

    def close(self, closing: DatedAmount | None) -> None:
        """End the open statement, if there is one."""
        tally = self.tally
        if tally is None:
            return
        if not self.intraday:
            if self.opening is None:
                self.flag("its opening balance (:60F:) is missing")
            if closing is None:
                self.flag("its closing balance (:62F:) is missing or unusable")
        self.out.extend(tally.settle(self.opening, closing))
        self.out.append(tally.end(opening=self.opening, closing=closing, currency=self.currency or None))
        self.tally, self.opening, self.suspended = None, None, None

    def resumes(self, balance: DatedAmount | None, interim: bool) -> bool:
        """True when this page takes up where the one before ended."""
        if self.suspended is None or balance is None or self.tally is None:
            return False
        same = self.account_text is None or self.named(self.currency).number == self.account.number
        if not same or balance.amount != self.suspended.amount or not (interim or self.page > 1):
            return False
        self.suspended = None
        self.header_used = True
        self.currency = self.tally.currency or ""
        return True

    def give_up_pause(self) -> None:
        """The page that was waited for did not come."""
        if self.suspended is not None:
            closing, self.suspended = self.suspended, None
            self.flag("it ends with an interim balance (62M): a later page is missing")
            self.close(closing)

    def check_total(self, mark: str, content: str) -> None:
        """Compare the count and sum an MT942 gives for its debits or credits with its entries."""
        found = _TOTAL.match(content)
        if not found:
            return
        seen = self.sums[mark]
        total = sum(seen, Decimal(0))
        try:
            said = lines.amount(found.group(2))
        except BadLineError:
            self.flag(f"the total in field 90{mark} could not be read")
            return
        if said != total or int(found.group(1) or 0) != len(seen):
            self.flag(
                f"the bank reports {found.group(1)} entries of {said} (:90{mark}:), "
                f"the file holds {len(seen)} of {total}"
            )
