"""Asking the bank what became of payments, with the reference they were sent under.

The only way out of UNKNOWN, besides two people with the bank's books before them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from banks.connectors.abilities import ConnectorError, QueriesPayments
from banks.messages import Answer, StatusReport
from banks.messages import PaymentState as BankState
from banks.models import Connection, Exchange
from banks.services import talking
from banks.services.proposals import settings_changed_since
from banks.services.talking import Clock
from payments.models import Dispatch, Payment
from payments.pacing import ASKING, wait_before_query
from payments.services.reporting import locked_payments, take_reports
from payments.states import AT_THE_BANK, TRANSITIONS, PaymentState
from treasury.services.moving import Step, move_many

log = logging.getLogger(__name__)

QUERY_LIMIT = 100
SETTLED_ENQUIRIES = 12
"""Silent answers about a settled payment before news of a return is left to lists and statements."""


@dataclass(frozen=True, slots=True)
class Question:
    """Dispatches of one connection that this worker asks about, each with the message it is about."""

    connection: Connection
    payments: tuple[int, ...]
    references: tuple[str, ...]
    exchanges: dict[str, int | None]


@transaction.atomic
def claim_questions(*, worker: str, at: datetime) -> Question | None:
    """Lease the enquiries that are due at one bank. A sender whose lease ran out is taken for
    dead here: its payments become UNKNOWN and are asked about, never sent again unasked."""
    first = Dispatch.objects.due_to_query(at).order_by("next_query_at").first()
    if first is None:
        return None
    rows = list(
        Dispatch.objects.due_to_query(at)
        .filter(connection=first.connection_id)
        .select_related("payment__account__company", "connection")
        .select_for_update(of=("self", "payment"), skip_locked=True)
        .order_by("payment")[:QUERY_LIMIT]
    )
    if not rows:
        return None
    move_many(
        steps=[
            Step(row.payment, PaymentState.UNKNOWN, {}, _dead(row))
            for row in rows
            if row.payment.state == PaymentState.SENDING
        ],
        transitions=TRANSITIONS,
        by=None,
        at=at,
        action="payments.lease_ran_out",
    )
    abandoned = Exchange.objects.filter(
        pk__in=[row.exchange_id for row in rows], outcome=Exchange.Outcome.OPEN
    )
    abandoned.update(
        outcome=Exchange.Outcome.UNCERTAIN,
        error=_("The worker that sent it was not heard of again."),
        ended_at=at,
    )
    Dispatch.objects.filter(pk__in=[row.pk for row in rows]).update(
        claimed_by=worker, lease_until=at + ASKING, next_query_at=at + ASKING
    )
    return Question(
        rows[0].connection,
        tuple(row.payment_id for row in rows),
        tuple(row.payment.reference for row in rows),
        {row.payment.reference: row.exchange_id for row in rows},
    )


def _dead(row: Dispatch) -> dict[str, Any]:
    return {"company": row.payment.account.company, "worker": row.claimed_by}


def ask_question(question: Question, *, clock: Clock = timezone.now) -> None:
    """Ask, and apply what the bank says. A failed enquiry changes no state; it is tried again."""
    at = clock()

    def call(connector: Any) -> Answer:
        if not isinstance(connector, QueriesPayments):
            raise ConnectorError(f"{question.connection} has no way to ask about payments.")
        return connector.query_payments(question.references)

    try:
        answer = talking.ask(
            connection=question.connection,
            purpose="query",
            subject=", ".join(question.references),
            call=call,
            at=at,
            clock=clock,
        )
    except (ConnectorError, talking.ConnectionNotUsableError) as error:
        _try_later(question, str(error), at=clock())
        return
    except Exception as error:
        log.exception("Connector fault while asking about %s", question.references)
        _try_later(question, f"{type(error).__name__}: {error}", at=clock())
        return
    asked_at = min((talk.started_at for talk in answer.talks), default=at)
    take_answer(question=question, answer=answer, asked_at=asked_at, clock=clock)


@transaction.atomic
def take_answer(
    *, question: Question, answer: Answer, asked_at: datetime, clock: Clock = timezone.now
) -> None:
    """Apply an enquiry's answer. NO_RECORD moves a payment only when the bank's rules make it
    final, the bank never acknowledged the payment before, and it was asked over the very settings
    the payment was sent with."""
    at = clock()
    connector = talking.connector_of(question.connection, clock=clock)
    locked = locked_payments(question.payments)
    payments = {
        reference: payment
        for reference, payment in locked.items()
        if payment.dispatch.exchange_id == question.exchanges[reference]
        and payment.state in AT_THE_BANK | {PaymentState.SETTLED}
    }
    _nothing_to_ask([p for r, p in locked.items() if p.state not in AT_THE_BANK and r not in payments])
    reports = {r.reference: r for r in answer.reports if r.reference in payments}
    absent = frozenset(
        reference
        for reference, report in reports.items()
        if report.state is BankState.NO_RECORD
        and _proves_absence(payments[reference].dispatch, question, connector, asked_at)
    )
    take_reports(
        payments=_silence_keeps_the_state(payments, reports, at),
        reports=reports,
        proven_absent=absent,
        asked=True,
        action="payments.bank_answered",
        at=at,
    )


def _proves_absence(dispatch: Dispatch, question: Question, connector: Any, asked_at: datetime) -> bool:
    sent_at = dispatch.sent_at
    if dispatch.answered_at is not None or sent_at is None:
        return False
    if not connector.no_record_is_final(sent_at=sent_at, asked_at=asked_at):
        return False
    return not settings_changed_since(question.connection, sent_at)


def _nothing_to_ask(payments: Sequence[Payment]) -> None:
    """Payments that were taken from the bank's hands while it was asked: no enquiry is ahead."""
    Dispatch.objects.filter(payment__in=payments).update(next_query_at=None, lease_until=None, claimed_by="")


