"""Whom a company may pay. Data change only through a proposed change and a second person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.querysets import BeneficiaryQuerySet
from payments.states import BeneficiaryState
from treasury.models.fields import CurrencyField


class Beneficiary(models.Model):
    """A payee of one company. `version` grows with every applied change of its bank details."""

    company = models.ForeignKey(
        "treasury.Company", on_delete=models.PROTECT, related_name="beneficiaries", verbose_name=_("company")
    )
    name = models.CharField(_("name"), max_length=140)
    account_number = models.CharField(_("account number or IBAN"), max_length=40)
    bank_code = models.CharField(_("CNAPS 联行号 or BIC"), max_length=20, blank=True)
    bank_name = models.CharField(_("bank"), max_length=140, blank=True)
    country = models.CharField(_("country"), max_length=2, default="CN")
    currency = CurrencyField(_("currency"))
    state = models.CharField(
        _("state"), max_length=10, choices=BeneficiaryState, default=BeneficiaryState.PENDING
    )
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)

    objects = BeneficiaryQuerySet.as_manager()

    class Meta:
        verbose_name = _("beneficiary")
        verbose_name_plural = _("beneficiaries")
        ordering = ["name"]
        permissions = [
            ("propose_beneficiary", "May propose and change beneficiaries"),
            ("confirm_beneficiary", "May confirm beneficiaries as the second person"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "account_number", "currency"], name="beneficiary_account_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=BeneficiaryState.values), name="beneficiary_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} …{self.account_number[-4:]}"
