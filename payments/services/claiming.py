"""Taking due payments in hand: verified, composed and stored before the first byte may leave.

One claim is one message to one bank. When its transaction commits, the payments are SENDING,
the exact bytes and the instant of sending are stored, and a lease says until when this worker
may act. Whoever dies after that leaves a row that the enquiry picks up; nobody sends it again
before the bank has been asked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from banks.connectors.abilities import SendsPayments
from banks.models import Connection, Exchange
from banks.services import talking
from banks.services.talking import Clock
from payments.models import Dispatch, Payment
from payments.pacing import sending_lease
from payments.services import releasing, returning
from payments.services.orders import order_of
from payments.states import TRANSITIONS, PaymentState
from treasury.services.moving import Step, move_many

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A stored message that this worker, and no other, may send until the lease ends."""

    connection: Connection
    connector: Any
    exchange: Exchange
    message: bytes
    sent_at: datetime
    lease_until: datetime
    clock: Clock


def due_connections(at: datetime) -> list[Connection]:
    """Connections with payments due, the one whose payment has waited longest first."""
    waiting = (
        Payment.objects.due(at)
        .order_by()
        .values("account__connected__connection")
        .annotate(oldest=Min("id"))
        .order_by("oldest")
        .values_list("account__connected__connection", flat=True)
    )
    found = Connection.objects.in_bulk(list(waiting))
    return list(found.values())


@transaction.atomic
def claim_due(*, connection: Connection, worker: str, clock: Clock = timezone.now) -> Claim | None:
    """Claim as many due payments as one message of this bank carries; None when there are none.

    A payment whose approval does not verify, or that the connector cannot write as an order, goes
    back to DRAFT with the reason and is not sent; it holds up no other.
    Raises ConnectionNotUsableError when the connection's settings make no connector.
    """
    at = clock()
    connector = talking.connector_of(connection, clock=clock)
    if not isinstance(connector, SendsPayments):
        raise talking.ConnectionNotUsableError(f"{connection} cannot send payments.")
    payments = _lock_due(connection, at, connector.batch_limit)
    ready, message = _composed(connector, _those_that_may_leave(payments, at), at)
    if not ready:
        return None
    exchange = talking.open_exchange(
        connection=connection,
        purpose="payments",
        subject=", ".join(p.reference for p in ready),
        request=message,
        at=at,
    )
    lease_until = at + sending_lease(connector)
    _store_dispatches(ready, connection, exchange, worker, at, lease_until)
    move_many(
        steps=[
            Step(
                p,
                PaymentState.SENDING,
                {},
                {"company": p.account.company, "exchange": exchange.pk, "worker": worker},
            )
            for p in ready
        ],
        transitions=TRANSITIONS,
        by=None,
        at=at,
        action="payments.claimed",
    )
    return Claim(connection, connector, exchange, message, at, lease_until, clock)


def _lock_due(connection: Connection, at: datetime, limit: int) -> list[Payment]:
    """Due payments of one connection under row locks, skipping what others hold.

    What was never tried goes first, then what was tried longest ago. After a message was refused
    as a whole its payments go singly. So one bad order cannot hold up the others, however often
    it is refused.
    """
    due = (
        Payment.objects.due(at)
        .filter(account__connected__connection=connection)
        .select_related("account__company", "beneficiary", "own_account", "dispatch__exchange")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by(F("dispatch__exchange__started_at").asc(nulls_first=True), "execute_on", "id")
    )
    payments = list(due[:limit])
    first_refused = next((n for n, payment in enumerate(payments) if _was_refused(payment)), None)
    return payments if first_refused is None else payments[: max(first_refused, 1)]


def _those_that_may_leave(payments: list[Payment], at: datetime) -> list[Payment]:
    """Payments whose approval verifies; one that does not goes back to DRAFT with the reason."""
    faults = releasing.faults_of(payments=payments)
    for payment in payments:
        if payment.pk in faults:
            note = str(faults[payment.pk])[:500]
            returning.return_to_draft(payment, action="payments.release_refused", note=note, by=None, at=at)
    return [payment for payment in payments if payment.pk not in faults]


def _composed(connector: SendsPayments, payments: list[Payment], at: datetime) -> tuple[list[Payment], bytes]:
    """The payments that make a message, and the message; the others go back with the reason."""
    if not payments:
        return [], b""
    try:
        return payments, connector.compose([order_of(payment) for payment in payments])
    except Exception as error:
        if len(payments) == 1:
            log.exception("No order can be made of payment %s", payments[0])
            note = _("No order could be written for the bank: %(reason)s") % {"reason": error}
            returning.return_to_draft(payments[0], action="payments.not_composed", note=note, by=None, at=at)
            return [], b""
    alone = [done for payment in payments for done in _composed(connector, [payment], at)[0]]
    if len(alone) == len(payments):  # each is good, together they are not
        return _composed(connector, alone[:1], at)
    return _composed(connector, alone, at)


def _was_refused(payment: Payment) -> bool:
    dispatch = getattr(payment, "dispatch", None)
    return bool(dispatch and dispatch.exchange and dispatch.exchange.outcome == Exchange.Outcome.REFUSED)


def _store_dispatches(
    payments: list[Payment],
    connection: Connection,
    exchange: Exchange,
    worker: str,
    at: datetime,
    lease_until: datetime,
) -> None:
    rows = []
    for payment in payments:
        row = getattr(payment, "dispatch", None) or Dispatch(payment=payment)
        row.connection, row.exchange, row.digest = connection, exchange, payment.digest
        row.attempts += 1
        row.claimed_by, row.lease_until, row.sent_at = worker, lease_until, at
        row.next_query_at, row.answered_at, row.queries = lease_until, None, 0
        rows.append(row)
    Dispatch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["payment"],
        update_fields=[
            "connection",
            "exchange",
            "digest",
            "attempts",
            "claimed_by",
            "lease_until",
            "sent_at",
            "next_query_at",
            "answered_at",
            "queries",
        ],
    )
