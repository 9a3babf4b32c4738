"""Whom a company may pay: proposing, changing, confirming and blocking beneficiaries.

New data take effect only with a second person's yes (`treasury.services.changes`). When they do,
every payment to the beneficiary that has not been sent becomes a draft again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import rules
from payments.models import Beneficiary, Payment
from payments.rules import RuleBrokenError
from payments.services import returning
from payments.services.warnings import BENEFICIARY_KIND
from payments.states import BENEFICIARY_TRANSITIONS, EDITABLE, BeneficiaryState, PaymentState
from treasury import money
from treasury.models import Company, ProposedChange
from treasury.services import access, auditing, changes, moving

PROPOSE = "payments.propose_beneficiary"
FIELDS = ("name", "account_number", "bank_code", "bank_name", "country", "currency")
LABELS = {
    "name": gettext_lazy("Name"),
    "account_number": gettext_lazy("Account number or IBAN"),
    "bank_code": gettext_lazy("CNAPS 联行号 or BIC"),
    "bank_name": gettext_lazy("Bank"),
    "country": gettext_lazy("Country"),
    "currency": gettext_lazy("Currency"),
}


class BeneficiaryRefusedError(Exception):
    """The payee's data break rules; `faults` lists each with field, text and next step."""

    code = "payments.beneficiary_refused"

    def __init__(self, faults: list[RuleBrokenError]) -> None:
        self.faults = faults
        self.code, self.hint = faults[0].code, faults[0].hint
        super().__init__(" ".join(fault.whole for fault in faults))


def cleaned(data: dict[str, str]) -> dict[str, str]:
    """The fields in the form they are stored. Raises BeneficiaryRefusedError with every fault."""
    country = data.get("country", "").strip().upper()
    faults: list[RuleBrokenError] = []
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise BeneficiaryRefusedError(
            [
                RuleBrokenError(
                    _("%(country)r is not a country code.") % {"country": country},
                    code="payments.country",
                    field="country",
                    hint=_("Write two letters, such as CN or DE."),
                )
            ]
        )
    needs_bic = country != "CN" and country not in rules.IBAN_COUNTRIES
    checks = {
        "name": lambda v: rules.check_text(
            v, field="name", limit=rules.NAME_LIMIT, country=country, required=True
        ),
        "account_number": lambda v: rules.check_account_number(v, country=country),
        "bank_code": lambda v: rules.check_bank_code(v, country=country, required=needs_bic),
        "bank_name": lambda v: rules.check_text(v, field="bank_name", limit=rules.NAME_LIMIT, country="CN"),
        "currency": _currency,
    }
    stored = {"country": country}
    for field, check in checks.items():
        try:
            stored[field] = check(data.get(field, ""))
        except RuleBrokenError as fault:
            faults.append(fault)
    if faults:
        raise BeneficiaryRefusedError(faults)
    return stored


def _currency(code: str) -> str:
    try:
        return money.check_currency(code.strip().upper())
    except money.MoneyError as error:
        raise RuleBrokenError(str(error), code="payments.currency_unknown", field="currency") from error


@transaction.atomic
def propose_beneficiary(
    *,
    company: Company,
    name: str,
    account_number: str,
    currency: str,
    by: Any,
    at: datetime,
    bank_code: str = "",
    bank_name: str = "",
    country: str = "CN",
    reason: str = "",
) -> Beneficiary:
    """A new payee, PENDING until a second person confirms it.

    Raises BeneficiaryRefusedError, AccessDeniedError.
    """
    access.require(by, PROPOSE)
    access.require_company(by, company)
    data = cleaned(
        {
            "name": name,
            "account_number": account_number,
            "bank_code": bank_code,
            "bank_name": bank_name,
            "country": country,
            "currency": currency,
        }
    )
    _refuse_known(company, data, except_pk=None)
    row = Beneficiary.objects.create(
        company=company,
        **data,
        state=BeneficiaryState.PENDING,
        created_by=by,
        created_at=at,
        changed_by=by,
        changed_at=at,
    )
    lines = [("", data[f], LABELS[f]) for f in FIELDS]
    _propose(row, {"fields": {}, "new": True}, lines, by, at, reason)
    return row


@transaction.atomic
def propose_change(
    *, beneficiary: Beneficiary, by: Any, at: datetime, reason: str = "", **fields: str
) -> ProposedChange:
    """Propose other data, or the unblocking of a blocked payee. The old data stay in force.

    Raises BeneficiaryRefusedError, ChangeRefusedError when nothing would change or a change waits.
    """
    access.require(by, PROPOSE)
    access.require_company(by, beneficiary.company)
    before = {field: getattr(beneficiary, field) for field in FIELDS}
    after = cleaned({**before, **fields})
    changed = {field: after[field] for field in FIELDS if after[field] != before[field]}
    if not changed and beneficiary.state != BeneficiaryState.BLOCKED:
        raise changes.ChangeRefusedError(
            _("Nothing would change for %(payee)s. Alter a field first.") % {"payee": beneficiary}
        )
    _refuse_known(beneficiary.company, after, except_pk=beneficiary.pk)
    lines: list[tuple[Any, Any, Any]] = [
        (before[field], value, LABELS[field]) for field, value in changed.items()
    ]
    if beneficiary.state == BeneficiaryState.BLOCKED:
        lines.append((BeneficiaryState.BLOCKED.label, BeneficiaryState.ACTIVE.label, gettext_lazy("State")))
    return _propose(beneficiary, {"fields": changed, "new": False}, lines, by, at, reason)


