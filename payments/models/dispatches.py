"""The attempt chain that carries one approved payment to its bank, and back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.querysets import DispatchQuerySet


class Dispatch(models.Model):
    """One per payment. The claim (lease) and the exact bytes stand here before a byte leaves.

    `attempts` counts messages that may have left; `exchange` is the newest one. A lease that
    ran out while `sent` is set means: may have been sent, so the bank is asked, never resent.
    """

    payment = models.OneToOneField("payments.Payment", on_delete=models.PROTECT, related_name="dispatch")
    connection = models.ForeignKey("banks.Connection", on_delete=models.PROTECT, related_name="dispatches")
    exchange = models.ForeignKey(
        "banks.Exchange", on_delete=models.PROTECT, null=True, related_name="dispatches"
    )
    digest = models.CharField(max_length=64)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    claimed_by = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    answered_at = models.DateTimeField(_("last answer at"), null=True)
    next_query_at = models.DateTimeField(_("next enquiry at"), null=True)
    queries = models.PositiveIntegerField(_("enquiries"), default=0)
    bank_code = models.CharField(_("bank's code"), max_length=60, blank=True)
    bank_text = models.CharField(_("bank's words"), max_length=500, blank=True)

    objects = DispatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        indexes = [
            models.Index(
                fields=["next_query_at"],
                name="dispatch_to_query",
                condition=models.Q(next_query_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.payment)
