"""The payments floor's addresses: beneficiaries, batches, payments, and one act for each transition.

Every act calls the service that the pages call; a state is never written by anyone but it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Count, DecimalField, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from payments import serializers as shapes
from payments.models import Batch, Beneficiary, Payment
from payments.models.payments import Source
from payments.services import approving, batches, checking, preparing, querying, returning
from payments.services.checking import Wish
from payments.services.preparing import Result
from payments.states import AT_THE_BANK, BeneficiaryState, PaymentState
from treasury import jobs
from treasury.api import errors
from treasury.api.filters import Filter
from treasury.api.idempotency import KEY, digest_of, key_of, once
from treasury.api.reading import Reading
from treasury.models import Account
from treasury.serializers import Failure, Nothing
from treasury.services import access

errors.means(
    409,
    returning.AlreadyMovingError,
    preparing.StaleEditError,
    approving.NotWaitingError,
    approving.ChangedSinceError,
    approving.AlreadyDecidedError,
)
errors.means(403, approving.SamePersonError, approving.WrongStepError)

REFUSALS = {
    400: OpenApiResponse(Failure, "The request is not of the documented form."),
    403: OpenApiResponse(Failure, "Your role, or your part in the payment, does not allow it."),
    404: OpenApiResponse(Failure, "There is no such row, or it was not granted to you."),
    409: OpenApiResponse(Failure, "The row is not in a state for this."),
    422: OpenApiResponse(Failure, "A rule forbids it, or the key belongs to another request."),
}


class BatchRefusedError(Exception):
    """Payments of the batch break rules, nothing was made; `errors` names each payment and field."""

    code = "payments.batch_refused"

    def __init__(self, found: list[dict[str, str]]) -> None:
        self.errors = found
        super().__init__(
            ngettext(
                "%(count)d rule is broken; nothing was made. Correct it and send the batch again.",
                "%(count)d rules are broken; nothing was made. Correct them and send the batch again.",
                len(found),
            )
            % {"count": len(found)}
        )


@extend_schema(tags=["Payments"])
@extend_schema_view(
    list=extend_schema(summary="Beneficiaries"), retrieve=extend_schema(summary="One beneficiary")
)
class Beneficiaries(Reading):
    """Payees of your companies. Only an ACTIVE one can be paid; a second person confirms each change."""

    model, serializer_class = Beneficiary, shapes.BeneficiaryRow
    queryset = Beneficiary.objects.none()
    filters = {
        "company": Filter("company", int, "Company"),
        "currency": Filter("currency", str, "ISO 4217 code"),
        "account_number": Filter("account_number", str, "Account number or IBAN, exactly"),
        "state": Filter("state", str, "State", tuple(BeneficiaryState.values)),
    }


@extend_schema(tags=["Payments"])
@extend_schema_view(list=extend_schema(summary="Batches"), retrieve=extend_schema(summary="One batch"))
class Batches(Reading):
    """Payments that were entered together, by a file, a sweep or a program."""

    model, serializer_class = Batch, shapes.BatchRow
    queryset = Batch.objects.none()
    related = ("account", "created_by")
    filters = {
        "account": Filter("account", int, "Debit account"),
        "source": Filter("source", str, "How it came", tuple(Source.values)),
    }

    def rows(self) -> QuerySet[Any]:
        nothing = Value(0, output_field=DecimalField())
        return Batch.objects.visible_to(self.request.user).annotate(
            payments_count=Count("payments"), payments_sum=Coalesce(Sum("payments__amount"), nothing)
        )

    @extend_schema(
        summary="Make a batch of payments",
        parameters=[KEY],
        request=shapes.BatchBody,
        responses={201: shapes.MadeBatch, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        """All payments are made, or none. With `submit` each is put before its approvers; one that no
        rule fits stays a draft and says so in `refused`."""
        body = shapes.BatchBody(data=request.data)
        body.is_valid(raise_exception=True)
        return once(request, lambda: (201, self._make(request, body.validated_data)))

    def _make(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        at, by = timezone.now(), request.user
        access.require(by, preparing.PREPARE)
        wishes = wishes_of(body, by)
        refuse_faulty(wishes, at)
        batch = batches.create_batch(
            account=wishes[0].account,
            name=body["name"],
            source=Source.API,
            by=by,
            at=at,
            wishes=wishes,
            idempotency_key=key_of(request),
            request_digest=digest_of(request),
        )
        results = preparing.submit_batch(batch=batch, by=by, at=at) if body["submit"] else []
        return made_body(self.get_queryset().get(pk=batch.pk), results)

    @extend_schema(
        summary="Submit every draft of a batch",
        parameters=[KEY],
        request=Nothing,
        responses={200: shapes.MadeBatch, **REFUSALS},
    )
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: int) -> Response:
        """One that is refused does not hold up the others; it stays a draft and says so in `refused`."""
        batch = get_object_or_404(self.rows(), pk=pk)
        Nothing(data=request.data or {}).is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            results = preparing.submit_batch(batch=batch, by=request.user, at=timezone.now())
            return 200, made_body(batch, results)

        return once(request, act)


def wishes_of(body: Mapping[str, Any], by: Any) -> list[Wish]:
    """The body's payments with the rows they name. Raises BatchRefusedError for rows `by` cannot see."""
    lines = body["payments"]
    accounts = Account.objects.visible_to(by).select_related("company", "bank")
    accounts_by_id = accounts.in_bulk(
        {body["account"], *(ln["own_account"] for ln in lines if "own_account" in ln)}
    )
    payees = Beneficiary.objects.visible_to(by).in_bulk(
        {ln["beneficiary"] for ln in lines if "beneficiary" in ln}
    )
    missing: list[dict[str, str]] = []

    def found(rows: Mapping[int, Any], key: int | None, field: str) -> Any:
        if key is not None and key not in rows:
            text = _("There is no %(number)d, or it was not granted to you.") % {"number": key}
            missing.append({"field": field, "code": "payments.not_found", "message": text, "hint": ""})
        return None if key is None else rows.get(key)

    account = found(accounts_by_id, body["account"], "account")
    chosen = [
        (
            found(payees, line.get("beneficiary"), f"payments[{n}].beneficiary"),
            found(accounts_by_id, line.get("own_account"), f"payments[{n}].own_account"),
        )
        for n, line in enumerate(lines)
    ]
    if missing:
        raise BatchRefusedError(missing)
    fields = ("amount", "currency", "execute_on", "purpose", "urgent")
    return [
        Wish(account=account, beneficiary=payee, own_account=own, **{name: line[name] for name in fields})
        for line, (payee, own) in zip(lines, chosen, strict=True)
    ]


