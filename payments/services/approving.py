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
from django.db.models import Q
from django.utils.translation import gettext as _

from payments.models import ApprovalRequest, Decision, Payment, PaymentVersion
from payments.services import checking, returning, signing, warnings, writing
from payments.services.preparing import Result
from payments.services.warnings import BENEFICIARY_KIND
from payments.states import REQUEST_TRANSITIONS, TRANSITIONS, BeneficiaryState, PaymentState, RequestState
from treasury import jobs
from treasury.models import Account, ProposedChange
from treasury.services import access, auditing, moving

APPROVE = "payments.approve_payment"
SEND_TASK = "payments.tasks.send_due"


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


class FlaggedError(ApprovalRefusedError):
    """Something about the payment has to be looked at; it is not approved among many."""

    code = "payments.flagged"


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


# --- the decisions ------------------------------------------------------------------------


class _Decider:
    """One person before a number of locked payments: what is needed to judge each, asked once."""

    def __init__(self, by: Any, rows: Sequence[Payment], at: datetime) -> None:
        self.by, self.at = by, at
        keys = [row.pk for row in rows]
        self.roles = set(by.groups.values_list("name", flat=True))
        self.granted = set(Account.objects.visible_to(by).values_list("pk", flat=True))
        self.made = set(
            PaymentVersion.objects.filter(payment__in=keys, made_by=by).values_list("payment_id", flat=True)
        )
        applied = ProposedChange.objects.filter(
            Q(made_by=by) | Q(decided_by=by), kind=BENEFICIARY_KIND, state=ProposedChange.State.APPLIED
        )
        self.payees = set(applied.values_list("object_id", flat=True))
        open_requests = ApprovalRequest.objects.filter(payment__in=keys, state=RequestState.OPEN)
        self.requests = {r.payment_id: r for r in open_requests.prefetch_related("decisions")}

    def step_for(self, row: Payment, expected_digest: str) -> tuple[ApprovalRequest, StepStanding]:
        """The request and the step that this person may decide now. Raises ApprovalRefusedError."""
        if row.account_id not in self.granted:
            access.require_account(self.by, row.account)
        if row.state != PaymentState.SUBMITTED:
            raise NotWaitingError(
                _("%(payment)s is %(state)s; there is nothing to decide.")
                % {"payment": row, "state": row.get_state_display()}
            )
        request = self.requests[row.pk]
        asked = (request.version, request.digest) == (row.version, row.digest)
        if expected_digest != row.digest or not asked:
            raise ChangedSinceError(
                _("%(payment)s was changed since you opened it. Look at it again before you decide.")
                % {"payment": row}
            )
        self._refuse_own(row)
        if any(decision.person_id == self.by.pk for decision in request.decisions.all()):
            raise AlreadyDecidedError(
                _("%(person)s has already decided on %(payment)s. Another person is needed.")
                % {"person": self.by, "payment": row}
            )
        step = due_step(request)
        if step is None or step.role not in self.roles:
            raise WrongStepError(
                _("%(payment)s now waits for the role %(role)s, which %(person)s does not hold.")
                % {"payment": row, "role": _(step.role) if step else "—", "person": self.by}
            )
        return request, step

    def _refuse_own(self, row: Payment) -> None:
        """Raises SamePersonError when the person had a hand in the payment or in its payee."""
        own = {row.created_by_id, row.edited_by_id, row.submitted_by_id}
        if self.by.pk in own or row.pk in self.made:
            raise SamePersonError(
                _("%(person)s entered, edited or submitted %(payment)s and cannot decide on it.")
                % {"person": self.by, "payment": row}
            )
        payee = row.beneficiary
        if payee is None:
            return
        hands = {payee.created_by_id, payee.changed_by_id, payee.confirmed_by_id}
        if self.by.pk in hands or payee.pk in self.payees:
            raise SamePersonError(
                _("%(person)s had a hand in the beneficiary of %(payment)s and cannot decide on it.")
                % {"person": self.by, "payment": row}
            )


@dataclass(frozen=True, slots=True)
class _Word:
    """A decision about to be written."""

    row: Payment
    request: ApprovalRequest
    step: StepStanding
    verdict: str
    reason: str = ""


def approve_payment(*, payment: Payment, expected_digest: str, by: Any, at: datetime) -> Payment:
    """One person's yes to exactly `expected_digest`; the last one needed makes it APPROVED.

    Raises ApprovalRefusedError (a subclass names the reason) or AccessDeniedError.
    """
    access.require(by, APPROVE)
    with transaction.atomic():
        row = returning.locked(payment)
        decider = _Decider(by, [row], at)
        _approve([_yes(decider, row, expected_digest)], by, at)
    return row


