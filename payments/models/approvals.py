"""Who must approve what, the request for one version of a payment, and each person's decision."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.states import RequestState
from treasury.models.fields import AmountField


class ApprovalRule(models.Model):
    """One amount band of one company, in its base currency: from (inclusive) to (exclusive).

    `account` and `kind` narrow the rule; the narrowest rule that fits decides. Rules come into
    force through a proposed change and a second person. No rule that fits means blocked.
    """

    company = models.ForeignKey(
        "treasury.Company", on_delete=models.PROTECT, related_name="approval_rules", verbose_name=_("company")
    )
    account = models.ForeignKey(
        "treasury.Account",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only account"),
    )
    kind = models.CharField(_("only kind"), max_length=10, blank=True)
    amount_from = AmountField(_("from (inclusive)"), default=0)
    amount_to = AmountField(_("to (exclusive)"), null=True, blank=True)
    valid_from = models.DateField(_("valid from"))
    retired_on = models.DateField(_("retired on"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ["company", "account", "kind", "amount_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_to__isnull=True) | models.Q(amount_to__gt=models.F("amount_from")),
                name="rule_band_not_empty",
            )
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.amount_from}–{self.amount_to or '∞'} {self.company.base_currency}"


class ApprovalStep(models.Model):
    """One step of a rule: so many different people of one role. Steps run in order."""

    rule = models.ForeignKey(ApprovalRule, on_delete=models.CASCADE, related_name="steps")
    order = models.PositiveSmallIntegerField()
    role = models.ForeignKey("auth.Group", on_delete=models.PROTECT, related_name="+")
    required = models.PositiveSmallIntegerField(_("people needed"), default=1)

    class Meta:
        ordering = ["rule", "order"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "order"], name="step_order_once"),
            models.CheckConstraint(condition=models.Q(required__gte=1), name="step_needs_someone"),
        ]

    def __str__(self) -> str:
        return f"{self.order}. {self.required} × {self.role}"


class ApprovalRequest(models.Model):
    """The question put to the approvers: this version, with this digest, under this rule.

    `steps` is the rule's steps as they stood at submission: [{order, role, required}], so that a
    later rule change does not alter what this request needs. `base_amount` is the amount in the
    company's base currency that chose the band. `due_role` is the role of the first
    incomplete step, kept for the approvers' queue; completeness is always counted.
    """

    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, related_name="approval_requests"
    )
    version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    rule = models.ForeignKey(ApprovalRule, on_delete=models.PROTECT, related_name="+")
    steps = models.JSONField()
    base_amount = AmountField()
    due_role = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_role", "-payment"], name="request_due", condition=models.Q(state="OPEN")
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["payment", "version"], name="one_request_per_version"),
            models.UniqueConstraint(
                fields=["payment"],
                condition=models.Q(state__in=["OPEN", "COMPLETE"]),
                name="one_live_request_per_payment",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RequestState.values), name="request_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment} v{self.version}"


class Decision(models.Model):
    """One person's word on one request, once. `signature` binds person, verdict, digest and time."""

    class Verdict(models.TextChoices):
        APPROVE = "APPROVE", _("Approved")
        SEND_BACK = "SEND_BACK", _("Sent back")
        REJECT = "REJECT", _("Rejected")

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "person"], name="one_decision_per_person_and_version"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["APPROVE", "SEND_BACK", "REJECT"]), name="verdict_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.verdict} {self.request}"
