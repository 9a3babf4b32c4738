"""Batches: payments entered together from one debit account, and taking them back together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from payments.models import Batch, ImportedFile, Payment
from payments.services import preparing, returning
from payments.services.checking import Wish
from payments.states import TRANSITIONS, PaymentState
from treasury.models import Account
from treasury.services import access, auditing, moving


@transaction.atomic
def create_batch(
    *,
    account: Account,
    name: str,
    source: str,
    by: Any,
    at: datetime,
    wishes: Sequence[Wish] = (),
    file: ImportedFile | None = None,
    idempotency_key: str = "",
    request_digest: str = "",
) -> Batch:
    """A batch and its drafts, all or none. Raises AccessDeniedError, PaymentRefusedError."""
    access.require(by, preparing.PREPARE)
    access.require_account(by, account)
    batch = Batch.objects.create(
        account=account,
        name=name.strip()[:140] or _("Batch"),
        source=source,
        file=file,
        created_by=by,
        created_at=at,
        idempotency_key=idempotency_key,
        request_digest=request_digest,
    )
    auditing.record(
        action="payments.batch_created",
        about=batch,
        by=by,
        at=at,
        company=account.company,
        payments=len(wishes),
        source=source,
    )
    if wishes:
        preparing.create_payments(wishes=wishes, source=source, by=by, at=at, batch=batch)
    return batch


@transaction.atomic
def cancel_batch(*, batch: Batch, by: Any, at: datetime) -> int:
    """Take a whole batch back while all of it is draft; an import may then be repeated.

    Returns how many drafts were cancelled. Raises AlreadyMovingError when a payment of it was
    already submitted, AccessDeniedError.
    """
    access.require(by, preparing.PREPARE)
    access.require_account(by, batch.account)
    rows = list(Payment.objects.select_for_update(of=("self",)).filter(batch=batch).order_by("pk"))
    moved = [row for row in rows if row.state not in {PaymentState.DRAFT, PaymentState.CANCELLED}]
    if moved:
        raise returning.AlreadyMovingError(
            _(
                "%(count)d payments of %(batch)s are not drafts any more, %(first)s for one."
                " Cancel the others one by one."
            )
            % {"count": len(moved), "batch": batch, "first": moved[0]}
        )
    drafts = [row for row in rows if row.state == PaymentState.DRAFT]
    changes, detail = {"note": _("The batch was undone.")}, {"company": batch.account.company}
    moving.move_many(
        steps=[moving.Step(row, PaymentState.CANCELLED, changes, detail) for row in drafts],
        transitions=TRANSITIONS,
        by=by,
        at=at,
        action="payments.cancelled",
    )
    if batch.file is not None and batch.file.undone_at is None:
        batch.file.undone_at = at
        batch.file.save(update_fields=["undone_at"])
    auditing.record(
        action="payments.batch_undone",
        about=batch,
        by=by,
        at=at,
        company=batch.account.company,
        payments=len(drafts),
    )
    return len(drafts)
