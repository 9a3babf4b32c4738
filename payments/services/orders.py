"""From a payment row to the order a connector composes: the last step before bytes."""

from __future__ import annotations

from banks.messages import AccountIdentity, Party, PaymentOrder
from payments.models import Payment
from treasury import money


def order_of(payment: Payment) -> PaymentOrder:
    """The order of a payment, from the very columns its digest covers."""
    account = payment.account
    return PaymentOrder(
        reference=payment.reference,
        debtor=AccountIdentity(
            number=account.number,
            currency=account.currency,
            bank_code=account.branch_code,
            name=account.company.name,
        ),
        creditor=Party(
            name=payment.payee_name,
            account=payment.payee_account,
            bank_code=payment.payee_bank_code,
            bank_name=payment.payee_bank_name,
            country=payment.payee_country,
        ),
        amount=money.quantize(payment.amount, payment.currency),
        currency=payment.currency,
        requested_on=payment.execute_on,
        purpose=payment.purpose,
        urgent=payment.urgent,
    )
