"""Deciding: approve, send back, reject. One word per person and version, signed, never on own items.

Every decision names the digest its maker saw; if the payment is another one by now, it is refused.
The payment row is locked first, then looked at: two approvers, an edit and a withdrawal take turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from payments.models import ApprovalRequest, Beneficiary, Decision, Payment
from payments.services import checking, returning, signing, writing
from payments.services.preparing import Result
from payments.states import REQUEST_TRANSITIONS, TRANSITIONS, BeneficiaryState, PaymentState, RequestState
from treasury import jobs
from treasury.models import ProposedChange
from treasury.services import access, auditing, moving

APPROVE = "payments.approve_payment"
SEND_TASK = "payments.tasks.send_due"
BENEFICIARY_KIND = "payments.beneficiary"


class ApprovalRefusedError(Exception):
    """The decision cannot be taken; the text says why and what to do."""

    code = "payments.approval_refused"
    hint = ""


class NotWaitingError(ApprovalRefusedError):
    """The payment does not wait for a decision (any more)."""

    code = "payments.not_waiting"


class ChangedSinceError(ApprovalRefusedError):
    """The payment is not the one its approver looked at."""

    code = "payments.changed_since"


class SamePersonError(ApprovalRefusedError):
    """The person made, edited or submitted the payment, or had a hand in its beneficiary."""

    code = "payments.same_person"


class AlreadyDecidedError(ApprovalRefusedError):
    """The person has already had their word on this version."""

    code = "payments.already_decided"


class WrongStepError(ApprovalRefusedError):
    """The step that is due asks for a role the person does not hold."""

    code = "payments.wrong_step"


class TooLateError(ApprovalRefusedError):
    """The execution date has passed at the bank."""

    code = "payments.too_late"


class ReasonMissingError(ApprovalRefusedError):
    """Sending back and rejecting need a reason."""

    code = "payments.reason_missing"


@dataclass(frozen=True, slots=True)
class StepStanding:
    """How far one step of a request is."""

    order: int
    role: str
    required: int
    given: int

    @property
    def complete(self) -> bool:
        return self.given >= self.required


def standing(request: ApprovalRequest) -> list[StepStanding]:
    """Each step with the number of different people who approved it, in order."""
    people: dict[int, set[int]] = {}
    for decision in request.decisions.all():
        if decision.verdict == Decision.Verdict.APPROVE and decision.digest == request.digest:
            people.setdefault(decision.step, set()).add(decision.person_id)
    return [
        StepStanding(s["order"], s["role"], s["required"], len(people.get(s["order"], ())))
        for s in sorted(request.steps, key=lambda step: step["order"])
    ]


def due_step(request: ApprovalRequest) -> StepStanding | None:
    """The first incomplete step, or None when nobody is missing."""
    return next((step for step in standing(request) if not step.complete), None)


def hands_in_payment(payment: Payment) -> set[int]:
    """Everybody who entered, edited or submitted the payment."""
    makers = {version.made_by_id for version in payment.versions.all()}
    own = {payment.created_by_id, payment.edited_by_id, payment.submitted_by_id}
    return (makers | own) - {None}  # type: ignore[return-value]


def hands_in_beneficiary(beneficiary: Beneficiary | None) -> set[int]:
    """Everybody who ever created, changed or confirmed the payee's data."""
    if beneficiary is None:
        return set()
    people = {beneficiary.created_by_id, beneficiary.changed_by_id, beneficiary.confirmed_by_id}
    applied = ProposedChange.objects.filter(
        kind=BENEFICIARY_KIND, object_id=beneficiary.pk, state=ProposedChange.State.APPLIED
    )
    for made_by, decided_by in applied.values_list("made_by", "decided_by"):
        people |= {made_by, decided_by}
    return {person for person in people if person is not None}


# --- the decisions ------------------------------------------------------------------------


