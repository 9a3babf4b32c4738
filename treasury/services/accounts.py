"""Own accounts are entered and changed by two people: a false own account would be a way for money
to leave without a checked beneficiary.

What identifies an account (company, bank, number, currency) never changes after it is entered; an
account that was entered wrongly is closed and entered again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from treasury.models import Account, Bank, Company, ProposedChange
from treasury.services import access, changes

KIND = "treasury.account"
MANAGE = "treasury.manage_access"
CONFIRM = "treasury.confirm_change"
IDENTITY = ("company", "bank", "number", "currency")
CHANGEABLE = ("name", "branch_code", "kind", "status", "time_zone", "minimum_balance", "opened_on")


def propose_account(
    *, fields: Mapping[str, Any], by: Any, at: datetime, account: Account | None = None, reason: str = ""
) -> ProposedChange:
    """Propose a new account, or a change of `account` (then only CHANGEABLE fields count).

    Raises AccessDeniedError when the company is not granted to `by` as a whole, ChangeRefusedError
    when nothing would change or a change of the account already waits.
    """
    company: Company = fields["company"] if account is None else account.company
    access.require_company(by, company)
    names = CHANGEABLE if account is not None else IDENTITY + CHANGEABLE
    summary = [
        (str(Account._meta.get_field(name).verbose_name), before, after)  # type: ignore[union-attr]
        for name in names
        for before, after in [("" if account is None else _shown(account, name), _text(name, fields[name]))]
        if before != after
    ]
    if not summary:
        raise changes.ChangeRefusedError(_("Nothing would change. Choose what shall be different."))
    return changes.propose(
        kind=KIND,
        object_id=account.pk if account is not None else None,
        label=str(account)
        if account is not None
        else f"{fields['name']} {fields['number']} {fields['currency']}",
        company=company,
        payload={name: getattr(fields[name], "pk", fields[name]) for name in names},
        summary=summary,
        reason=reason,
        by=by,
        at=at,
    )


def apply(change: ProposedChange, at: datetime) -> models.Model:
    """Enter or change the account. Raises ChangeRefusedError when the number is taken by now."""
    data = dict(change.payload)
    data["minimum_balance"] = Decimal(data["minimum_balance"])
    data["opened_on"] = date.fromisoformat(data["opened_on"]) if data["opened_on"] else None
    if change.object_id is not None:
        account = Account.objects.select_for_update().get(pk=change.object_id)
        for name in CHANGEABLE:
            setattr(account, name, data[name])
        account.save(update_fields=list(CHANGEABLE))
        return account
    data["company"] = Company.objects.get(pk=data["company"])
    data["bank"] = Bank.objects.get(pk=data["bank"])
    try:
        with transaction.atomic():
            return Account.objects.create(**data)
    except IntegrityError as error:
        raise changes.ChangeRefusedError(
            _("The account %(number)s in %(currency)s exists by now. Reject this proposal.")
            % {"number": data["number"], "currency": data["currency"]}
        ) from error


def _shown(account: Account, name: str) -> str:
    return _text(name, getattr(account, name))


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "kind":
        return str(Account.Kind(value).label)
    if name == "status":
        return str(Account.Status(value).label)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
