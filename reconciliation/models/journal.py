"""The company's bank journal (银行存款日记账): uploaded files, their lines, the opening balance.

A line is never edited. Undoing an import keeps its lines and takes their `live` away, so what
was once matched or closed can always be read again.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from reconciliation.querysets import LedgerEntryQuerySet, LedgerImportQuerySet
from treasury.models.fields import AmountField, CurrencyField


class LedgerImport(models.Model):
    """One uploaded journal file. Uploaded first, booked after a look; the same bytes count once.

    `booked_at` is null while the file only waits for its preview to be confirmed. `columns` is
    the mapping of our fields to the file's headers as the person left it.
    """

    account = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("account")
    )
    name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    columns = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(_("lines"), default=0)
    money_in = AmountField(_("money in"), default=0)
    money_out = AmountField(_("money out"), default=0)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("imported by")
    )
    made_at = models.DateTimeField(_("uploaded at"))
    booked_at = models.DateTimeField(_("booked at"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = LedgerImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal import")
        verbose_name_plural = _("journal imports")
        ordering = ["-id"]
        permissions = [
            ("import_journal", "May import the bank journal"),
            ("reconcile", "May match and undo matches"),
            ("close_account", "May close a day of an account"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sha256"],
                condition=models.Q(booked_at__isnull=False, undone_at__isnull=True),
                name="ledger_file_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class LedgerEntry(models.Model):
    """A line of the bank journal. `amount` is signed as the bank's lines are: money in positive."""

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="ledger_entries")
    imported = models.ForeignKey(LedgerImport, on_delete=models.PROTECT, related_name="entries")
    posted_on = models.DateField(_("posted on"))
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    voucher = models.CharField(_("voucher"), max_length=60, blank=True)
    reference = models.CharField(_("payment reference"), max_length=70, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=70, blank=True)
    counterparty = models.CharField(_("counterparty"), max_length=200, blank=True)
    text = models.CharField(_("text"), max_length=300, blank=True)
    row = models.PositiveIntegerField(_("row"))
    live = models.BooleanField(default=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-posted_on", "-id"]
        indexes = [
            models.Index(fields=["account", "-posted_on", "-id"], name="ledger_newest"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(amount=0), name="ledger_amount_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.posted_on} {self.amount} {self.currency} {self.voucher}".strip()


class LedgerOpening(models.Model):
    """Where an account's books begin here: `amount` is their balance at the start of day `on`.

    Ledger entries dated before `on` are open items carried in: they are part of `amount` and
    wait for the bank's line. Bank lines before `on` count as being in the books already, except
    those named when the opening was set.
    """

    account = models.OneToOneField(
        "treasury.Account", on_delete=models.PROTECT, related_name="ledger_opening"
    )
    on = models.DateField(_("books begin on"))
    amount = AmountField(_("balance at the start of that day"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("opening balance of the books")
        verbose_name_plural = _("opening balances of the books")

    def __str__(self) -> str:
        return f"{self.account} {self.on} {self.amount}"
