"""Adding up one statement while it streams, and settling entries whose sign is in doubt.

Every reader needs the same arithmetic: opening plus booked entries must give closing. A few lines
(an ISO reversal, a minus sign in MT940) can honestly be read in both directions; they are held
back until the balances say which one is right. What a file's fields mean stays with the readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from banks.messages import AccountIdentity, DatedAmount, Entry, EntryStatus, StatementEnd

HELD_AT_MOST = 20_000
"""Entries kept in memory behind a doubtful one; beyond that only the doubtful ones are kept."""

Reversals = Literal["balance", "stated", "inverted"]
"""How a doubtful sign is settled: by the balances, as the file says, or against it."""

_BOOKED = EntryStatus.BOOKED


class Tally:
    """The running sum of one statement. Feed it with `take`, close it with `settle` and `end`."""

    __slots__ = (
        "_doubtful",
        "_held",
        "booked",
        "count",
        "currency",
        "flags",
        "foreign",
        "policy",
        "quarantined",
    )

    def __init__(self, currency: str | None, policy: Reversals = "balance") -> None:
        self.currency = currency
        self.policy = policy
        self.booked = Decimal(0)
        self.count = 0
        self.quarantined = 0
        self.foreign: set[str] = set()
        self.flags: list[str] = []
        self._held: list[tuple[Entry, bool]] = []
        self._doubtful = Decimal(0)

    def take(self, entry: Entry, doubtful: bool = False) -> Sequence[Entry]:
        """Count an entry; give back those that may leave now (none while a doubt is open)."""
        self.count += 1
        if doubtful and self.policy == "inverted":
            entry = replace(entry, amount=-entry.amount)
        in_doubt = doubtful and self.policy == "balance"
        if entry.status is _BOOKED:
            if entry.currency != self.currency:
                if not self.currency:
                    self.currency = entry.currency
                else:
                    self.foreign.add(entry.currency)
            if in_doubt:
                self._doubtful += entry.amount
            else:
                self.booked += entry.amount
        if not in_doubt and not self._held:
            return (entry,)
        self._held.append((entry, in_doubt))
        if len(self._held) <= HELD_AT_MOST:
            return ()
        free = [held for held, doubt in self._held if not doubt]
        self._held = [pair for pair in self._held if pair[1]]
        if len(self._held) > HELD_AT_MOST:
            self.flag(f"more than {HELD_AT_MOST} reversals: their signs are as the file states them")
            self.policy = "stated"
            free += self._release(1)
        return free

    @property
    def holding(self) -> bool:
        """Whether entries wait for the balances to settle a doubt."""
        return bool(self._held)

    def add(self, booked: Decimal, count: int, currency: str) -> None:
        """Count a run of booked entries without a doubt; `booked` is the sum with them."""
        self.booked = booked
        self.count += count
        if count and not self.currency:
            self.currency = currency

    def flag(self, sentence: str) -> None:
        """Remember something odd; each sentence once, and no more than fifty."""
        if sentence not in self.flags and len(self.flags) < 50:
            self.flags.append(sentence)

    def _release(self, sign: int) -> list[Entry]:
        out = [
            replace(entry, amount=-entry.amount) if doubt and sign < 0 else entry
            for entry, doubt in self._held
        ]
        self.booked += self._doubtful * sign
        self._held, self._doubtful = [], Decimal(0)
        return out

    def settle(self, opening: DatedAmount | None, closing: DatedAmount | None) -> list[Entry]:
        """Decide the held entries by the balances and let them go, in file order."""
        if not self._held:
            return []
        sign = 1
        if opening is None or closing is None or self.quarantined or self.foreign:
            self.flag("reversals are signed as the file states them: there are no balances to check by")
        else:
            gap = closing.amount - opening.amount - self.booked
            if self._doubtful and gap == -self._doubtful:
                sign = -1
                self.flag("reversals count against their stated direction: only so the balances agree")
        return self._release(sign)

    def end(
        self,
        *,
        opening: DatedAmount | None,
        closing: DatedAmount | None,
        partial: bool = False,
        account: AccountIdentity | None = None,
        currency: str | None = None,
        number: str = "",
    ) -> StatementEnd:
        """The closing event, with the check of the balances done and its failures flagged.

        `partial` says that the file holds only part of the day or statement: a gap proves nothing then.
        """
        balanced: bool | None = None
        if self.foreign:
            self.flag(f"entries in {', '.join(sorted(self.foreign))} stand in a statement in {self.currency}")
        elif opening is not None and closing is not None:
            total = opening.amount + self.booked
            balanced = total == closing.amount
            if not balanced and partial:
                balanced = None
            elif not balanced:
                self.flag(
                    f"opening {opening.amount} and booked {self.booked} give {total}, "
                    f"but closing is {closing.amount}"
                )
        if self.quarantined:
            self.flag(f"{self.quarantined} line(s) could not be read: the statement is not complete")
            balanced = None if balanced else balanced
        return StatementEnd(
            account=account,
            currency=currency,
            number=number,
            opening=opening,
            closing=closing,
            flags=tuple(self.flags),
            booked=self.booked,
            balanced=balanced,
            quarantined=self.quarantined,
        )
