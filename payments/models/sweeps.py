"""Cash moves between own accounts (资金归集, 下拨): the standing rules and their runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.querysets import SweepRuleQuerySet, SweepRunQuerySet
from treasury.models.fields import AmountField


class SweepRule(models.Model):
    """Keep `member` at `target_balance`, against `header` (the pool's main account).

    COLLECT moves what is above the target up to the header; FUND moves what is missing down;
    BOTH does either. Legs below `minimum_transfer` are left alone; `leave_in_header` is never
    drawn on. In force only when `active`, which takes a second person.
    """

    class Direction(models.TextChoices):
        COLLECT = "COLLECT", _("Collect (归集)")
        FUND = "FUND", _("Fund (下拨)")
        BOTH = "BOTH", _("Collect and fund")

    name = models.CharField(_("name"), max_length=140)
    header = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("main account")
    )
    member = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("member account")
    )
    direction = models.CharField(_("direction"), max_length=10, choices=Direction)
    target_balance = AmountField(_("target balance"), default=0)
    minimum_transfer = AmountField(_("smallest transfer"), default=0)
    leave_in_header = AmountField(_("keep in main account"), default=0)
    order = models.PositiveSmallIntegerField(_("order"), default=100)
    purpose = models.CharField(
        _("purpose"),
        max_length=70,
        blank=True,
        help_text=_("Written on each transfer. Required between two companies: name the loan agreement."),
    )
    active = models.BooleanField(_("active"), default=False)

    objects = SweepRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sweep rule")
        verbose_name_plural = _("sweep rules")
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(header=models.F("member")), name="sweep_between_two_accounts"
            ),
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(active=True), name="one_active_sweep_per_member"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SweepRun(models.Model):
    """One execution: the explained legs as computed, and the batches it made.

    `legs` is a list of `payments.pooling.Leg` as JSON, each with the id of the payment it made.
    `reason` says why rules that had already run that day were run again.
    """

    on = models.DateField(_("day"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("run by")
    )
    made_at = models.DateTimeField(_("run at"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    legs = models.JSONField()
    batches = models.ManyToManyField("payments.Batch", related_name="sweep_runs")

    objects = SweepRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("sweep run")
        verbose_name_plural = _("sweep runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.on} #{self.pk}"
