"""The fast lane of MT940: runs of ordinary entries, a line 61 with its 86, nothing odd.

Nine files in ten are nothing else, and a call for every field is what costs time. Whatever is out
of the ordinary ends a run and is read the long way by `read.py`, with the same result.
"""

from __future__ import annotations

from decimal import Decimal

from banks.formats.mt940.details import read_details
from banks.formats.mt940.lines import COMMON, PAIRS, POINTERS
from banks.formats.quick import EntryDraft
from banks.formats.tally import Tally
from banks.messages import Entry, EntryStatus, StatementEvent

_AFTER = {"61", "62F", "62M"}
_BOOKED = EntryStatus.BOOKED
_common = COMMON.fullmatch


def plain_run(
    parts: list[str],
    index: int,
    last: int,
    line: int,
    currency: str,
    tally: Tally,
    out: list[StatementEvent],
) -> tuple[int, int]:
    """Read pairs from `index` on, before `last`; give the next index and line."""
    first, booked, append = index, tally.booked, out.append
    while index < last and parts[index] == "61" and parts[index + 2] == "86":
        content = parts[index + 3]
        found = _common(parts[index + 1])
        if found is None or parts[index + 4] not in _AFTER or "\n-" in content:
            break
        value_text, entry_text, mark, number, code, reference, bank = found.groups()
        days = PAIRS.get((value_text, entry_text))
        if days is None:
            break  # the long way checks the dates and remembers them
        amount = Decimal(number.replace(",", "."))
        if mark == "D" or mark == "RC":
            amount = amount.copy_negate()
        own_reference, own_bank, party, text, reason = read_details(content)
        if bank is None or bank in POINTERS:
            bank = ""
        if own_bank and own_bank.startswith(bank):
            bank = own_bank
        if not own_reference and reference not in POINTERS:
            own_reference = reference
        booked += amount
        entry = EntryDraft(
            amount,
            currency,
            days[1],
            days[0],
            _BOOKED,
            own_reference,
            bank,
            party,
            text,
            code,
            mark[0] == "R",
            reason,
            line,
        )
        entry.__class__ = Entry  # type: ignore[assignment]
        append(entry)  # type: ignore[arg-type]
        line += 2 + content.count("\n")
        index += 4
    tally.add(booked, (index - first) // 4, currency)
    return index, line
