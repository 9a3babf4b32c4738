"""Cash moves between own accounts (资金归集, 下拨): the standing rules and their runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

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
    active = models.BooleanField(_("active"), default=False)

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
    """One execution: the explained legs as computed, and the batches it made."""

    on = models.DateField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField()
    legs = models.JSONField()
    batches = models.ManyToManyField("payments.Batch", related_name="sweep_runs")

    class Meta:
        verbose_name = _("sweep run")
        verbose_name_plural = _("sweep runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.on} #{self.pk}"
