"""Who may approve what, and that a yes binds exactly what was seen."""

from __future__ import annotations

from datetime import datetime

from payments.services import releasing
from tests import make
from tests.make import Cast


def test_the_last_yes_approves_and_the_payment_may_leave(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast, "1200.00")
    assert payment.state == "APPROVED"
    releasing.verify_release(payment=payment)
