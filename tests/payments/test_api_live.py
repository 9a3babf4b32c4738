"""A program and a real server: read, make a batch, lose the answer, repeat, approve."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from payments.models import Payment
from tests import make
from tests.programs import Program, batch_body
from treasury import calendars


def call(url: str, token: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    """Status and JSON of one request over the wire."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, headers)) as answer:  # noqa: S310 - the test's own server
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.django_db(transaction=True)
def test_a_payment_is_made_and_approved_over_the_wire(transactional_db: None, live_server: Any) -> None:
    at = datetime.now(UTC)
    cast = make.cast_of()
    payee = make.beneficiary(cast, at=at)
    make.rule_set(cast, at=at)
    on = calendars.next_business_day((at + timedelta(days=2)).date(), "CN")
    alice, bob, base = Program(cast.alice).token, Program(cast.bob).token, f"{live_server.url}/api/v1"
    status, accounts = call(f"{base}/accounts/", alice)
    assert (status, {a["id"] for a in accounts["results"]}) == (200, {cast.cny.pk, cast.usd.pk})
    body = batch_body(cast, payee, "1200.50", on=on, submit=True)
    made = [call(f"{base}/payment-batches/", alice, body, key="week-48") for _twice in range(2)]
    assert made[0] == made[1]
    assert made[0][0] == 201
    (payment,) = made[0][1]["payments"]
    path, wanted = f"{base}/payments/{payment['id']}/approve/", {"expected_digest": payment["digest"]}
    status, refusal = call(path, alice, wanted, key="a")
    assert (status, refusal["code"]) == (403, "treasury.not_allowed")
    status, approved = call(path, bob, wanted, key="b")
    assert (status, approved["state"]) == (200, "APPROVED")
    assert [p.state for p in Payment.objects.all()] == ["APPROVED"]
