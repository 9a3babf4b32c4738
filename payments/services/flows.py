"""What payments know of cash to come: everything submitted and not yet in the bank's balance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models import Payment
from payments.states import AT_THE_BANK, PaymentState
from treasury.flows import Flow, Scope
from treasury.models import Account, Balance

TO_COME = frozenset({PaymentState.SUBMITTED, PaymentState.APPROVED, *AT_THE_BANK})
"""Payments whose money still has to move; an unknown outcome counts as if it were paid."""


class ScheduledPayments:
    """Payments on their execution date, both legs of a transfer between accounts in view.

    A payment settled after the account's newest balance was taken is not in that balance yet:
    it still counts, on the day it settled. Drafts do not count: nobody has stood up for them.
    """

    name = _("Payment")

    def flows(self, scope: Scope) -> Iterable[Flow]:
        by_id = {account.pk: account for account in scope.accounts}
        newest = {
            balance.account_id: balance.as_of
            for balance in Balance.objects.filter(account__in=by_id).latest_per_account()
        }
        oldest = min(newest.values(), default=scope.at)
        payments = (
            Payment.objects.filter(Q(account__in=by_id) | Q(own_account__in=by_id))
            .filter(
                Q(state__in=TO_COME, execute_on__lte=scope.end)
                | Q(state=PaymentState.SETTLED, settled_at__gt=oldest)
            )
            .only(
                "reference", "account_id", "own_account_id", "amount", "currency", "execute_on", "kind",
                "state", "settled_at", "payee_name",
            )
        )  # fmt: skip
        kinds = {value: str(label) for value, label in Payment.Kind.choices}
        for payment in payments.iterator(chunk_size=2000):
            for account, sign in self._legs(payment, by_id):
                taken = newest.get(account.pk)
                settled = payment.settled_at if payment.state == PaymentState.SETTLED else None
                if settled is not None and (taken is None or settled <= taken):
                    continue
                yield self._flow(payment, account, sign, kinds, opens=payment.account_id in by_id)

    def _legs(self, payment: Payment, by_id: dict[int, Account]) -> Iterator[tuple[Account, int]]:
        if payment.account_id in by_id:
            yield by_id[payment.account_id], -1
        if payment.own_account_id in by_id:
            yield by_id[payment.own_account_id], 1

    def _flow(
        self, payment: Payment, account: Account, sign: int, kinds: dict[str, str], *, opens: bool
    ) -> Flow:
        """`opens`: whether the reader may open the payment, which is its debit account's."""
        return Flow(
            on=payment.execute_on,
            account_id=account.pk,
            company_id=account.company_id,
            amount=sign * payment.amount,
            currency=payment.currency,
            category=kinds[payment.kind],
            source=str(self.name),
            label=f"{payment.reference} {payment.payee_name}",
            page="payments:payment" if opens else "",
            object_id=payment.pk,
        )
