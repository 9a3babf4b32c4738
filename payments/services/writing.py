"""How a wish becomes a row: the columns it fills, the version it leaves, whether its payee still holds.

Nothing here saves; the acts are in `preparing`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from payments import rules
from payments.models import Batch, Payment, PaymentVersion
from payments.rules import RuleBrokenError
from payments.services import checking
from payments.services.checking import PaymentRefusedError, Wish
from treasury import money
from treasury.services import auditing

PAYEE_FIELDS = ("payee_name", "payee_account", "payee_bank_code", "payee_bank_name", "payee_country")
FACTS = (
    "kind", *PAYEE_FIELDS, "amount", "currency", "execute_on", "purpose", "urgent", "account_id",
    "beneficiary_id", "own_account_id",
)  # fmt: skip


def wish_of(row: Payment) -> Wish:
    return Wish(
        account=row.account,
        beneficiary=row.beneficiary,
        own_account=row.own_account,
        amount=row.amount,
        currency=row.currency,
        execute_on=row.execute_on,
        purpose=row.purpose,
        urgent=row.urgent,
    )


def draft_of(wish: Wish, *, source: str, by: Any, at: datetime, batch: Batch | None) -> Payment:
    row = Payment(
        reference=rules.new_reference(checking.today_at(wish.account, at)),
        batch=batch,
        source=source,
        created_by=by,
        created_at=at,
        edited_by=by,
        edited_at=at,
        **columns_of(wish),
    )
    row.digest = row.compute_digest()
    return row


def columns_of(wish: Wish) -> dict[str, Any]:
    """The columns that a wish fills, normalised."""
    payee = wish.payee
    return {
        "account": wish.account,
        "kind": wish.kind,
        "beneficiary": wish.beneficiary,
        "own_account": wish.own_account,
        "payee_name": payee.name,
        "payee_account": payee.account_number,
        "payee_bank_code": payee.bank_code,
        "payee_bank_name": payee.bank_name,
        "payee_country": payee.country,
        "amount": money.check_amount(wish.amount, wish.currency),
        "currency": wish.currency,
        "execute_on": wish.execute_on,
        "purpose": checking.check_purpose(wish),
        "urgent": wish.urgent,
    }


def version_of(row: Payment, by: Any, at: datetime) -> PaymentVersion:
    facts = {name: auditing.plain(getattr(row, name)) for name in FACTS}
    return PaymentVersion(
        payment=row, version=row.version, digest=row.digest, facts=facts, made_by=by, made_at=at
    )


def same_batch_account(wish: Wish, batch: Batch | None) -> None:
    if batch is not None and batch.account_id != wish.account.pk:
        raise PaymentRefusedError(
            [
                RuleBrokenError(
                    _("Batch %(batch)s pays from another account.") % {"batch": batch},
                    code="payments.batch_account",
                    field="account",
                    hint=_("Make one batch for each debit account."),
                )
            ]
        )


def payee_is_current(row: Payment) -> bool:
    """Whether the payment still carries the payee's data as confirmed (payee rows loaded)."""
    payee = checking.payee_of(row.own_account if row.own_account is not None else row.beneficiary)
    now = (payee.name, payee.account_number, payee.bank_code, payee.bank_name, payee.country)
    return now == tuple(getattr(row, name) for name in PAYEE_FIELDS)


def refuse_stale(row: Payment) -> None:
    """Raises PaymentRefusedError when payee or debit account are not what they were at the last save."""
    if payee_is_current(row) and row.compute_digest() != row.digest:
        raise PaymentRefusedError(
            [
                RuleBrokenError(
                    _("Name or bank code of account %(account)s were changed after the payment was entered.")
                    % {"account": row.account},
                    code="payments.account_changed",
                    field="account",
                    hint=_("Open the payment and save it again to take the new details."),
                )
            ]
        )
    if not payee_is_current(row):
        raise PaymentRefusedError(
            [
                RuleBrokenError(
                    _("The bank details of %(payee)s were changed after the payment was entered.")
                    % {"payee": row.payee_name},
                    code="payments.payee_changed",
                    field="beneficiary",
                    hint=_("Open the payment and save it again to take the new details."),
                )
            ]
        )
