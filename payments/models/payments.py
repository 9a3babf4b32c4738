"""Payments, the batches they come in, and the files they were imported from.

The money fields of a payment (account, payee, amount, currency, date) are what approval signs.
`digest` is their SHA-256 for the current `version`; triggers (migration 0002) refuse a change
of them once the payment is approved.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments import rules
from payments.querysets import BatchQuerySet, PaymentQuerySet
from payments.states import PaymentState
from treasury.models.fields import AmountField, CurrencyField


class Source(models.TextChoices):
    FORM = "FORM", _("Entry form")
    IMPORT = "IMPORT", _("Imported file")
    API = "API", _("API")
    SWEEP = "SWEEP", _("Sweep between own accounts")


class ImportedFile(models.Model):
    """A payment file as uploaded. The same bytes make payments only once per company.

    An import that was undone frees its bytes again.
    """

    company = models.ForeignKey("treasury.Company", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("treasury.Account", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "sha256"],
                condition=models.Q(committed_at__isnull=False, undone_at__isnull=True),
                name="payment_file_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Batch(models.Model):
    """Payments that were entered together: a file, an API call, a sweep run."""

    account = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="batches", verbose_name=_("debit account")
    )
    name = models.CharField(_("name"), max_length=140)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    file = models.OneToOneField(ImportedFile, on_delete=models.PROTECT, null=True, related_name="batch")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    idempotency_key = models.CharField(max_length=100, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["created_by", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="batch_once_per_key",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """One credit transfer from an own account to a payee (or to another own account)."""

    class Kind(models.TextChoices):
        SUPPLIER = "SUPPLIER", _("Supplier")
        TRANSFER = "TRANSFER", _("Own-account transfer")

    reference = models.CharField(_("reference"), max_length=30, unique=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="payments")
    account = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="payments", verbose_name=_("debit account")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SUPPLIER)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    beneficiary = models.ForeignKey(
        "payments.Beneficiary",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("beneficiary"),
    )
    own_account = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, null=True, blank=True, related_name="incoming_transfers"
    )
    payee_name = models.CharField(_("payee"), max_length=140)
    payee_account = models.CharField(_("payee account"), max_length=40)
    payee_bank_code = models.CharField(max_length=20, blank=True)
    payee_bank_name = models.CharField(max_length=140, blank=True)
    payee_country = models.CharField(max_length=2, default="CN")
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    execute_on = models.DateField(_("execution date"))
    purpose = models.CharField(_("purpose"), max_length=140, blank=True)
    urgent = models.BooleanField(_("urgent"), default=False)
    state = models.CharField(_("state"), max_length=14, choices=PaymentState, default=PaymentState.DRAFT)
    version = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    note = models.CharField(_("last remark"), max_length=500, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=70, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        permissions = [
            ("prepare_payment", "May enter and submit payments"),
            ("approve_payment", "May approve payments"),
            ("resolve_payment", "May resolve payments the bank cannot tell about"),
            ("manage_sweeps", "May set up and run sweeps between own accounts"),
            ("configure_rules", "May set up approval rules"),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="payment_by_state"),
            models.Index(fields=["account", "-id"], name="payment_by_account"),
            models.Index(
                fields=["execute_on", "id"], name="payment_due", condition=models.Q(state="APPROVED")
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(state__in=PaymentState.values), name="payment_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="TRANSFER", own_account__isnull=False, beneficiary__isnull=True)
                | models.Q(kind="SUPPLIER", own_account__isnull=True, beneficiary__isnull=False),
                name="payment_has_one_payee",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def compute_digest(self) -> str:
        """The digest of the money fields as they stand in this row (`account.company` loaded)."""
        return rules.money_digest(
            reference=self.reference,
            version=self.version,
            kind=self.kind,
            account_number=self.account.number,
            account_currency=self.account.currency,
            account_bank_code=self.account.branch_code,
            debtor_name=self.account.company.name,
            payee_name=self.payee_name,
            payee_account=self.payee_account,
            payee_bank_code=self.payee_bank_code,
            payee_bank_name=self.payee_bank_name,
            payee_country=self.payee_country,
            amount=self.amount,
            currency=self.currency,
            execute_on=self.execute_on,
            purpose=self.purpose,
            urgent=self.urgent,
        )


class PaymentVersion(models.Model):
    """What a person made of a payment: one row per creation and edit, never changed.

    Whoever made any version may not approve the payment. `facts` are the fields as text, for
    the difference that approvers are shown.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    facts = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["payment", "version"]
        constraints = [models.UniqueConstraint(fields=["payment", "version"], name="one_row_per_version")]

    def __str__(self) -> str:
        return f"{self.payment} v{self.version}"
