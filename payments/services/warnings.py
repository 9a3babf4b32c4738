"""What an approver should notice: hints that stop nothing but must be seen.

A hint is about one payment as it stands now; all hints of a page are found with a few questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from payments.models import Payment
from payments.services import checking, writing
from payments.states import PaymentState
from treasury.models import ProposedChange

BENEFICIARY_KIND = "payments.beneficiary"
NEAR = timedelta(days=7)
FRESH = timedelta(days=30)
DEAD = (PaymentState.CANCELLED, PaymentState.REJECTED, PaymentState.FAILED, PaymentState.RETURNED)


@dataclass(frozen=True, slots=True)
class Hint:
    """`red` hints keep a payment out of approval in bulk: it has to be opened."""

    code: str
    text: str
    red: bool = False


def warnings_for(payment: Payment, at: datetime) -> list[Hint]:
    """The hints about one payment."""
    return warnings_of([payment], at)[payment.pk]


def warnings_of(payments: Sequence[Payment], at: datetime) -> dict[int, list[Hint]]:
    """The hints about each payment, by primary key."""
    found: dict[int, list[Hint]] = {payment.pk: [] for payment in payments}
    twins = _twins(payments)
    paid = _paid_before(payments)
    changing = set(
        ProposedChange.objects.filter(
            kind=BENEFICIARY_KIND,
            state=ProposedChange.State.PENDING,
            object_id__in=[p.beneficiary_id for p in payments if p.beneficiary_id],
        ).values_list("object_id", flat=True)
    )
    for payment in payments:
        hints = found[payment.pk]
        if others := twins.get(payment.pk):
            hints.append(
                Hint(
                    "duplicate",
                    _("Same payee account and amount as %(others)s.") % {"others": ", ".join(others[:3])},
                    red=True,
                )
            )
        _payee_hints(payment, paid, changing, at, hints)
        if payment.execute_on < checking.today_at(payment.account, at) and payment.state in {
            PaymentState.DRAFT,
            PaymentState.SUBMITTED,
        }:
            hints.append(
                Hint("date_past", _("The execution date %(date)s has passed.") % {"date": payment.execute_on})
            )
        if payment.version > 1:
            hints.append(
                Hint("changed", _("Version %(version)d: it was changed.") % {"version": payment.version})
            )
    return found


def _payee_hints(
    payment: Payment, paid: set[tuple[int, str]], changing: set[int | None], at: datetime, hints: list[Hint]
) -> None:
    payee = payment.beneficiary
    if payee is None:
        return
    if (payee.company_id, payment.payee_account) not in paid:
        hints.append(Hint("new_payee", _("First payment to this account.")))
    if payee.version > 1 and payee.changed_at > at - FRESH:
        hints.append(
            Hint(
                "payee_changed",
                _("Its bank details were changed on %(date)s by %(person)s.")
                % {"date": f"{payee.changed_at:%Y-%m-%d}", "person": payee.changed_by},
                red=True,
            )
        )
    if payee.pk in changing:
        hints.append(
            Hint("payee_changing", _("A change of its bank details waits for a second person."), red=True)
        )
    if not writing.payee_is_current(payment):
        hints.append(Hint("payee_stale", _("It carries older bank details of the payee."), red=True))


def near_twins(
    *, account_number: str, amount: Any, currency: str, execute_on: Any, company_id: int
) -> list[str]:
    """References of live payments to the same account with the same amount within seven days."""
    near = Payment.objects.filter(
        account__company_id=company_id,
        payee_account=account_number,
        amount=amount,
        currency=currency,
        execute_on__range=(execute_on - NEAR, execute_on + NEAR),
    ).exclude(state__in=DEAD)
    return list(near.order_by("id").values_list("reference", flat=True)[:5])


def _twins(payments: Sequence[Payment]) -> dict[int, list[str]]:
    if not payments:
        return {}
    first = min(p.execute_on for p in payments) - NEAR
    last = max(p.execute_on for p in payments) + NEAR
    rows = (
        Payment.objects.filter(
            payee_account__in={p.payee_account for p in payments},
            amount__in={p.amount for p in payments},
            execute_on__range=(first, last),
        )
        .exclude(state__in=DEAD)
        .values_list(
            "pk", "reference", "account__company_id", "payee_account", "amount", "currency", "execute_on"
        )
    )
    same = defaultdict(list)
    for pk, reference, company, account, amount, currency, on in rows:
        same[company, account, amount, currency].append((pk, reference, on))
    return {
        p.pk: [
            reference
            for pk, reference, on in same[p.account.company_id, p.payee_account, p.amount, p.currency]
            if pk != p.pk and abs(on - p.execute_on) <= NEAR
        ]
        for p in payments
    }


def _paid_before(payments: Sequence[Payment]) -> set[tuple[int, str]]:
    """(company, account) pairs that a settled payment went to."""
    accounts = {p.payee_account for p in payments}
    settled = Payment.objects.filter(payee_account__in=accounts, state=PaymentState.SETTLED)
    return set(
        settled.filter(Q(beneficiary__isnull=False))
        .values_list("account__company_id", "payee_account")
        .distinct()
    )
