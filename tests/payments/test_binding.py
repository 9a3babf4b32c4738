"""What approvers sign is all that the bank is told, the debit account's name and bank included."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest

from banks.messages import PaymentOrder
from payments.models import Payment
from payments.services import approving, preparing, releasing
from payments.services.checking import PaymentRefusedError
from payments.services.orders import order_of
from tests import make
from tests.make import Cast
from treasury.models import Account, Company


def test_what_the_bank_is_told_of_the_debit_account_is_bound_too(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast)
    for rows, field in (
        (Company.objects.filter(pk=cast.company.pk), "name"),
        (Account.objects.filter(pk=cast.cny.pk), "branch_code"),
    ):
        before = rows.values_list(field, flat=True).get()
        rows.update(**{field: "308584000013"})
        with pytest.raises(releasing.NotReleasableError, match="debit account was altered"):
            releasing.verify_release(payment=payment)
        rows.update(**{field: before})
    releasing.verify_release(payment=payment)


def test_a_debit_account_altered_while_the_payment_waits_sends_it_back(cast: Cast, now: datetime) -> None:
    draft, waiting = make.payment(cast), make.submitted_payment(cast)
    Account.objects.filter(pk=cast.cny.pk).update(branch_code="308584000013")
    with pytest.raises(PaymentRefusedError, match="save it again"):
        preparing.submit_payment(payment=draft, by=cast.alice, at=now)
    saved = preparing.edit_payment(payment=draft, by=cast.alice, at=now)
    assert preparing.submit_payment(payment=saved, by=cast.alice, at=now).state == "SUBMITTED"
    with pytest.raises(approving.ChangedSinceError, match="Send it back"):
        approving.approve_payment(payment=waiting, expected_digest=waiting.digest, by=cast.bob, at=now)
    back = approving.send_back(
        payment=waiting, expected_digest=waiting.digest, reason="Account changed", by=cast.bob, at=now
    )
    assert back.state == "DRAFT"


def test_no_field_of_an_order_is_outside_the_digest(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    payment = Payment.objects.select_related("account__company").get(pk=payment.pk)
    first = order_of(payment)
    facts = (
        "reference", "payee_name", "payee_account", "payee_bank_code", "payee_bank_name", "payee_country",
        "purpose", "account.number", "account.branch_code", "account.company.name",
    )  # fmt: skip
    moved = set()
    for path in facts:
        *way, name = path.split(".")
        row: Any = payment
        for step in way:
            row = getattr(row, step)
        before = getattr(row, name)
        setattr(row, name, f"{before}9")
        assert payment.compute_digest() != payment.digest, path
        moved |= {f for f in _flat(first) if _flat(first)[f] != _flat(order_of(payment))[f]}
        setattr(row, name, before)
    rest = {"amount", "currency", "debtor.currency", "requested_on", "urgent"}  # `test_rules` has these
    assert moved | rest == set(_flat(first))


def _flat(order: PaymentOrder) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in asdict(order).items():
        found |= {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
    return found
