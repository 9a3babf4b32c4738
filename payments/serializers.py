"""How payments, batches and beneficiaries look in the API, and the bodies of the acts on them."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments.models import ApprovalRequest, Batch, Beneficiary, Decision, Dispatch, Payment
from payments.services import approving
from treasury import money
from treasury.models import AuditEvent
from treasury.serializers import AMOUNT_SCHEMA, Amount, AmountText, Flag, Id, Strict, Text, written
from treasury.services import auditing

BATCH_AT_MOST = 5000
"""Payments of one batch."""


# --- rows ---------------------------------------------------------------------------------


class BeneficiaryRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Beneficiary
        fields = (
            "id", "company", "name", "account_number", "bank_code", "bank_name", "country", "currency",
            "state", "version",
        )  # fmt: skip


class PaymentRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A payment. `digest` is what an approval must name as `expected_digest`."""

    amount = Amount()
    created_by = serializers.CharField(source="created_by.username", read_only=True)

    class Meta:
        model = Payment
        fields = (
            "id", "reference", "batch", "account", "kind", "source", "beneficiary", "own_account",
            "payee_name", "payee_account", "payee_bank_code", "payee_bank_name", "payee_country", "amount",
            "currency", "execute_on", "purpose", "urgent", "state", "version", "digest", "created_by",
            "created_at", "submitted_at", "note", "bank_reference", "settled_at",
        )  # fmt: skip
        read_only_fields = fields


class DispatchPart(serializers.ModelSerializer):  # type: ignore[type-arg]
    """How the payment went to its bank; `next_query_at` is when the bank is asked next."""

    connection = serializers.CharField(source="connection.name", read_only=True)

    class Meta:
        model = Dispatch
        fields = (
            "connection", "attempts", "sent_at", "answered_at", "next_query_at", "queries", "bank_code",
            "bank_text",
        )  # fmt: skip


class DecisionPart(serializers.ModelSerializer):  # type: ignore[type-arg]
    person = serializers.CharField(source="person.username", read_only=True)

    class Meta:
        model = Decision
        fields = ("person", "step", "verdict", "reason", "digest", "at")


class StepPart(serializers.Serializer):  # type: ignore[type-arg]
    """One step of the approval: so many people of the role, and how many have said yes."""

    order = serializers.IntegerField()
    role = serializers.CharField()
    required = serializers.IntegerField()  # type: ignore[assignment]
    given = serializers.IntegerField()


class RequestPart(serializers.ModelSerializer):  # type: ignore[type-arg]
    """What the approvers were asked about one version."""

    steps = serializers.SerializerMethodField()
    decisions = DecisionPart(many=True, read_only=True)

    class Meta:
        model = ApprovalRequest
        fields = ("version", "state", "opened_at", "closed_at", "steps", "decisions")

    @extend_schema_field(StepPart(many=True))
    def get_steps(self, row: ApprovalRequest) -> Any:
        return StepPart(approving.standing(row), many=True).data


class EventPart(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One event of the audit trail."""

    who = serializers.CharField(source="actor_name", read_only=True)
    detail = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = ("at", "who", "action", "detail")

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_detail(self, row: AuditEvent) -> Any:
        return json.loads(row.detail)


class PaymentDetail(PaymentRow):
    """A payment with its approvals, its way to the bank and its history."""

    approvals = RequestPart(source="approval_requests", many=True, read_only=True)
    dispatch = serializers.SerializerMethodField()
    timeline = serializers.SerializerMethodField()

    class Meta(PaymentRow.Meta):
        fields = (*PaymentRow.Meta.fields, "approvals", "dispatch", "timeline")  # type: ignore[assignment]

    @extend_schema_field(DispatchPart(allow_null=True))
    def get_dispatch(self, row: Payment) -> Any:
        found = Dispatch.objects.select_related("connection").filter(payment=row).first()
        return None if found is None else DispatchPart(found).data

    @extend_schema_field(EventPart(many=True))
    def get_timeline(self, row: Payment) -> Any:
        return EventPart(auditing.of(row), many=True).data


class BatchRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A batch with the number and the sum of its payments; list them with /payments/?batch=…"""

    currency = serializers.CharField(source="account.currency", read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    payments_count = serializers.IntegerField(read_only=True)
    payments_sum = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = (
            "id", "account", "currency", "name", "source", "created_by", "created_at", "payments_count",
            "payments_sum",
        )  # fmt: skip

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_payments_sum(self, row: Any) -> str:
        return written(row.payments_sum, row.account.currency)


# --- bodies -------------------------------------------------------------------------------


class PaymentBody(Strict):
    """A payment to make. Exactly one payee: a `beneficiary`, or an `own_account` to transfer to."""

    beneficiary = Id(required=False)
    own_account = Id(required=False)
    amount = AmountText()
    currency = Text(max_length=3)
    execute_on = serializers.DateField()
    purpose = Text(required=False, allow_blank=True, max_length=140, default="")
    urgent = Flag(required=False, default=False)

    default_error_messages = {
        "payee": gettext_lazy("Name exactly one payee: beneficiary or own_account."),
    }

    def validate_currency(self, code: str) -> str:
        try:
            return money.check_currency(code)
        except money.MoneyError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("beneficiary" in attrs) == ("own_account" in attrs):
            self.fail("payee")
        return attrs


class BatchBody(Strict):
    """Payments from one account, made all or none. `submit` puts them before their approvers at once."""

    account = Id()
    name = Text(max_length=140)
    submit = Flag(required=False, default=False)
    payments = PaymentBody(many=True, allow_empty=False, max_length=BATCH_AT_MOST)  # type: ignore[call-arg]


class MadePart(serializers.Serializer):  # type: ignore[type-arg]
    """One payment as it stands after the request. `refused` says why it could not be submitted."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.CharField()
    digest = serializers.CharField()
    refused = serializers.DictField(child=serializers.CharField(), allow_null=True)


class MadeBatch(BatchRow):
    """A batch and every payment of it, in the order they were sent."""

    payments = MadePart(many=True)

    class Meta(BatchRow.Meta):
        fields = (*BatchRow.Meta.fields, "payments")  # type: ignore[assignment]


class ReasonBody(Strict):
    """Why; the person who entered the payment reads it."""

    reason = Text(max_length=500)


class CancelBody(Strict):
    """Why; needed once the payment went to its approvers."""

    reason = Text(max_length=500, required=False, allow_blank=True, default="")


class ApproveBody(Strict):
    """The digest of exactly what is approved, as the payment showed it."""

    expected_digest = serializers.RegexField(r"^[0-9a-f]{64}$")


class DecideBody(ApproveBody):
    """The digest of what is decided on, and why."""

    reason = Text(max_length=500)