def _silence_keeps_the_state(
    payments: dict[str, Payment], reports: dict[str, Any], at: datetime
) -> dict[str, Payment]:
    """An answer that leaves a payment out, or has no record of it, says nothing of one the bank
    has already acknowledged: it keeps its state and is asked about again later. Of a settled one
    the bank's "unknown" says nothing either."""
    silent = [p for r, p in payments.items() if _says_nothing(p, reports.get(r))]
    _postpone(silent, at)
    kept = {p.pk for p in silent}
    return {r: p for r, p in payments.items() if p.pk not in kept}


def _says_nothing(payment: Payment, report: StatusReport | None) -> bool:
    if payment.state == PaymentState.UNKNOWN:
        return False
    if report is None or report.state is BankState.NO_RECORD:
        return True
    return payment.state == PaymentState.SETTLED and report.state is BankState.UNKNOWN


def _postpone(payments: Sequence[Payment], at: datetime) -> None:
    rows = []
    for payment in payments:
        row = payment.dispatch
        row.queries += 1
        row.lease_until, row.claimed_by = None, ""
        settled = payment.state == PaymentState.SETTLED
        pace = PaymentState.PROCESSING if settled else payment.state
        over = settled and row.queries >= SETTLED_ENQUIRIES
        row.next_query_at = None if over else at + wait_before_query(pace, row.queries)
        rows.append(row)
    Dispatch.objects.bulk_update(rows, ["queries", "lease_until", "claimed_by", "next_query_at"])


@transaction.atomic
def _try_later(question: Question, reason: str, *, at: datetime) -> None:
    log.warning("Enquiry at %s failed: %s", question.connection, reason)
    asked = locked_payments(question.payments).values()
    _postpone([p for p in asked if p.state in AT_THE_BANK | {PaymentState.SETTLED}], at)


def next_due() -> datetime | None:
    """When the next enquiry falls due that nobody holds."""
    waiting = Dispatch.objects.filter(next_query_at__isnull=False, lease_until__isnull=True)
    first: datetime | None = waiting.aggregate(first=Min("next_query_at"))["first"]
    return first


@transaction.atomic
def find_forgotten(*, at: datetime) -> int:
    """Every payment at a bank has an enquiry ahead; one without gets it now. Returns how many."""
    return _due_now(Dispatch.objects.filter(payment__state__in=AT_THE_BANK, next_query_at__isnull=True), at)


@transaction.atomic
def ask_soon(*, references: Sequence[str], at: datetime) -> int:
    """Make the enquiry for these payments due now (a person asked, or news came in)."""
    asked = Dispatch.objects.filter(payment__reference__in=references, lease_until__isnull=True)
    settled = _due_now(asked.filter(payment__state=PaymentState.SETTLED), at, queries=0)
    return settled + _due_now(asked.filter(payment__state__in=AT_THE_BANK), at)


def _due_now(rows: QuerySet[Dispatch], at: datetime, **columns: int) -> int:
    """Make enquiries due; whoever holds a row is busy with it, and waiting for them in another order
    than theirs could end in a deadlock."""
    free = rows.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return Dispatch.objects.filter(pk__in=[row.pk for row in free]).update(next_query_at=at, **columns)
