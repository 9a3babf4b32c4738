"""Cash to come that no payment knows of yet: recurring items and imported plan rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from treasury.models.companies import Account, Company
from treasury.models.fields import AmountField, CurrencyField
from treasury.querysets import PlanImportQuerySet, RecurringFlowQuerySet


class RecurringFlow(models.Model):
    """Money expected again and again: rent, wages, a customer's monthly instalment.

    `amount` is signed: money in is positive. A monthly item on day 31 falls on the last day.
    """

    class Every(models.TextChoices):
        WEEK = "WEEK", _("week")
        MONTH = "MONTH", _("month")
        QUARTER = "QUARTER", _("quarter")

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="recurring_flows", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=140)
    category = models.CharField(_("category"), max_length=60)
    amount = AmountField(_("amount"))
    every = models.CharField(_("every"), max_length=10, choices=Every, default=Every.MONTH)
    starts_on = models.DateField(_("first on"))
    ends_on = models.DateField(_("last on"), null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = RecurringFlowQuerySet.as_manager()

    class Meta:
        verbose_name = _("recurring flow")
        verbose_name_plural = _("recurring flows")
        ordering = ["name"]
        permissions = [("plan_cash", "May plan cash: recurring items, cash plans and exchange rates")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(amount=0), name="recurring_amount_not_zero"),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="recurring_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanImport(models.Model):
    """One uploaded cash plan: stored as it came, in force from `committed_at` until `undone_at`.

    The same bytes are in force once per company. Undoing removes the rows and nothing else.
    """

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", verbose_name=_("company")
    )
    name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(default=b"")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    made_at = models.DateTimeField(_("uploaded at"))
    committed_at = models.DateTimeField(_("in force since"), null=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    rows_count = models.PositiveIntegerField(_("rows"), default=0)

    objects = PlanImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("cash plan")
        verbose_name_plural = _("cash plans")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "sha256"],
                condition=models.Q(committed_at__isnull=False, undone_at__isnull=True),
                name="plan_file_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlannedFlow(models.Model):
    """One row of a cash plan: signed amount on a date, money in positive."""

    plan = models.ForeignKey(PlanImport, on_delete=models.CASCADE, related_name="rows")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    on = models.DateField()
    amount = AmountField()
    currency = CurrencyField()
    category = models.CharField(max_length=60)
    text = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("planned flow")
        verbose_name_plural = _("planned flows")
        ordering = ["on", "id"]
        indexes = [models.Index(fields=["company", "currency", "on"], name="planned_by_day")]

    def __str__(self) -> str:
        return f"{self.on} {self.amount} {self.currency}"