@transaction.atomic
def approve_payments(
    *, expectations: Sequence[tuple[int, str]], by: Any, at: datetime, each_opened: bool = False
) -> list[Result]:
    """Approve many: (payment id, digest as shown). What is refused does not hold up the others.

    A row with a red hint is refused (`payments.flagged`) and has to be approved by itself, unless
    the caller vouches with `each_opened` that every one was looked at alone. A result for every
    one, in the order given. Raises AccessDeniedError when `by` may not approve at all.
    """
    access.require(by, APPROVE)
    expected = dict(expectations)
    visible = Payment.objects.visible_to(by).filter(pk__in=expected)
    rows = returning.locked_many(list(visible.values_list("pk", flat=True)))
    decider = _Decider(by, rows, at)
    hints = {} if each_opened else warnings.warnings_of(rows, at)
    words, results = [], {}
    for row in rows:
        try:
            word = _yes(decider, row, expected[row.pk])
            _refuse_flagged(row, hints.get(row.pk, ()))
            words.append(word)
            results[row.pk] = Result(row.pk, row.reference)
        except (ApprovalRefusedError, access.AccessDeniedError) as error:
            results[row.pk] = Result(row.pk, row.reference, str(error), error.code)
    _approve(words, by, at)
    missing = _("There is no such payment for you.")
    return [results.get(pk) or Result(pk, error=missing, code="payments.not_found") for pk in expected]


@transaction.atomic
def send_back(*, payment: Payment, expected_digest: str, reason: str, by: Any, at: datetime) -> Payment:
    """Back to its maker with a reason. Raises as `approve_payment`, and ReasonMissingError."""
    row = _refuse(payment, expected_digest, Decision.Verdict.SEND_BACK, reason, by, at)
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
    row = _refuse(payment, expected_digest, Decision.Verdict.REJECT, reason, by, at)
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


def _refuse(
    payment: Payment, expected_digest: str, verdict: str, reason: str, by: Any, at: datetime
) -> Payment:
    """Lock the payment and write a person's no of either kind."""
    access.require(by, APPROVE)
    if not reason.strip():
        raise ReasonMissingError(_("Write the reason; the person who entered the payment will read it."))
    row = returning.locked(payment)
    request, step = _Decider(by, [row], at).step_for(row, expected_digest)
    _write([_Word(row, request, step, verdict, reason)], by, at)
    return row


def _yes(decider: _Decider, row: Payment, expected_digest: str) -> _Word:
    """The yes to one locked payment, after every check. Raises ApprovalRefusedError."""
    request, step = decider.step_for(row, expected_digest)
    if row.execute_on < checking.today_at(row.account, decider.at):
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
    if row.compute_digest() != row.digest:
        raise ChangedSinceError(
            _("%(payment)s or its debit account was altered since it was submitted. Send it back.")
            % {"payment": row}
        )
    return _Word(row, request, step, Decision.Verdict.APPROVE)


def _refuse_flagged(row: Payment, hints: Sequence[warnings.Hint]) -> None:
    """Raises FlaggedError with what is red about the payment."""
    if red := [hint.text for hint in hints if hint.red]:
        raise FlaggedError(
            _("%(payment)s carries a red flag: %(hints)s Open it to decide.")
            % {"payment": row, "hints": " ".join(red)}
        )


def _approve(words: Sequence[_Word], by: Any, at: datetime) -> None:
    """Write the yeses; what is complete becomes APPROVED, the rest waits for the next role."""
    _write(words, by, at)
    complete, waiting = [], []
    for word in words:
        given = {step.order: step.given for step in standing(word.request)}
        given[word.step.order] += 1
        left = [s for s in standing(word.request) if given[s.order] < s.required]
        if left:
            word.request.due_role = left[0].role
            waiting.append(word.request)
        else:
            complete.append(word)
    ApprovalRequest.objects.bulk_update(waiting, ["due_role"], batch_size=1000)
    if not complete:
        return
    details = [
        {"company": w.row.account.company, "version": w.row.version, "digest": w.row.digest} for w in complete
    ]
    closed = [
        moving.Step(word.request, RequestState.COMPLETE, {"closed_at": at}, detail)
        for word, detail in zip(complete, details, strict=True)
    ]
    approved = [
        moving.Step(word.row, PaymentState.APPROVED, {}, detail)
        for word, detail in zip(complete, details, strict=True)
    ]
    moving.move_many(
        steps=closed, transitions=REQUEST_TRANSITIONS, by=by, at=at, action="payments.request_complete"
    )
    moving.move_many(steps=approved, transitions=TRANSITIONS, by=by, at=at, action="payments.approved")
    jobs.enqueue(SEND_TASK)


def _write(words: Sequence[_Word], by: Any, at: datetime) -> None:
    """Signed decisions and their trace."""
    Decision.objects.bulk_create([_signed(word, by, at) for word in words], batch_size=1000)
    auditing.record_many(
        auditing.event(
            action="payments.decided",
            about=word.row,
            by=by,
            at=at,
            company=word.row.account.company,
            verdict=word.verdict,
            step=word.step.order,
            role=word.step.role,
            version=word.row.version,
            digest=word.row.digest,
            reason=word.reason,
        )
        for word in words
    )


def _signed(word: _Word, by: Any, at: datetime) -> Decision:
    said = signing.statement(
        request_id=word.request.pk,
        reference=word.row.reference,
        version=word.request.version,
        digest=word.row.digest,
        person_id=by.pk,
        verdict=word.verdict,
        step=word.step.order,
        at=at,
    )
    return Decision(
        request=word.request,
        person=by,
        step=word.step.order,
        verdict=word.verdict,
        reason=word.reason[:500],
        digest=word.row.digest,
        signature=signing.sign(said),
        at=at,
    )
