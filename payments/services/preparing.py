"""Making payments: create, edit, submit, withdraw, cancel. Deciding is `approving`'s.

Every way in (form, file, API, sweep) ends here, so every way in obeys the same rules. A change
of any field of a payment that waits or is approved voids what was said about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from payments.models import ApprovalRequest, Batch, Beneficiary, Dispatch, Payment, PaymentVersion
from payments.rules import RuleBrokenError
from payments.services import checking, returning, rule_sets, writing
from payments.services.checking import PaymentRefusedError, Wish
from payments.states import EDITABLE, TRANSITIONS, PaymentState, RequestState
from treasury.models import Account
from treasury.services import access, auditing, moving
from treasury.services.rates import NoRateError

PREPARE = "payments.prepare_payment"


class StaleEditError(Exception):
    """Somebody else changed the payment since the page was opened."""

    code = "payments.stale_edit"
    hint = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one payment of many. `error` is empty when it worked."""

    payment_id: int
    reference: str = ""
    error: str = ""
    code: str = ""

    @property
    def done(self) -> bool:
        return not self.error


# --- create -------------------------------------------------------------------------------


def create_payment(
    *,
    account: Account,
    beneficiary: Beneficiary | None = None,
    own_account: Account | None = None,
    amount: Decimal,
    currency: str,
    execute_on: date,
    purpose: str = "",
    urgent: bool = False,
    source: str,
    by: Any,
    at: datetime,
    batch: Batch | None = None,
) -> Payment:
    """A draft payment from an own account to a beneficiary, or to another own account.

    Raises AccessDeniedError, or PaymentRefusedError with every rule it breaks.
    """
    wish = Wish(
        account=account,
        beneficiary=beneficiary,
        own_account=own_account,
        amount=amount,
        currency=currency,
        execute_on=execute_on,
        purpose=purpose,
        urgent=urgent,
    )
    return create_payments(wishes=[wish], source=source, by=by, at=at, batch=batch)[0]


@transaction.atomic
def create_payments(
    *, wishes: Sequence[Wish], source: str, by: Any, at: datetime, batch: Batch | None = None
) -> list[Payment]:
    """Many drafts with few statements; all or none. Raises as `create_payment`."""
    access.require(by, PREPARE)
    for account in {wish.account.pk: wish.account for wish in wishes}.values():
        access.require_account(by, account)
    for target in {w.own_account.pk: w.own_account for w in wishes if w.own_account is not None}.values():
        access.require_account(by, target)
    rows = []
    for wish in wishes:
        writing.same_batch_account(wish, batch)
        checking.refuse_faulty(wish, at)
        rows.append(writing.draft_of(wish, source=source, by=by, at=at, batch=batch))
    Payment.objects.bulk_create(rows, batch_size=1000)
    PaymentVersion.objects.bulk_create([writing.version_of(row, by, at) for row in rows], batch_size=1000)
    auditing.record_many(
        auditing.event(
            action="payments.created",
            about=row,
            by=by,
            at=at,
            company=row.account.company,
            amount=row.amount,
            currency=row.currency,
            payee=row.payee_name,
            execute_on=row.execute_on,
            source=source,
        )
        for row in rows
    )
    return rows


# --- edit ---------------------------------------------------------------------------------


@transaction.atomic
def edit_payment(
    *, payment: Payment, by: Any, at: datetime, expected_version: int | None = None, **changes: Any
) -> Payment:
    """Change fields of a draft, or of a waiting or approved payment, which becomes a draft again.

    `changes` are fields of `Wish`. Payee data are copied afresh from the beneficiary, so an edit
    without changes takes over its new bank details. Raises StaleEditError when `expected_version`
    is not the current one, AlreadyMovingError once sending has begun, PaymentRefusedError.
    """
    access.require(by, PREPARE)
    row = returning.locked(payment)
    access.require_account(by, row.account)
    returning.require_state(row, *EDITABLE)
    if expected_version is not None and row.version != expected_version:
        raise StaleEditError(
            _("%(payment)s was changed since you opened it. Reload it and look at the new data first.")
            % {"payment": row}
        )
    if Dispatch.objects.filter(payment=row).exists():
        raise returning.AlreadyMovingError(
            _("Sending %(payment)s was begun once; its data stay as they are. Cancel it and enter a new one.")
            % {"payment": row}
        )
    wish = replace(writing.wish_of(row), **changes)
    for account in (wish.account, wish.own_account):
        if account is not None:
            access.require_account(by, account)
    writing.same_batch_account(wish, row.batch)
    checking.refuse_faulty(wish, at)
    before = {name: getattr(row, name) for name in writing.FACTS}
    columns = {**writing.columns_of(wish), "edited_by": by, "edited_at": at}
    if row.state == PaymentState.DRAFT:
        row = _rewrite_draft(row, columns, before, by, at)
    else:
        row = returning.return_to_draft(row, action="payments.edited", note="", by=by, at=at, changes=columns)
    writing.version_of(row, by, at).save(force_insert=True)
    return row


def _rewrite_draft(
    row: Payment, columns: dict[str, Any], before: dict[str, Any], by: Any, at: datetime
) -> Payment:
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    row.note = ""
    row.digest = row.compute_digest()
    row.save(update_fields=[*columns, "version", "digest", "note"])
    changed = {n: [before[n], getattr(row, n)] for n in writing.FACTS if before[n] != getattr(row, n)}
    auditing.record(
        action="payments.edited",
        about=row,
        by=by,
        at=at,
        company=row.account.company,
        version=row.version,
        changed=changed,
    )
    return row


