"""What the demonstration prints: logins, and the table of a played day."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from reconciliation.demo import figures
from reconciliation.demo.comparison import Comparison
from treasury import money


def width(text: str) -> int:
    """Columns a text takes in a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Columns as wide as their widest cell; those numbered in `right` are aligned to the right."""
    lines = [header, *rows]
    widths = [max(width(line[n]) for line in lines) for n in range(len(header))]
    ends = set(right)

    def shown(line: Sequence[str]) -> str:
        cells = []
        for n, cell in enumerate(line):
            room = " " * (widths[n] - width(cell))
            cells.append(room + cell if n in ends else cell + room)
        return "  " + "  ".join(cells).rstrip()

    return "\n".join([shown(header), "  " + "  ".join("─" * w for w in widths), *map(shown, lines[1:])])


def logins() -> str:
    """Who signs in with what."""
    rows = [(p.name.lower(), p.role, figures.PASSWORD, p.does) for p in figures.PEOPLE]
    return table(("user", "role", "password", "what they do"), rows)


def totals(comparison: Comparison) -> str:
    """Totals per currency, and both sides' balances with their difference."""
    rows = []
    for currency, t in sorted(comparison.totals.items()):
        figures_ = (t.paid, t.returned, t.received, t.at_bank, t.in_portal, t.in_portal - t.at_bank)
        rows.append((currency, str(t.payments), *(amount(value, currency) for value in figures_)))
    header = (
        "currency",
        "payments",
        "paid",
        "returned",
        "received",
        "at the bank",
        "in the portal",
        "difference",
    )
    return table(header, rows, right=range(1, 8))


def amount(value: object, currency: str) -> str:
    return f"{money.quantize(value, currency):,f}"  # type: ignore[arg-type]
