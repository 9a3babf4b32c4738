"""Matches: which bank lines and ledger entries are the same money.

The database holds (migration 0002) that the lines of a living match sum to the same on both
sides, belong to the match's account, and live or die together. All lines of a match are
therefore written, and undone, in one statement.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from reconciliation.models.journal import LedgerEntry
from reconciliation.querysets import MatchQuerySet
from treasury.models.fields import AmountField


class Match(models.Model):
    """Bank lines and ledger entries that are the same money. Undoing keeps the row.

    `amount` is the sum of either side; `first_on` and `last_on` are the earliest and latest day
    of its lines: on a day between them the earlier side was still waiting for the later one.
    """

    class Tier(models.TextChoices):
        REFERENCE = "T1", _("Our reference")
        BANK_REFERENCE = "T2", _("Bank reference")
        AMOUNT = "T3", _("Amount, date and counterparty")
        MANUAL = "HAND", _("By hand")

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="matches")
    tier = models.CharField(_("found by"), max_length=4, choices=Tier)
    why = models.JSONField(_("why"), default=dict)
    amount = AmountField(_("amount"))
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("matched by"),
    )
    made_at = models.DateTimeField(_("matched at"))
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["account", "-id"], name="match_newest"),
            models.Index(
                fields=["account", "last_on"],
                condition=models.Q(undone_at__isnull=True) & ~models.Q(first_on=models.F("last_on")),
                name="match_spanning",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_on__lte=models.F("last_on")), name="match_days_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} #{self.pk}"


class MatchedLine(models.Model):
    """One side's line in a match. While the match lives, a line is in no other (unique, partial)."""

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="lines")
    entry = models.ForeignKey("banks.Entry", on_delete=models.PROTECT, null=True, related_name="matched")
    ledger_entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, null=True, related_name="matched")
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=models.Q(live=True), name="entry_matched_once"
            ),
            models.UniqueConstraint(
                fields=["ledger_entry"], condition=models.Q(live=True), name="ledger_matched_once"
            ),
            models.CheckConstraint(
                condition=models.Q(entry__isnull=True) ^ models.Q(ledger_entry__isnull=True),
                name="matched_line_has_one_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.match}: {self.entry or self.ledger_entry}"