def refuse_faulty(wishes: Sequence[Wish], at: datetime) -> None:
    """Raises BatchRefusedError with every rule that any of the wishes breaks."""
    found = [
        errors.fault_as_error(fault, at=f"payments[{n}].")
        for n, wish in enumerate(wishes)
        for fault in checking.faults_of(wish, at)
    ]
    if found:
        raise BatchRefusedError(found)


def made_body(batch: Batch, results: Sequence[Result]) -> dict[str, Any]:
    """A batch and how each of its payments stands."""
    refused = {r.payment_id: {"code": r.code, "message": r.error} for r in results if not r.done}
    rows = Payment.objects.filter(batch=batch).order_by("pk")
    payments = [
        {**row, "refused": refused.get(row["id"])}
        for row in rows.values("id", "reference", "state", "digest")
    ]
    return {**shapes.BatchRow(batch).data, "payments": shapes.MadePart(payments, many=True).data}


Act = Callable[[Payment, Mapping[str, Any], Any, datetime], Any]


def acting(summary: str, body: Any = Nothing) -> Any:
    """The documentation of an act on one payment."""
    return extend_schema(
        summary=summary,
        parameters=[KEY],
        request=body,
        responses={200: shapes.PaymentDetail, **REFUSALS},
    )


@extend_schema(tags=["Payments"])
@extend_schema_view(list=extend_schema(summary="Payments"), retrieve=extend_schema(summary="One payment"))
class Payments(Reading):
    """Payments from accounts granted to you. One payment also shows its approvals, its way and history."""

    model, serializer_class = Payment, shapes.PaymentRow
    queryset = Payment.objects.none()
    related = ("created_by",)
    filters = {
        "account": Filter("account", int, "Debit account"),
        "company": Filter("account__company", int, "Company"),
        "batch": Filter("batch", int, "Batch"),
        "beneficiary": Filter("beneficiary", int, "Beneficiary"),
        "state": Filter("state", str, "State", tuple(PaymentState.values)),
        "reference": Filter("reference", str, "Reference, exactly"),
        "execute_from": Filter("execute_on__gte", date, "Execution date from"),
        "execute_until": Filter("execute_on__lte", date, "Execution date to"),
    }

    def get_serializer_class(self) -> Any:
        return shapes.PaymentRow if self.action == "list" else shapes.PaymentDetail

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()
        return (
            found if self.action == "list" else found.prefetch_related("approval_requests__decisions__person")
        )

    def act(self, request: Request, pk: int, body: Any, do: Act) -> Response:
        """Do one thing to one visible payment, once per key; the answer is the payment as it stands."""
        payment = get_object_or_404(Payment.objects.visible_to(request.user), pk=pk)
        asked = body(data=request.data or {})
        asked.is_valid(raise_exception=True)

        def run() -> tuple[int, Any]:
            do(payment, asked.validated_data, request.user, timezone.now())
            return 200, shapes.PaymentDetail(self.get_queryset().get(pk=payment.pk)).data

        return once(request, run)

    @acting("Submit a draft")
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: int) -> Response:
        """Puts a draft before its approvers. No rule that fits means that it is refused."""
        return self.act(
            request, pk, Nothing, lambda p, _b, by, at: preparing.submit_payment(payment=p, by=by, at=at)
        )

    @acting("Withdraw")
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Takes a waiting payment back to draft: the right of who entered or submitted it."""
        return self.act(
            request, pk, Nothing, lambda p, _b, by, at: preparing.withdraw_payment(payment=p, by=by, at=at)
        )

    @acting("Cancel", shapes.CancelBody)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Ends a payment that was not sent."""
        return self.act(
            request,
            pk,
            shapes.CancelBody,
            lambda p, b, by, at: preparing.cancel_payment(payment=p, by=by, at=at, reason=b["reason"]),
        )

    @acting("Approve", shapes.ApproveBody)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        """Your signed yes to exactly the digest you name. The last yes needed sends the payment off."""
        return self.act(
            request,
            pk,
            shapes.ApproveBody,
            lambda p, b, by, at: approving.approve_payment(payment=p, by=by, at=at, **b),
        )

    @acting("Send back", shapes.DecideBody)
    @action(detail=True, methods=["post"], url_path="send-back")
    def send_back(self, request: Request, pk: int) -> Response:
        """Gives a waiting payment back to who entered it."""
        return self.act(
            request,
            pk,
            shapes.DecideBody,
            lambda p, b, by, at: approving.send_back(payment=p, by=by, at=at, **b),
        )

    @acting("Reject", shapes.DecideBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: int) -> Response:
        """Says no to a waiting payment, finally."""
        return self.act(
            request,
            pk,
            shapes.DecideBody,
            lambda p, b, by, at: approving.reject(payment=p, by=by, at=at, **b),
        )

    @acting("Ask the bank")
    @action(detail=True, methods=["post"], url_path="ask-bank")
    def ask_bank(self, request: Request, pk: int) -> Response:
        """Makes the enquiry about a payment at the bank due now; a worker asks."""
        return self.act(request, pk, Nothing, ask_bank)


def ask_bank(payment: Payment, _body: Mapping[str, Any], by: Any, at: datetime) -> None:
    """Raises AlreadyMovingError for a payment that is not at its bank."""
    row = returning.locked(payment)
    access.require_account(by, row.account)
    returning.require_state(row, *sorted(AT_THE_BANK), PaymentState.SETTLED)
    querying.ask_soon(references=[row.reference], at=at)
    jobs.enqueue("payments.tasks.send_due")


router = SimpleRouter(use_regex_path=False)
router.register("beneficiaries", Beneficiaries)
router.register("payment-batches", Batches)
router.register("payments", Payments)
urlpatterns = router.urls