@transaction.atomic
def approve_payment(*, payment: Payment, expected_digest: str, by: Any, at: datetime) -> Payment:
    """One person's yes to exactly `expected_digest`; the last one needed makes it APPROVED.

    Raises ApprovalRefusedError (a subclass names the reason) or AccessDeniedError.
    """
    row = _approve(payment, expected_digest, by, at)
    if row.state == PaymentState.APPROVED:
        jobs.enqueue(SEND_TASK)
    return row


def _approve(payment: Payment, expected_digest: str, by: Any, at: datetime) -> Payment:
    row, request, step = _ready(payment, expected_digest, by, at)
    _refuse_unpayable(row, at)
    _decide(row, request, step, Decision.Verdict.APPROVE, "", by, at)
    due = due_step(request)
    if due is not None:
        if due.role != request.due_role:
            ApprovalRequest.objects.filter(pk=request.pk).update(due_role=due.role)
        return row
    moving.move(
        row=request,
        to=RequestState.COMPLETE,
        transitions=REQUEST_TRANSITIONS,
        by=by,
        at=at,
        action="payments.request_complete",
        changes={"closed_at": at},
        company=row.account.company,
    )
    return moving.move(
        row=row,
        to=PaymentState.APPROVED,
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action="payments.approved",
        company=row.account.company,
        version=row.version,
        digest=row.digest,
    )


def approve_payments(*, expectations: Sequence[tuple[int, str]], by: Any, at: datetime) -> list[Result]:
    """Approve many, each on its own: (payment id, digest as shown). A result for every one.

    Raises AccessDeniedError when `by` may not approve at all.
    """
    access.require(by, APPROVE)
    visible = Payment.objects.visible_to(by).in_bulk([pk for pk, _digest in expectations])
    results, complete = [], False
    for pk, digest in expectations:
        payment = visible.get(pk)
        if payment is None:
            results.append(
                Result(pk, error=_("There is no such payment for you."), code="payments.not_found")
            )
            continue
        try:
            with transaction.atomic():
                row = _approve(payment, digest, by, at)
            complete = complete or row.state == PaymentState.APPROVED
            results.append(Result(pk, payment.reference))
        except (ApprovalRefusedError, access.AccessDeniedError) as error:
            results.append(Result(pk, payment.reference, str(error), error.code))
    if complete:
        jobs.enqueue(SEND_TASK)
    return results


@transaction.atomic
def send_back(*, payment: Payment, expected_digest: str, reason: str, by: Any, at: datetime) -> Payment:
    """Back to its maker with a reason. Raises as `approve_payment`, and ReasonMissingError."""
    row, request, step = _ready(payment, expected_digest, by, at, reason=reason)
    _decide(row, request, step, Decision.Verdict.SEND_BACK, reason, by, at)
    return returning.return_to_draft(
        row,
        action="payments.sent_back",
        note=reason,
        by=by,
        at=at,
        request_state=RequestState.SENT_BACK,
    )


@transaction.atomic
def reject(*, payment: Payment, expected_digest: str, reason: str, by: Any, at: datetime) -> Payment:
    """No, finally, with a reason. Raises as `approve_payment`, and ReasonMissingError."""
    row, request, step = _ready(payment, expected_digest, by, at, reason=reason)
    _decide(row, request, step, Decision.Verdict.REJECT, reason, by, at)
    returning.close_request(row, to=RequestState.REJECTED, by=by, at=at)
    return moving.move(
        row=row,
        to=PaymentState.REJECTED,
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action="payments.rejected",
        changes={"note": reason[:500]},
        company=row.account.company,
        reason=reason,
    )


