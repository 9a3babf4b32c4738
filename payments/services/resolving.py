"""What the bank cannot tell: two people decide, with a reason and evidence, on the record.

Offered only for payments at the bank without a final word. Calling one settled is the low
risk; calling one failed is how payments get doubled, so both take a second person, and the
second sees which of the two it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import Dispatch, Payment
from payments.services import returning
from payments.states import AT_THE_BANK, TRANSITIONS, PaymentState
from treasury.models import ProposedChange
from treasury.services import changes
from treasury.services.access import require_account
from treasury.services.moving import move

KIND = "payments.resolution"
OUTCOMES = (PaymentState.SETTLED, PaymentState.FAILED)


class NotResolvableError(changes.ChangeRefusedError):
    """The payment's outcome is not for people to decide; the text says why."""

    code = "payments.not_resolvable"


def propose_resolution(
    *, payment: Payment, outcome: str, reason: str, evidence: str, by: Any, at: datetime
) -> ProposedChange:
    """Propose the outcome of a payment the bank cannot tell about.

    `evidence` says what was looked at (statement line, letter, call). Raises NotResolvableError,
    AccessDeniedError, or ChangeRefusedError when a proposal already waits.
    """
    require_account(by, payment.account)
    _check(payment, outcome)
    if not reason.strip() or not evidence.strip():
        raise NotResolvableError(_("A resolution needs a reason and the evidence it rests on. Write both."))
    return changes.propose(
        kind=KIND,
        object_id=payment.pk,
        label=payment.reference,
        company=payment.account.company,
        payload={"outcome": outcome, "standing": _standing(payment)},
        summary=[(_("State"), payment.get_state_display(), str(PaymentState(outcome).label))],
        reason=f"{reason.strip()} — {evidence.strip()}",
        by=by,
        at=at,
    )


def _check(payment: Payment, outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise NotResolvableError(
            _("%(outcome)s is not an outcome people decide. It is either settled or failed.")
            % {"outcome": outcome}
        )
    if payment.state not in AT_THE_BANK - {PaymentState.SENDING}:
        raise NotResolvableError(
            _(
                "Payment %(payment)s is %(state)s."
                " Only a payment at the bank without a final word is resolved."
            )
            % {"payment": payment, "state": payment.get_state_display()}
        )


def _standing(payment: Payment) -> list[Any]:
    """What the proposer looked at: the state, and which sending it is the state of."""
    dispatch = Dispatch.objects.get(payment=payment)
    return [payment.state, dispatch.exchange_id, dispatch.attempts]


@transaction.atomic
def _apply(change: ProposedChange, at: datetime) -> Payment:
    payment = returning.locked(Payment(pk=change.object_id or 0))
    _check(payment, change.payload["outcome"])
    if _standing(payment) != change.payload["standing"]:
        raise changes.ChangeRefusedError(
            _(
                "The bank was asked or heard again since this was proposed; %(payment)s is %(state)s now."
                " Reject the proposal and look at the payment again."
            )
            % {"payment": payment, "state": payment.get_state_display()}
        )
    settled = change.payload["outcome"] == PaymentState.SETTLED
    moved = move(
        row=payment,
        to=change.payload["outcome"],
        transitions=TRANSITIONS,
        by=change.made_by,
        at=at,
        action="payments.resolved",
        changes={"note": change.reason, "settled_at": at if settled else None},
        company=payment.account.company,
        change=change.pk,
    )
    Dispatch.objects.filter(payment=moved).update(next_query_at=None, lease_until=None, claimed_by="")
    return moved


def register() -> None:
    """Make the kind known; called once when the app is ready."""
    changes.register(
        changes.Kind(
            name=KIND,
            label=gettext_lazy("Resolution of a payment"),
            propose_permission="payments.resolve_payment",
            confirm_permission="payments.approve_payment",
            apply=_apply,
        )
    )