# --- submit -------------------------------------------------------------------------------


@transaction.atomic
def submit_payment(*, payment: Payment, by: Any, at: datetime) -> Payment:
    """Put a draft before its approvers. Raises PaymentRefusedError, NoRuleError, NoRateError."""
    access.require(by, PREPARE)
    row = returning.locked(payment)
    access.require_account(by, row.account)
    request = _request(row, rule_sets.RuleBook(company=row.account.company, at=at), at)
    _submit([(row, request)], by, at)
    return row


def _request(row: Payment, book: rule_sets.RuleBook, at: datetime) -> ApprovalRequest:
    """The unsaved question to the approvers of a locked draft, after every check."""
    returning.require_state(row, PaymentState.DRAFT)
    checking.refuse_faulty(writing.wish_of(row), at)
    writing.refuse_stale(row)
    rule, base_amount = book.rule_for(row)
    return ApprovalRequest(
        payment=row,
        version=row.version,
        digest=row.digest,
        rule=rule,
        steps=rule_sets.steps_of(rule),
        base_amount=base_amount,
        due_role=rule_sets.steps_of(rule)[0]["role"],
        state=RequestState.OPEN,
        opened_at=at,
    )


def _submit(asked: Sequence[tuple[Payment, ApprovalRequest]], by: Any, at: datetime) -> None:
    """Open the requests and move their payments."""
    ApprovalRequest.objects.bulk_create([request for _row, request in asked], batch_size=1000)
    changes = {"submitted_by": by, "submitted_at": at, "note": ""}
    moving.move_many(
        steps=[
            moving.Step(row, PaymentState.SUBMITTED, changes, {"company": row.account.company})
            for row, _request in asked
        ],
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action="payments.submitted",
    )


REFUSALS = (
    PaymentRefusedError,
    returning.AlreadyMovingError,
    rule_sets.NoRuleError,
    NoRateError,
    access.AccessDeniedError,
)


def submit_batch(*, batch: Batch, by: Any, at: datetime) -> list[Result]:
    """Submit every draft of a batch; one that is refused does not hold up the others.

    Raises AccessDeniedError when `by` may not prepare payments of the batch's account.
    """
    drafts = Payment.objects.filter(batch=batch, state=PaymentState.DRAFT).order_by("id")
    return submit_payments(payments=list(drafts), by=by, at=at)


@transaction.atomic
def submit_payments(*, payments: Sequence[Payment], by: Any, at: datetime) -> list[Result]:
    """Submit several drafts; those that are refused stay drafts. A result for each, by reference."""
    access.require(by, PREPARE)
    granted = set(Account.objects.visible_to(by).values_list("pk", flat=True))
    books: dict[int, rule_sets.RuleBook] = {}
    asked: list[tuple[Payment, ApprovalRequest]] = []
    results = []
    for row in returning.locked_many([payment.pk for payment in payments]):
        company = row.account.company
        try:
            if row.account_id not in granted:
                access.require_account(by, row.account)
            if company.pk not in books:
                books[company.pk] = rule_sets.RuleBook(company=company, at=at)
            request = _request(row, books[company.pk], at)
        except REFUSALS as error:
            results.append(Result(row.pk, row.reference, str(error), error.code))
            continue
        asked.append((row, request))
        results.append(Result(row.pk, row.reference))
    _submit(asked, by, at)
    return results


# --- withdraw, cancel ---------------------------------------------------------------------


@transaction.atomic
def withdraw_payment(*, payment: Payment, by: Any, at: datetime) -> Payment:
    """Take a waiting payment back to draft: its creator's or submitter's right."""
    row = returning.locked(payment)
    access.require_account(by, row.account)
    if by.pk not in {row.created_by_id, row.submitted_by_id}:
        raise access.AccessDeniedError(
            _("%(person)s neither entered nor submitted %(payment)s and cannot withdraw it.")
            % {"person": by, "payment": row}
        )
    returning.require_state(row, PaymentState.SUBMITTED)
    return returning.return_to_draft(row, action="payments.withdrawn", note="", by=by, at=at)


@transaction.atomic
def cancel_payment(*, payment: Payment, by: Any, at: datetime, reason: str = "") -> Payment:
    """End a payment that was not sent. An approved one needs a reason.

    Takes the right to prepare or to approve. Raises AlreadyMovingError once it is being sent.
    """
    if not access.may(by, "payments.approve_payment"):
        access.require(by, PREPARE)
    row = returning.locked(payment)
    access.require_account(by, row.account)
    returning.require_state(row, *EDITABLE)
    if row.state != PaymentState.DRAFT and not reason.strip():
        raise PaymentRefusedError(
            [
                RuleBrokenError(
                    _("%(payment)s already went to its approvers; cancelling it needs a reason.")
                    % {"payment": row},
                    code="payments.reason_missing",
                    field="reason",
                    hint=_("Write why it is not needed any more."),
                )
            ]
        )
    returning.close_request(row, to=RequestState.VOID, by=by, at=at)
    return moving.move(
        row=row,
        to=PaymentState.CANCELLED,
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action="payments.cancelled",
        changes={"note": reason[:500]},
        company=row.account.company,
        reason=reason,
    )
