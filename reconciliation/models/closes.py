"""Closed days. A close keeps the adjustment statement (余额调节表) exactly as it was signed off."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from reconciliation.querysets import CloseQuerySet
from treasury.models.fields import AmountField, CurrencyField


class Close(models.Model):
    """A day of an account signed off: both sides, what explains the rest, and that they agree."""

    account = models.ForeignKey(
        "treasury.Account", on_delete=models.PROTECT, related_name="closes", verbose_name=_("account")
    )
    on = models.DateField(_("closed day"))
    currency = CurrencyField()
    bank_balance = AmountField(_("balance at the bank"))
    book_balance = AmountField(_("balance in the books"))
    adjusted_bank = AmountField(_("bank balance after adjustment"))
    adjusted_book = AmountField(_("book balance after adjustment"))
    sheet = models.JSONField(default=dict)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("closed by")
    )
    closed_at = models.DateTimeField(_("closed at"))

    objects = CloseQuerySet.as_manager()

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
