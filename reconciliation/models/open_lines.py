"""The worklist: one small row for each line that no living match holds.

Triggers of migration 0002 alone write these tables: a line booked appears, a line matched
disappears, an undone match brings its lines back. So the cost of matching and of every screen
grows with what is open, not with the years behind it. Keys are already normalised here:
references trimmed and in capitals ("" when the bank wrote NOTPROVIDED), `party` without case,
width, spaces and punctuation.
"""

from __future__ import annotations

from django.db import models

from reconciliation.models.journal import LedgerEntry
from reconciliation.querysets import OpenLineQuerySet
from treasury.models.fields import AmountField


class OpenLine(models.Model):
    """What both sides share. `amount` is signed: money in is positive."""

    account = models.ForeignKey("treasury.Account", on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    amount = AmountField()
    reference = models.CharField(max_length=70, blank=True)
    bank_reference = models.CharField(max_length=70, blank=True)
    party = models.CharField(max_length=200, blank=True)

    objects = OpenLineQuerySet.as_manager()

    class Meta:
        abstract = True


class OpenBankLine(OpenLine):
    """A booked bank line that the books do not explain yet."""

    entry = models.OneToOneField(
        "banks.Entry", on_delete=models.CASCADE, primary_key=True, related_name="open_line"
    )

    class Meta:
        indexes = [
            models.Index(fields=["account", "-on", "-entry"], name="open_bank_newest"),
            models.Index(fields=["account", "amount"], name="open_bank_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.amount}"


class OpenBookLine(OpenLine):
    """A line of the journal that the bank has not confirmed yet."""

    ledger_entry = models.OneToOneField(
        LedgerEntry, on_delete=models.CASCADE, primary_key=True, related_name="open_line"
    )

    class Meta:
        indexes = [
            models.Index(fields=["account", "-on", "-ledger_entry"], name="open_book_newest"),
            models.Index(fields=["account", "amount"], name="open_book_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.amount}"
