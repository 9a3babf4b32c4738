"""The company's bank journal, matches between it and the bank's lines, and closed days."""

from reconciliation.models.closes import Close
from reconciliation.models.journal import LedgerEntry, LedgerImport, LedgerOpening
from reconciliation.models.matches import Match, MatchedLine
from reconciliation.models.open_lines import OpenBankLine, OpenBookLine

__all__ = [
    "Close",
    "LedgerEntry",
    "LedgerImport",
    "LedgerOpening",
    "Match",
    "MatchedLine",
    "OpenBankLine",
    "OpenBookLine",
]