def _ready(
    payment: Payment, expected_digest: str, by: Any, at: datetime, reason: str | None = None
) -> tuple[Payment, ApprovalRequest, StepStanding]:
    """Lock the payment and check everything a decision of `by` on it needs."""
    access.require(by, APPROVE)
    if reason is not None and not reason.strip():
        raise ReasonMissingError(_("Write the reason; the person who entered the payment will read it."))
    row = returning.locked(payment)
    access.require_account(by, row.account)
    if row.state != PaymentState.SUBMITTED:
        raise NotWaitingError(
            _("%(payment)s is %(state)s; there is nothing to decide.")
            % {"payment": row, "state": row.get_state_display()}
        )
    if expected_digest != row.digest or row.compute_digest() != row.digest:
        raise ChangedSinceError(
            _("%(payment)s was changed since you opened it. Look at it again before you decide.")
            % {"payment": row}
        )
    request = ApprovalRequest.objects.get(payment=row, state=RequestState.OPEN)
    if (request.version, request.digest) != (row.version, row.digest):
        raise ChangedSinceError(_("%(payment)s is not what was submitted.") % {"payment": row})
    return row, request, _step_for(row, request, by)


def _step_for(row: Payment, request: ApprovalRequest, by: Any) -> StepStanding:
    refuse_own(row, by)
    if any(decision.person_id == by.pk for decision in request.decisions.all()):
        raise AlreadyDecidedError(
            _("%(person)s has already decided on %(payment)s. Another person is needed.")
            % {"person": by, "payment": row}
        )
    step = due_step(request)
    if step is None:
        raise NotWaitingError(_("%(payment)s has all its approvals.") % {"payment": row})
    if not by.groups.filter(name=step.role).exists():
        raise WrongStepError(
            _("%(payment)s now waits for the role %(role)s, which %(person)s does not hold.")
            % {"payment": row, "role": _(step.role), "person": by}
        )
    return step


def refuse_own(row: Payment, by: Any) -> None:
    """Raises SamePersonError when `by` had a hand in the payment or in its payee."""
    if by.pk in hands_in_payment(row):
        raise SamePersonError(
            _("%(person)s entered, edited or submitted %(payment)s and cannot decide on it.")
            % {"person": by, "payment": row}
        )
    if by.pk in hands_in_beneficiary(row.beneficiary):
        raise SamePersonError(
            _("%(person)s had a hand in the beneficiary of %(payment)s and cannot decide on it.")
            % {"person": by, "payment": row}
        )


def _refuse_unpayable(row: Payment, at: datetime) -> None:
    today = checking.today_at(row.account, at)
    if row.execute_on < today:
        raise TooLateError(
            _("The execution date %(date)s has passed. Send %(payment)s back for a new date.")
            % {"date": row.execute_on, "payment": row}
        )
    if row.beneficiary is not None and row.beneficiary.state != BeneficiaryState.ACTIVE:
        raise ApprovalRefusedError(
            _("%(payee)s is not an active beneficiary. Send %(payment)s back.")
            % {"payee": row.payee_name, "payment": row}
        )
    if not writing.payee_is_current(row):
        raise ChangedSinceError(
            _("The bank details of %(payee)s were changed. Send %(payment)s back.")
            % {"payee": row.payee_name, "payment": row}
        )


def _decide(
    row: Payment,
    request: ApprovalRequest,
    step: StepStanding,
    verdict: str,
    reason: str,
    by: Any,
    at: datetime,
) -> Decision:
    said = signing.statement(
        request_id=request.pk,
        reference=row.reference,
        version=request.version,
        digest=row.digest,
        person_id=by.pk,
        verdict=verdict,
        step=step.order,
        at=at,
    )
    decision = Decision.objects.create(
        request=request,
        person=by,
        step=step.order,
        verdict=verdict,
        reason=reason[:500],
        digest=row.digest,
        signature=signing.sign(said),
        at=at,
    )
    auditing.record(
        action="payments.decided",
        about=row,
        by=by,
        at=at,
        company=row.account.company,
        verdict=verdict,
        step=step.order,
        role=step.role,
        version=row.version,
        digest=row.digest,
        reason=reason,
    )
    return decision
