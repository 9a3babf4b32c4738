"""The way back to DRAFT: closing what the approvers were asked, so that no old yes survives.

Used by editing, withdrawing, sending back, cancelling, and by a changed beneficiary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from payments.models import ApprovalRequest, Payment
from payments.states import REQUEST_TRANSITIONS, TRANSITIONS, PaymentState, RequestState
from treasury.services import moving

PARTIES = ("account__company", "account__bank", "beneficiary", "own_account__company", "own_account__bank")
LIVE = (RequestState.OPEN, RequestState.COMPLETE)


class AlreadyMovingError(Exception):
    """The payment is past the point where the act is possible; the text says where it stands."""

    code = "payments.already_moving"
    hint = ""


def locked(payment: Payment) -> Payment:
    """The row fresh from the database and locked until the transaction ends."""
    return Payment.objects.select_for_update(of=("self",)).select_related(*PARTIES).get(pk=payment.pk)


def locked_many(keys: Sequence[int]) -> list[Payment]:
    """The rows fresh from the database, locked in one order for everybody."""
    return list(
        Payment.objects.select_for_update(of=("self",))
        .select_related(*PARTIES)
        .filter(pk__in=keys)
        .order_by("pk")
    )


def require_state(payment: Payment, *allowed: str) -> None:
    """Raises AlreadyMovingError unless the (locked) payment is in one of the states."""
    if payment.state not in allowed:
        raise AlreadyMovingError(
            _("%(payment)s is %(state)s; this takes %(allowed)s. Reload the page to see what happened.")
            % {
                "payment": payment,
                "state": payment.get_state_display(),
                "allowed": ", ".join(str(PaymentState(state).label) for state in allowed),
            }
        )


def close_request(payment: Payment, *, to: str, by: Any, at: datetime) -> ApprovalRequest | None:
    """Close the live approval request of a locked payment, if it has one."""
    request = ApprovalRequest.objects.filter(payment=payment, state__in=LIVE).first()
    if request is None:
        return None
    return moving.move(
        row=request,
        to=to,
        transitions=REQUEST_TRANSITIONS,
        by=by,
        at=at,
        action=f"payments.request_{to.lower()}",
        changes={"closed_at": at},
        company=payment.account.company,
    )


def return_to_draft(
    payment: Payment,
    *,
    action: str,
    note: str,
    by: Any,
    at: datetime,
    request_state: str = RequestState.VOID,
    changes: Mapping[str, Any] | None = None,
) -> Payment:
    """Take a locked SUBMITTED or APPROVED payment back to DRAFT as a new version.

    The version grows even when no field changes, so that decisions on the old one bind nothing.
    """
    close_request(payment, to=request_state, by=by, at=at)
    for name, value in (changes or {}).items():
        setattr(payment, name, value)
    payment.version += 1
    fresh = {"version": payment.version, "digest": payment.compute_digest(), "note": note[:500]}
    return moving.move(
        row=payment,
        to=PaymentState.DRAFT,
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action=action,
        changes={**(changes or {}), **fresh},
        company=payment.account.company,
        reason=note,
        version=payment.version,
    )
