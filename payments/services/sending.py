"""Sending one claimed message, and taking down how it ended.

The send itself runs outside any transaction. Every ending that is not certain is UNKNOWN.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from banks.connectors.abilities import ConnectorError, NotSentError, RefusedError
from banks.messages import Answer
from banks.models import Exchange
from banks.services import talking
from payments.models import Dispatch
from payments.services.claiming import Claim
from payments.services.reporting import (
    WITHOUT_NEWS,
    hold_again,
    locked_payments,
    note_late_word,
    take_reports,
)
from payments.states import TRANSITIONS, PaymentState
from treasury.services.moving import Step, move_many

log = logging.getLogger(__name__)


def send_claim(claim: Claim) -> None:
    """Send the stored bytes once and store the outcome, whatever it is."""
    if claim.clock() >= claim.lease_until:
        _give_up(claim)
        return
    answer, error = _send(claim)
    at = claim.clock()
    if answer is not None:
        talking.close_exchange(
            exchange=claim.exchange,
            outcome=Exchange.Outcome.ANSWERED,
            response=answer.talks[-1].response if answer.talks else b"",
            at=at,
        )
        talking.worked(connection=claim.connection, at=at)
        settle_answer(claim=claim, answer=answer, at=at)
        return
    assert error is not None  # noqa: S101 - one of the two is always there
    outcome = talking.outcome_of(error)
    talking.close_exchange(
        exchange=claim.exchange,
        outcome=outcome,
        response=error.talk.response if error.talk else None,
        error=" ".join(filter(None, (str(error), error.hint))),
        at=at,
    )
    talking.failed(connection=claim.connection, error=error, at=at)
    if isinstance(error, NotSentError | RefusedError):
        take_back(claim=claim, reason=str(error), at=at)
    else:
        settle_answer(claim=claim, answer=Answer(), reason=str(error), at=at)


def _give_up(claim: Claim) -> None:
    """This worker slept through its lease. It sends nothing, and nobody else has these bytes: that
    is certain, so the payments are due again, unless the enquiry has moved them on by now."""
    reason = _("The worker was held up for too long, so the message was not sent.")
    at = claim.clock()
    talking.close_exchange(exchange=claim.exchange, outcome=Exchange.Outcome.NOT_SENT, error=reason, at=at)
    take_back(claim=claim, reason=reason, at=at)


def _send(claim: Claim) -> tuple[Answer | None, ConnectorError | None]:
    try:
        return claim.connector.send(claim.message, sent_at=claim.sent_at), None
    except ConnectorError as error:
        return None, error
    except Exception as error:
        log.exception("Connector fault while sending exchange %s", claim.exchange.pk)
        return None, ConnectorError(f"{type(error).__name__}: {error}")


def _still_ours(claim: Claim) -> list[int]:
    """Payments whose newest message is still this one; a late answer must not speak for a later try."""
    return list(
        Dispatch.objects.filter(exchange=claim.exchange).order_by("payment").values_list("payment", flat=True)
    )


@transaction.atomic
def settle_answer(*, claim: Claim, answer: Answer, reason: str = "", at: datetime) -> None:
    """Apply the bank's answer to a send; what it does not mention is UNKNOWN and will be asked.

    An answer may come after the enquiry had made the payment due again: then the bank has it after
    all, and it is not sent a second time.
    """
    payments = locked_payments(_still_ours(claim))
    ours = {r: p for r, p in payments.items() if p.dispatch.exchange_id == claim.exchange.pk}
    reports = {report.reference: report for report in answer.reports if report.reference in ours}
    heard = {r for r, report in reports.items() if report.state not in WITHOUT_NEWS}
    hold_again([ours[r] for r in heard if ours[r].state == PaymentState.APPROVED], at)
    note_late_word([r for r in answer.reports if r.reference not in ours], exchange=claim.exchange, at=at)
    first: timedelta | None = getattr(claim.connector, "first_query_after", None)
    silent = {r for r in ours if r not in reports and ours[r].state != PaymentState.SENDING}
    take_reports(
        payments={r: p for r, p in ours.items() if r not in silent},
        reports=reports,
        first_wait=first,
        action="payments.outcome_unclear" if reason else "payments.bank_said",
        reason=reason,
        at=at,
    )


@transaction.atomic
def take_back(*, claim: Claim, reason: str, at: datetime) -> None:
    """It is certain that the bank took nothing of this message on: the payments are due again."""
    payments = locked_payments(_still_ours(claim))
    ours = [
        p
        for p in payments.values()
        if p.dispatch.exchange_id == claim.exchange.pk
        and p.state in {PaymentState.SENDING, PaymentState.UNKNOWN}
        and p.dispatch.answered_at is None
    ]
    move_many(
        steps=[
            Step(p, PaymentState.APPROVED, {}, {"company": p.account.company, "reason": reason}) for p in ours
        ],
        transitions=TRANSITIONS,
        by=None,
        at=at,
        action="payments.not_taken_on",
    )
    Dispatch.objects.filter(payment__in=ours).update(
        lease_until=None, claimed_by="", next_query_at=None, bank_text=reason[:500]
    )
