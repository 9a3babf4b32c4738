"""Taking the bank's word: one status report moves one payment, or says why it does not.

Reports come from the answer to a send, from an enquiry, or from two people who looked at the
bank's own books (`resolving`). Moving twice to the same state is nothing; a word that
contradicts a final state changes nothing and is put on record for people to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from banks.messages import PaymentState as BankState
from banks.messages import StatusReport
from banks.models import Exchange
from payments.models import Dispatch, Payment
from payments.pacing import wait_before_query
from payments.states import AT_THE_BANK, TRANSITIONS, PaymentState
from treasury.services import auditing
from treasury.services.moving import Step, move_many

OURS: dict[BankState, PaymentState] = {
    BankState.PROCESSING: PaymentState.PROCESSING,
    BankState.BANK_APPROVAL: PaymentState.BANK_APPROVAL,
    BankState.BOOKED: PaymentState.SETTLED,
    BankState.REJECTED: PaymentState.FAILED,
    BankState.RETURNED: PaymentState.RETURNED,
    BankState.UNKNOWN: PaymentState.UNKNOWN,
    BankState.NO_RECORD: PaymentState.UNKNOWN,
}

WITHOUT_NEWS = frozenset({BankState.UNKNOWN, BankState.NO_RECORD})
"""Reports that tell nothing of what the bank did."""

COLUMNS = [
    "answered_at",
    "next_query_at",
    "lease_until",
    "claimed_by",
    "queries",
    "bank_code",
    "bank_text",
]


def locked_payments(payments: Sequence[int]) -> dict[str, Payment]:
    """The payments under row locks, in key order so that two workers never wait in a circle."""
    rows = (
        Payment.objects.select_for_update(of=("self",))
        .filter(pk__in=payments)
        .select_related("dispatch", "account__company")
        .order_by("pk")
    )
    return {payment.reference: payment for payment in rows}


def hold_again(payments: Sequence[Payment], at: datetime) -> None:
    """Take locked payments that are due again out of the queue: the bank spoke up for them after all."""
    move_many(
        steps=[Step(p, PaymentState.SENDING, {}, {"company": p.account.company}) for p in payments],
        transitions=TRANSITIONS,
        by=None,
        at=at,
        action="payments.answer_came_late",
    )


def note_late_word(reports: Sequence[StatusReport], *, exchange: Exchange, at: datetime) -> None:
    """The answer to an older sending of payments that were sent again meanwhile.

    It decides nothing about the newer one, but the bank has acknowledged the reference: from now
    on "no record" proves nothing, and the newer sending is only asked about.
    """
    heard = {r.reference: _storable(r) for r in reports if r.state not in WITHOUT_NEWS}
    of = Payment.objects.filter(reference__in=heard, dispatch__connection=exchange.connection_id)
    for reference, payment in locked_payments(list(of.values_list("pk", flat=True))).items():
        if payment.dispatch.exchange_id == exchange.pk:
            continue
        if payment.state in AT_THE_BANK:
            payment.dispatch.answered_at = at
            payment.dispatch.save(update_fields=["answered_at"])
        _put_on_record(payment, heard[reference], at)


def take_reports(
    *,
    payments: Mapping[str, Payment],
    reports: Mapping[str, StatusReport],
    proven_absent: frozenset[str] = frozenset(),
    first_wait: timedelta | None = None,
    asked: bool = False,
    action: str = "payments.bank_said",
    reason: str = "",
    at: datetime,
) -> None:
    """Apply one report to each locked payment; a payment without a report becomes UNKNOWN.

    `proven_absent` are references the bank has no record of and, by its rules, never will have:
    those go back to APPROVED and may be sent again under the same reference. `reason` is our own
    word of why the bank's is missing, for the timeline.
    """
    steps: list[Step] = []
    dispatches: list[Dispatch] = []
    for reference, payment in payments.items():
        report = _storable(
            reports.get(reference) or StatusReport(reference=reference, state=BankState.UNKNOWN)
        )
        absent = reference in proven_absent and payment.state == PaymentState.UNKNOWN
        to = PaymentState.APPROVED if absent else OURS[report.state]
        dispatch = payment.dispatch
        _note(dispatch, report, to, asked=asked, first_wait=first_wait, at=at)
        dispatches.append(dispatch)
        if to == payment.state:
            continue
        if to not in TRANSITIONS[payment.state]:
            _contradiction(payment, report, dispatch, at)
            continue
        detail = {"company": payment.account.company, **_detail(report)}
        detail |= {"reason": reason} if reason else {}
        steps.append(Step(payment, to, _changes(payment, report, to, at), detail))
    move_many(steps=steps, transitions=TRANSITIONS, by=None, at=at, action=action)
    Dispatch.objects.bulk_update(dispatches, COLUMNS, batch_size=1000)


def _note(
    dispatch: Dispatch,
    report: StatusReport,
    to: PaymentState,
    *,
    asked: bool,
    first_wait: timedelta | None,
    at: datetime,
) -> None:
    dispatch.lease_until, dispatch.claimed_by = None, ""
    dispatch.queries += asked
    heard = report.state not in WITHOUT_NEWS
    if heard:
        dispatch.answered_at = at
    if heard or report.text:
        dispatch.bank_code, dispatch.bank_text = report.code[:60], report.text[:500]
    waits = to in AT_THE_BANK
    dispatch.next_query_at = at + wait_before_query(to, dispatch.queries, first_wait) if waits else None


def _changes(payment: Payment, report: StatusReport, to: PaymentState, at: datetime) -> dict[str, Any]:
    return {
        "note": report.text[:500] if to in {PaymentState.FAILED, PaymentState.RETURNED} else payment.note,
        "bank_reference": report.bank_reference[:70] or payment.bank_reference,
        "settled_at": at if to == PaymentState.SETTLED else payment.settled_at,
    }


def _storable(report: StatusReport) -> StatusReport:
    """The report without NUL characters, which no column takes: a bank's slip must not lose its word."""
    texts = {name: getattr(report, name) for name in ("code", "text", "bank_reference")}
    return replace(report, **{name: text.replace("\0", "") for name, text in texts.items()})


def _detail(report: StatusReport) -> dict[str, Any]:
    return {
        "bank_state": report.state.value,
        "code": report.code,
        "text": report.text,
        "bank_reference": report.bank_reference,
    }


def _contradiction(payment: Payment, report: StatusReport, dispatch: Dispatch, at: datetime) -> None:
    """A later word cannot undo a final state by itself, and UNKNOWN never undoes a known one."""
    if report.state in {BankState.UNKNOWN, BankState.NO_RECORD, BankState.BOOKED} and payment.state in {
        PaymentState.SETTLED,
        PaymentState.RETURNED,
    }:
        dispatch.next_query_at = None
        return
    if payment.state in {PaymentState.FAILED, PaymentState.RETURNED, PaymentState.SETTLED}:
        dispatch.next_query_at = None
    _put_on_record(payment, report, at)


def _put_on_record(payment: Payment, report: StatusReport, at: datetime) -> None:
    auditing.record(
        action="payments.bank_contradicts",
        about=payment,
        by=None,
        at=at,
        company=payment.account.company,
        was=payment.state,
        **_detail(report),
    )
