"""Pure rules of reconciliation: the arithmetic of the adjustment statement, covering sets.

No database here. Amounts are `Decimal`, signed as everywhere: money in is positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain, islice

AGES = (30, 90, 180)
"""Upper ends, in days, of the age classes of open items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One open line on the adjustment statement. `label` is the voucher or the bank's reference."""

    pk: int
    on: date
    amount: Decimal
    label: str = ""
    counterparty: str = ""
    text: str = ""
    days: int = 0
    """Days outstanding on the day of the statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The adjustment statement (余额调节表) of one account on one day.

    `bank` are lines at the bank that the books lack (未达账项 of the company), `book` lines in the
    books that the bank lacks. Each side is corrected by what only the other side knows.
    """

    on: date
    currency: str
    bank_balance: Decimal
    bank_source: str
    """"statement": the bank's own closing of that day; "computed": carried on from an earlier one."""
    book_balance: Decimal
    bank: tuple[Item, ...]
    book: tuple[Item, ...]

    @property
    def bank_received(self) -> tuple[Item, ...]:
        """银行已收、企业未收."""
        return tuple(item for item in self.bank if item.amount > 0)

    @property
    def bank_paid(self) -> tuple[Item, ...]:
        """银行已付、企业未付."""
        return tuple(item for item in self.bank if item.amount < 0)

    @property
    def book_received(self) -> tuple[Item, ...]:
        """企业已收、银行未收."""
        return tuple(item for item in self.book if item.amount > 0)

    @property
    def book_paid(self) -> tuple[Item, ...]:
        """企业已付、银行未付."""
        return tuple(item for item in self.book if item.amount < 0)

    @property
    def adjusted_bank(self) -> Decimal:
        return self.bank_balance + total(self.book)

    @property
    def adjusted_book(self) -> Decimal:
        return self.book_balance + total(self.bank)

    @property
    def difference(self) -> Decimal:
        """Zero when every unit of difference between bank and books is explained by an open line."""
        return self.adjusted_bank - self.adjusted_book


def total(items: Iterable[Item]) -> Decimal:
    """The signed sum of `items`."""
    return sum((item.amount for item in items), Decimal(0))


def age_class(days: int) -> int:
    """Index of the age class of an open item: 0 is the youngest, `len(AGES)` the oldest."""
    return next((n for n, end in enumerate(AGES) if days <= end), len(AGES))


def covering_sets(
    target: Decimal, amounts: Sequence[Decimal], *, most: int = 6, wanted: int = 3, steps: int = 50_000
) -> list[tuple[int, ...]]:
    """Sets of two to `most` indexes of `amounts` that sum to `target`, earlier and smaller sets first.

    Only amounts of the target's sign take part. The search gives up after `steps` looks, so its
    time is bounded whatever the amounts are; what it found until then is returned.
    """
    sign = 1 if target > 0 else -1
    pool = [(n, a * sign) for n, a in enumerate(amounts) if 0 < a * sign < target * sign]
    left = steps

    def walk(start: int, rest: Decimal, size: int) -> Iterator[tuple[int, ...]]:
        nonlocal left
        for at in range(start, len(pool) - size + 1):
            left -= 1
            if left < 0:
                return
            index, amount = pool[at]
            if size == 1:
                if amount == rest:
                    yield (index,)
            elif amount < rest:
                yield from ((index, *others) for others in walk(at + 1, rest - amount, size - 1))

    by_size = (walk(0, target * sign, size) for size in range(2, most + 1))
    return list(islice(chain.from_iterable(by_size), wanted))
