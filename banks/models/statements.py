"""Bytes from a bank and what was read from them: files, statements, entries, quarantine.

An entry is never edited after import. Its `identity` (what the line is) and its `occurrence`
(its count among equal lines of the account and day) are unique in its account, so a re-delivery
changes nothing while two real identical lines both stay. A line that is not booked belongs to
the one report it stood in: the newest report of an account says what is pending now.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from banks.querysets import EntryQuerySet, InboundFileQuerySet, StatementQuerySet
from banks.states import FileState
from treasury.models.fields import AmountField, CurrencyField


class InboundFile(models.Model):
    """A file as it came, stored before anyone parsed it. The same bytes are stored once."""

    name = models.CharField(_("name"), max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField(_("size"))
    format = models.CharField(_("format"), max_length=20, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=FileState, default=FileState.RECEIVED)
    connection = models.ForeignKey(
        "banks.Connection", on_delete=models.PROTECT, null=True, blank=True, related_name="files"
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    received_at = models.DateTimeField(_("received at"))
    error = models.TextField(_("error"), blank=True)
    deliveries = models.PositiveIntegerField(_("times delivered"), default=1)
    attempts = models.PositiveIntegerField(_("times tried"), default=0, editable=False)

    objects = InboundFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement file")
        verbose_name_plural = _("statement files")
        ordering = ["-id"]
        permissions = [("import_statement", "May import statement files")]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=FileState.values), name="file_state_known")
        ]

    def __str__(self) -> str:
        return self.name


class FilePart(models.Model):
    """A stretch of a file's bytes: files are written and read piece by piece, never whole."""

    file = models.ForeignKey(InboundFile, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = _("part of a file")
        verbose_name_plural = _("parts of files")
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="file_part_once")]

    def __str__(self) -> str:
        return f"{self.file} [{self.number}]"


class Statement(models.Model):
    """One account statement. `balanced` is None when a balance is missing from it."""

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="statements")
    file = models.ForeignKey(InboundFile, on_delete=models.PROTECT, related_name="statements")
    place = models.PositiveIntegerField(_("place in its file"), default=1)
    number = models.CharField(_("number"), max_length=60, blank=True)
    currency = CurrencyField(_("currency"))
    intraday = models.BooleanField(_("intraday"), default=False)
    opening_on = models.DateField(null=True)
    opening = AmountField(_("opening balance"), null=True)
    closing_on = models.DateField(_("closing on"), null=True)
    closing = AmountField(_("closing balance"), null=True)
    entries_sum = AmountField(_("sum of booked entries"), default=0)
    entries_count = models.PositiveIntegerField(_("entries"), default=0)
    new_count = models.PositiveIntegerField(_("new entries"), default=0)
    balanced = models.BooleanField(_("opening + entries = closing"), null=True)
    continuous = models.BooleanField(_("opening continues the statement before"), null=True)
    flags = models.JSONField(default=list)
    imported_at = models.DateTimeField(_("imported at"))

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-closing_on", "-id"]
        constraints = [models.UniqueConstraint(fields=["file", "place"], name="statement_once_per_place")]
        indexes = [models.Index(fields=["account", "-closing_on", "-id"], name="statement_newest")]

    def __str__(self) -> str:
        return f"{self.account} {self.closing_on or self.imported_at.date()} {self.number}".strip()


class Entry(models.Model):
    """A booked (or pending) bank line. `amount` is signed: money into the account is positive."""

    class Status(models.TextChoices):
        BOOKED = "BOOK", _("Booked")
        PENDING = "PDNG", _("Pending")
        INFORMATION = "INFO", _("Information")

    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="entries")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField()
    booked_on = models.DateField(_("booked on"))
    value_on = models.DateField(_("value on"), null=True)
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    status = models.CharField(_("status"), max_length=4, choices=Status, default=Status.BOOKED)
    reference = models.CharField(_("our reference"), max_length=70, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=70, blank=True)
    counterparty_name = models.CharField(_("counterparty"), max_length=200, blank=True)
    counterparty_account = models.CharField(_("counterparty account"), max_length=50, blank=True)
    text = models.TextField(_("text"), blank=True)
    code = models.CharField(max_length=40, blank=True)
    return_reason = models.CharField(_("return reason"), max_length=200, blank=True)
    identity = models.CharField(max_length=64)
    occurrence = models.PositiveIntegerField(default=1)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("bank line")
        verbose_name_plural = _("bank lines")
        ordering = ["-booked_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "identity", "occurrence"], name="entry_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["BOOK", "PDNG", "INFO"]), name="entry_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-booked_on", "-id"], name="entry_newest"),
            models.Index(fields=["reference"], name="entry_by_reference", condition=~models.Q(reference="")),
        ]

    def __str__(self) -> str:
        return f"{self.booked_on} {self.amount} {self.currency}"


class QuarantinedLine(models.Model):
    """A piece of a file that could not be read: shown to people, never guessed."""

    file = models.ForeignKey(InboundFile, on_delete=models.CASCADE, related_name="quarantined")
    position = models.PositiveIntegerField()
    raw = models.TextField()
    reason = models.CharField(max_length=500)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("quarantined line")
        verbose_name_plural = _("quarantined lines")
        ordering = ["file", "position"]

    def __str__(self) -> str:
        return f"{self.file} #{self.position}: {self.reason}"