def _propose(
    row: Beneficiary,
    payload: dict[str, Any],
    lines: list[tuple[Any, Any, Any]],
    by: Any,
    at: datetime,
    reason: str,
) -> ProposedChange:
    return changes.propose(
        kind=BENEFICIARY_KIND,
        payload={**payload, "was": row.state},
        label=str(row),
        by=by,
        at=at,
        object_id=row.pk,
        company=row.company,
        summary=[(str(label), str(before), str(after)) for before, after, label in lines],
        reason=reason,
    )


def _refuse_known(company: Company, data: dict[str, str], *, except_pk: int | None) -> None:
    known = Beneficiary.objects.filter(
        company=company, account_number=data["account_number"], currency=data["currency"]
    )
    if except_pk is not None:
        known = known.exclude(pk=except_pk)
    if known.exists():
        raise BeneficiaryRefusedError(
            [
                RuleBrokenError(
                    _("Account %(number)s is already the beneficiary %(payee)s.")
                    % {"number": data["account_number"], "payee": known.get().name},
                    code="payments.beneficiary_known",
                    field="account_number",
                    hint=_("Use that one, or propose a change of it."),
                )
            ]
        )


def apply(change: ProposedChange, at: datetime) -> Beneficiary:
    """Put the proposed data in force (kind `payments.beneficiary`) and void what was open.

    Raises ChangeRefusedError when the payee was blocked meanwhile or the account is taken.
    """
    row = (
        Beneficiary.objects.select_for_update(no_key=True, of=("self",))
        .select_related("company")
        .get(pk=change.object_id or 0)
    )
    if row.state == BeneficiaryState.BLOCKED != change.payload["was"]:
        raise changes.ChangeRefusedError(
            _(
                "%(payee)s was blocked after this was proposed. Reject it;"
                " unblocking is proposed and confirmed as such."
            )
            % {"payee": row}
        )
    fields = dict(change.payload["fields"])
    by = change.decided_by
    columns: dict[str, Any] = {"confirmed_by": by, "confirmed_at": at}
    if fields:
        columns |= {**fields, "changed_by": change.made_by, "changed_at": change.made_at}
        columns["version"] = row.version + 1
    try:
        with transaction.atomic():
            for name, value in columns.items():
                setattr(row, name, value)
            row.save(update_fields=list(columns))
    except IntegrityError as error:
        raise changes.ChangeRefusedError(
            _("The account is a beneficiary already. Reject this change.")
        ) from error
    if row.state != BeneficiaryState.ACTIVE:
        row = moving.move(
            row=row,
            to=BeneficiaryState.ACTIVE,
            transitions=BENEFICIARY_TRANSITIONS,
            by=by,
            at=at,
            action="payments.beneficiary_activated",
        )
    if fields:
        note = _("The bank details of %(payee)s were changed.") % {"payee": row.name}
        void_open_payments(row, note=note, by=by, at=at)
    return row


def undo(change: ProposedChange, at: datetime) -> None:
    """A new beneficiary that was not confirmed stays as BLOCKED, so that its trace is kept."""
    row = Beneficiary.objects.get(pk=change.object_id or 0)
    if row.state == BeneficiaryState.PENDING:
        moving.move(
            row=row,
            to=BeneficiaryState.BLOCKED,
            transitions=BENEFICIARY_TRANSITIONS,
            by=None,
            at=at,
            action="payments.beneficiary_not_confirmed",
        )


@transaction.atomic
def block_beneficiary(*, beneficiary: Beneficiary, reason: str, by: Any, at: datetime) -> Beneficiary:
    """Stop payments to a payee at once; one person suffices. Unblocking takes two."""
    if not access.may(by, "payments.confirm_beneficiary"):
        access.require(by, PROPOSE)
    access.require_company(by, beneficiary.company)
    if not reason.strip():
        raise changes.ChangeRefusedError(_("Blocking a beneficiary needs a reason. Write what happened."))
    row = moving.move(
        row=beneficiary,
        to=BeneficiaryState.BLOCKED,
        transitions=BENEFICIARY_TRANSITIONS,
        by=by,
        at=at,
        action="payments.beneficiary_blocked",
        reason=reason,
    )
    note = _("%(payee)s was blocked: %(reason)s") % {"payee": row.name, "reason": reason}
    void_open_payments(row, note=note, by=by, at=at)
    return row


def void_open_payments(row: Beneficiary, *, note: str, by: Any, at: datetime) -> int:
    """Make drafts of all payments to the payee that were not sent. Returns how many."""
    open_ids = Payment.objects.filter(beneficiary=row, state__in=EDITABLE).order_by("pk")
    count = 0
    for pk in list(open_ids.values_list("pk", flat=True)):
        payment = returning.locked(Payment(pk=pk))
        if payment.state not in EDITABLE:
            continue  # it was claimed while we waited; release looks at the beneficiary again
        count += 1
        if payment.state == PaymentState.DRAFT:
            payment.note = note[:500]
            payment.save(update_fields=["note"])
            auditing.record(
                action="payments.payee_changed",
                about=payment,
                by=by,
                at=at,
                company=row.company,
                reason=note,
            )
        else:
            returning.return_to_draft(payment, action="payments.voided", note=note, by=by, at=at)
    return count
