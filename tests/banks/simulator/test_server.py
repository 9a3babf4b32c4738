"""The line of the simulated bank: signatures, bodies, and messages refused as a whole."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from banks.simulator.client import ControlError
from banks.simulator.signing import sign
from tests.simulated_bank import KEY, Banks, SimulatedBank

PAYMENT = {
    "reference": "R1",
    "debtor_account": "A",
    "creditor_account": "B",
    "creditor_name": "Beta",
    "creditor_bank_code": "",
    "amount": "1.00",
    "currency": "CNY",
    "requested_on": "",
    "purpose": "",
    "urgent": False,
}


@pytest.fixture
def peer(start_bank: Banks) -> SimulatedBank:
    bank = start_bank()
    bank.open_account("A", "CNY", opening="100.00")
    return bank


def post(
    bank: SimulatedBank,
    body: bytes,
    *,
    key: str = KEY,
    path: str = "/payments",
    at: str | None = None,
    signed: bytes | None = None,
    method: str = "POST",
) -> tuple[int, dict[str, Any]]:
    timestamp = at if at is not None else datetime.now(UTC).isoformat()
    signature = sign(key, method, path, timestamp, body if signed is None else signed)
    connection = http.client.HTTPConnection(urlsplit(bank.url).netloc, timeout=10)
    headers = {"X-Timestamp": timestamp, "X-Signature": signature}
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, content


def message(bank: SimulatedBank, **changes: Any) -> bytes:
    day = bank.business_day().isoformat()
    return json.dumps({"payments": [{**PAYMENT, "requested_on": day, **changes}]}).encode()


def test_a_well_signed_message_is_booked(peer: SimulatedBank) -> None:
    status, answer = post(peer, message(peer))
    assert (status, answer["reports"][0]["state"]) == (200, "BOOKED")
    assert answer["received_window_seconds"] == 60


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "another key"}, "BAD_SIGNATURE"),
        ({"signed": b"other bytes"}, "BAD_SIGNATURE"),
        ({"at": ""}, "BAD_TIMESTAMP"),
        ({"at": "2026-11-24T10:00:00"}, "BAD_TIMESTAMP"),
        ({"at": timedelta(minutes=-11)}, "CLOCK"),
        ({"at": timedelta(minutes=2)}, "CLOCK"),
    ],
)
def test_what_is_not_signed_right_is_refused_and_books_nothing(
    peer: SimulatedBank, wrong: dict[str, Any], code: str
) -> None:
    if isinstance(wrong.get("at"), timedelta):
        wrong = {"at": (datetime.now(UTC) + wrong["at"]).isoformat()}
    status, answer = post(peer, message(peer), **wrong)
    assert (status, answer["error"]["code"]) == (401, code)
    assert answer["error"]["processed"] is False
    assert peer.ledger()["payments"] == []


def test_control_needs_the_key_as_well(peer: SimulatedBank) -> None:
    assert post(peer, b"{}", path="/control/day", key="x")[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"payments": []}',
        b'{"payments": [1]}',
        b'{"payments": [{"reference": "R1"}]}',
        b'{"payments": {}, "more": 1}',
        b'{"payments": "\\ud800"}',
        b"[" * 100_000,
    ],
)
def test_a_malformed_body_is_refused_whole(peer: SimulatedBank, body: bytes) -> None:
    status, answer = post(peer, body)
    assert (status, answer["error"]["code"]) == (400, "MALFORMED")


@pytest.mark.parametrize("change", [{"amount": 1.0}, {"urgent": "yes"}, {"purpose": None}, {"extra": "x"}])
def test_a_field_of_the_wrong_type_refuses_the_whole_message(
    peer: SimulatedBank, change: dict[str, Any]
) -> None:
    assert post(peer, message(peer, **change))[0] == 400
    assert peer.ledger()["payments"] == []


def test_an_unknown_path_is_refused(peer: SimulatedBank) -> None:
    assert post(peer, b"", path="/coffee", method="GET")[0] == 404


def test_control_orders_that_make_no_sense_are_refused_by_name(peer: SimulatedBank) -> None:
    with pytest.raises(ControlError, match="BAD_AMOUNT"):
        peer.credit("A", "1.005")
    with pytest.raises(ControlError, match="UNKNOWN_ACCOUNT"):
        peer.freeze("NOWHERE", "1.00")
    with pytest.raises(ControlError, match="use an ISO 4217 code"):
        peer.open_account("C", "ABC")


def test_a_bank_that_follows_the_clock_closes_its_days_by_itself(start_bank: Banks) -> None:
    bank = start_bank(follow_clock=True)
    bank.open_account("A", "CNY", opening="1.00")
    before = bank.business_day()
    bank.advance(24 * 3600)
    assert bank.business_day() == before + timedelta(days=1)
