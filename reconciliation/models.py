"""The company's bank journal, matches between it and the bank's lines, and closed days."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from reconciliation.querysets import LedgerEntryQuerySet, MatchQuerySet
from treasury.models.fields import AmountField, CurrencyField


class LedgerImport(models.Model):
    """One uploaded journal file (银行存款日记账); the same bytes count once per account."""

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    rows = models.PositiveIntegerField(default=0)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("reconcile", "May import the journal and match"),
            ("close_account", "May close a day of an account"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sha256"],
                condition=models.Q(undone_at__isnull=True),
                name="ledger_file_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class LedgerEntry(models.Model):
    """A line of the bank journal. `amount` is signed as the bank's lines are: money in positive."""

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="ledger_entries")
    imported = models.ForeignKey(LedgerImport, on_delete=models.CASCADE, null=True, related_name="entries")
    posted_on = models.DateField(_("posted on"))
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    voucher = models.CharField(_("voucher"), max_length=60, blank=True)
    reference = models.CharField(_("payment reference"), max_length=70, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=70, blank=True)
    counterparty = models.CharField(_("counterparty"), max_length=200, blank=True)
    text = models.CharField(_("text"), max_length=300, blank=True)
    row = models.PositiveIntegerField(null=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-posted_on", "-id"]
        indexes = [models.Index(fields=["account", "-posted_on", "-id"], name="ledger_newest")]

    def __str__(self) -> str:
        return f"{self.posted_on} {self.amount} {self.currency} {self.voucher}".strip()


class Match(models.Model):
    """Bank lines and ledger entries that are the same money. Undoing keeps the row."""

    class Tier(models.TextChoices):
        REFERENCE = "T1", _("Our reference")
        BANK_REFERENCE = "T2", _("Bank reference")
        AMOUNT = "T3", _("Amount, date and counterparty")
        MANUAL = "HAND", _("By hand")

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="matches")
    tier = models.CharField(_("found by"), max_length=4, choices=Tier)
    why = models.JSONField(default=list)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField(_("matched at"))
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        ordering = ["-id"]

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


class Close(models.Model):
    """A day of an account signed off: both sides, what explains the rest, and that they agree."""

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="closes")
    on = models.DateField(_("closed day"))
    currency = CurrencyField()
    bank_balance = AmountField(_("balance at the bank"))
    book_balance = AmountField(_("balance in the books"))
    adjusted_bank = AmountField(_("bank balance after adjustment"))
    adjusted_book = AmountField(_("book balance after adjustment"))
    sheet = models.JSONField(default=dict)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("close")
        verbose_name_plural = _("closes")
        ordering = ["-on"]
        constraints = [
            models.UniqueConstraint(fields=["account", "on"], name="day_closed_once"),
            models.CheckConstraint(
                condition=models.Q(adjusted_bank=models.F("adjusted_book")), name="close_must_agree"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.on}"
