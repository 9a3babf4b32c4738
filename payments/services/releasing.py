"""The last look before bytes leave: is this row exactly what enough of the right people approved?

Dispatch calls it under its own lock. Nothing stored is believed: the digest is computed anew,
every signature verified, completeness counted from the decisions.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from payments.models import ApprovalRequest, Beneficiary, Decision, Payment
from payments.services import approving, returning, signing, writing
from payments.services.warnings import BENEFICIARY_KIND
from payments.states import BeneficiaryState, RequestState
from treasury.models import Account, ProposedChange


class NotReleasableError(Exception):
    """The payment must not be sent; the text says what does not hold."""

    code = "payments.not_releasable"
    hint = ""


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


def verify_release(*, payment: Payment) -> None:
    """Raises NotReleasableError unless the payment may leave as it stands in the database."""
    fault = faults_of(payments=[payment]).get(payment.pk)
    if fault is not None:
        raise fault


def faults_of(*, payments: Sequence[Payment]) -> dict[int, NotReleasableError]:
    """Why payments must not leave, by primary key; those that may are left out.

    Everything is read afresh with a few statements, however many payments there are.
    """
    complete = ApprovalRequest.objects.filter(state=RequestState.COMPLETE).prefetch_related("decisions")
    rows = (
        Payment.objects.filter(pk__in=[payment.pk for payment in payments])
        .select_related(*returning.PARTIES)
        .prefetch_related("versions", Prefetch("approval_requests", complete, to_attr="complete_requests"))
    )
    hands: dict[int | None, set[int]] = {}
    faults = {}
    for row in rows:
        if row.beneficiary_id not in hands:
            hands[row.beneficiary_id] = hands_in_beneficiary(row.beneficiary)
        try:
            _verify(row, hands_in_payment(row) | hands[row.beneficiary_id])
        except NotReleasableError as fault:
            faults[row.pk] = fault
    return faults


def _verify(row: Payment, barred: set[int]) -> None:
    if row.compute_digest() != row.digest:
        raise NotReleasableError(
            _("%(payment)s is not what its digest says: it or its debit account was altered.")
            % {"payment": row}
        )
    live: list[ApprovalRequest] = row.complete_requests  # type: ignore[attr-defined]
    request = next((r for r in live if r.version == row.version and r.digest == row.digest), None)
    if request is None:
        raise NotReleasableError(
            _("%(payment)s has no complete approval of version %(version)d.")
            % {"payment": row, "version": row.version}
        )
    _verify_decisions(row, request, barred)
    _verify_parties(row)


def _verify_decisions(row: Payment, request: ApprovalRequest, barred: set[int]) -> None:
    request.payment = row
    for decision in request.decisions.all():
        decision.request = request
        if not signing.decision_verifies(decision):
            raise NotReleasableError(
                _("The signature of decision %(decision)d on %(payment)s does not verify.")
                % {"decision": decision.pk, "payment": row}
            )
        if decision.verdict != Decision.Verdict.APPROVE:
            raise NotReleasableError(_("%(payment)s was not approved by all.") % {"payment": row})
        if decision.person_id in barred:
            raise NotReleasableError(
                _("%(payment)s was approved by somebody who had a hand in it.") % {"payment": row}
            )
    missing = approving.due_step(request)
    if missing is not None or not request.steps:
        raise NotReleasableError(_("%(payment)s lacks approvals.") % {"payment": row})


def _verify_parties(row: Payment) -> None:
    if row.account.status != Account.Status.ACTIVE:
        raise NotReleasableError(
            _("Account %(account)s is %(status)s.")
            % {"account": row.account, "status": row.account.get_status_display()}
        )
    if row.beneficiary is not None and row.beneficiary.state != BeneficiaryState.ACTIVE:
        raise NotReleasableError(
            _("%(payee)s is not an active beneficiary any more.") % {"payee": row.payee_name}
        )
    if row.own_account is not None and row.own_account.status != Account.Status.ACTIVE:
        raise NotReleasableError(
            _("Account %(account)s is %(status)s.")
            % {"account": row.own_account, "status": row.own_account.get_status_display()}
        )
    if not writing.payee_is_current(row):
        raise NotReleasableError(
            _("The bank details of %(payee)s were changed since.") % {"payee": row.payee_name}
        )
