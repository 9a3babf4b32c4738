"""Making batches by the API: all or none, once per key, every broken rule named."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.models import Batch, Beneficiary, Payment
from tests import make
from tests.make import Cast
from tests.programs import Program, batch_body
from treasury import calendars
from treasury.models import IdempotentAnswer

PATH = "payment-batches/"


@pytest.fixture
def today() -> datetime:
    """The real instant: the API asks the real clock."""
    return datetime.now(UTC)


@pytest.fixture
def on(today: datetime) -> date:
    return calendars.next_business_day((today + timedelta(days=2)).date(), "CN")


@pytest.fixture
def payee(cast: Cast, today: datetime) -> Beneficiary:
    return make.beneficiary(cast, at=today)


@pytest.fixture
def alice(cast: Cast) -> Program:
    return Program(cast.alice)


def test_a_batch_is_made_and_submitted(
    cast: Cast, alice: Program, payee: Beneficiary, on: date, today: datetime
) -> None:
    make.rule_set(cast, at=today)
    answer = alice.act(PATH, batch_body(cast, payee, "1200.50", "7", on=on, submit=True))
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["payments_count"], body["payments_sum"], body["source"]) == (2, "1207.50", "API")
    assert [p["state"] for p in body["payments"]] == ["SUBMITTED", "SUBMITTED"]
    assert [p["refused"] for p in body["payments"]] == [None, None]
    one = alice.read(f"payments/{body['payments'][0]['id']}/").json()
    assert (one["amount"], one["state"], one["created_by"]) == ("1200.50", "SUBMITTED", "alice")
    assert one["approvals"][0]["steps"] == [{"order": 1, "role": "manager", "required": 1, "given": 0}]
    assert [event["action"] for event in one["timeline"]] == ["payments.created", "payments.submitted"]


def test_without_a_rule_a_submitted_payment_stays_a_draft_and_says_why(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    body = alice.act(PATH, batch_body(cast, payee, "1", on=on, submit=True)).json()
    assert body["payments"][0]["state"] == "DRAFT"
    assert body["payments"][0]["refused"]["code"] == "payments.no_rule"
    again = alice.act(f"payments/{body['payments'][0]['id']}/submit/")
    assert (again.status_code, again.json()["code"]) == (422, "payments.no_rule")
    assert again.json()["hint"]


def test_the_same_request_again_is_answered_from_memory(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    body = batch_body(cast, payee, "5.00", on=on)
    first = alice.act(PATH, body, key="key-1")
    turned = dict(reversed(list(body.items())))
    second = alice.act(PATH, turned, key="key-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Batch.objects.count() == 1


def test_a_key_belongs_to_one_request_of_one_person(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    assert alice.act(PATH, batch_body(cast, payee, "5.00", on=on), key="k").status_code == 201
    other = alice.act(PATH, batch_body(cast, payee, "6.00", on=on), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "treasury.key_reused")
    elsewhere = alice.act(f"payments/{Payment.objects.get().pk}/submit/", key="k")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "treasury.key_reused")
    assert Program(cast.carol).act(PATH, batch_body(cast, payee, "5.00", on=on), key="k").status_code == 201
    assert Batch.objects.count() == 2


def test_a_refused_request_leaves_nothing_and_its_key_free(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    bad = alice.act(PATH, batch_body(cast, payee, "1.00", "1.001", on=on), key="k")
    assert (bad.status_code, bad.json()["code"]) == (422, "payments.batch_refused")
    assert [e["field"] for e in bad.json()["errors"]] == ["payments[1].amount"]
    assert not Batch.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert alice.act(PATH, batch_body(cast, payee, "1.00", "1.01", on=on), key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "x" * 101, "ключ"])
def test_without_a_usable_key_nothing_is_done(
    cast: Cast, alice: Program, payee: Beneficiary, on: date, key: str
) -> None:
    body = json.dumps(batch_body(cast, payee, "1.00", on=on))
    answer = alice.post(f"/api/v1/{PATH}", body, content_type="application/json", HTTP_IDEMPOTENCY_KEY=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "treasury.key_missing")
    assert not Batch.objects.exists()


def test_an_answer_that_cannot_be_kept_takes_the_batch_back(
    cast: Cast, alice: Program, payee: Beneficiary, on: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(IdempotentAnswer, "save", fail)
        patch.setattr(IdempotentAnswer.objects, "create", lambda **fields: IdempotentAnswer(**fields))
        broken = alice.act(PATH, batch_body(cast, payee, "1.00", on=on), key="k")
    assert (broken.status_code, broken.json()["code"]) == (500, "treasury.unforeseen")
    assert "power cut" not in broken.content.decode()
    assert not Batch.objects.exists()
    assert alice.act(PATH, batch_body(cast, payee, "1.00", on=on), key="k").status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"state": "APPROVED"}, "payments[0].state"),
        ({"amount": 12.5}, "payments[0].amount"),
        ({"amount": "-1"}, "payments[0].amount"),
        ({"amount": "1e3"}, "payments[0].amount"),
        ({"currency": "XXQ"}, "payments[0].currency"),
        ({"execute_on": "tomorrow"}, "payments[0].execute_on"),
        ({"beneficiary": "7"}, "payments[0].beneficiary"),
        ({"urgent": "yes"}, "payments[0].urgent"),
        ({"own_account": 1}, "payments[0]"),
        ({"purpose": "a\x00b"}, "payments[0].purpose"),
    ],
)
def test_a_malformed_body_is_refused_with_the_field_named(
    cast: Cast, alice: Program, payee: Beneficiary, on: date, change: dict[str, Any], field: str
) -> None:
    body = batch_body(cast, payee, "1.00", on=on)
    body["payments"][0] |= change
    answer = alice.act(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "treasury.request_invalid")
    assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_an_unknown_field_of_the_batch_is_refused(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    answer = alice.act(PATH, batch_body(cast, payee, "1.00", on=on, approved=True))
    assert answer.json()["errors"][0]["field"] == "approved"


def test_rows_of_others_are_as_unknown_as_rows_that_do_not_exist(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    foreign = make.account(make.company("OTHER", "Other"), "4711")
    texts = set()
    for account in (foreign.pk, 999_999):
        answer = alice.act(PATH, batch_body(cast, payee, "1.00", on=on, account=account))
        assert answer.status_code == 422
        texts.add(answer.json()["errors"][0]["message"].replace(str(account), "N"))
    assert len(texts) == 1


def test_past_dates_and_wrong_currencies_are_all_named_at_once(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    body = batch_body(cast, payee, "1.00", "1.00", on=on)
    body["payments"][0]["execute_on"] = "2020-01-06"
    body["payments"][1]["currency"] = "USD"
    found = {(e["field"], e["code"]) for e in alice.act(PATH, body).json()["errors"]}
    assert ("payments[0].execute_on", "payments.date_past") in found
    assert ("payments[1].currency", "payments.currency") in found


def test_refusals_speak_the_language_that_is_asked_for(
    cast: Cast, alice: Program, payee: Beneficiary, on: date
) -> None:
    answer = alice.act(PATH, {}, HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert answer.headers["Content-Language"] == "zh-hans"
    assert answer.json()["errors"][0]["message"] != "This field is required."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LINE = st.fixed_dictionaries(
    {},
    optional={
        "beneficiary": st.integers() | JSON,
        "own_account": st.integers() | JSON,
        "amount": st.from_regex(r"\A-?[0-9]{0,25}\.?[0-9]{0,7}\Z") | JSON,
        "currency": st.sampled_from(["CNY", "USD", "JPY", "cny"]) | JSON,
        "execute_on": st.dates().map(str) | JSON,
        "purpose": st.text() | JSON,
        "urgent": st.booleans() | JSON,
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(data=st.data())
def test_no_body_whatever_breaks_the_portal(
    cast: Cast, alice: Program, payee: Beneficiary, data: st.DataObject
) -> None:
    whole = st.fixed_dictionaries(
        {"account": st.just(cast.cny.pk) | JSON, "payments": st.lists(LINE, max_size=3) | JSON},
        optional={"name": st.text() | JSON, "submit": st.booleans() | JSON},
    )
    body = data.draw(whole | JSON)
    if isinstance(body, dict) and data.draw(st.booleans()):
        lines = body.get("payments")
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, dict):
                line["beneficiary"] = payee.pk
                line.pop("own_account", None)
    raw = json.dumps(body)
    answer = alice.post(
        f"/api/v1/{PATH}", raw, content_type="application/json", HTTP_IDEMPOTENCY_KEY=f"k{hash(raw)}"
    )
    assert answer.status_code in {201, 400, 422}, answer.content


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"account": NaN}',
        b'{"account": 1, "account": 2}',
        b'{"account": ' + b"9" * 5000 + b"}",
        b"",
        b"null",
    ],
)
def test_text_that_is_no_proper_json_is_refused(cast: Cast, alice: Program, raw: bytes) -> None:
    answer = alice.post(f"/api/v1/{PATH}", raw, content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
    assert (answer.status_code, answer.json()["code"]) == (400, "treasury.request_invalid")


def test_a_body_above_the_limit_is_refused(cast: Cast, alice: Program) -> None:
    raw = b'{"name": "' + b"x" * (5 << 20) + b'"}'
    answer = alice.post(f"/api/v1/{PATH}", raw, content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
    assert (answer.status_code, answer.json()["code"]) == (413, "treasury.body_too_large")


@pytest.mark.django_db(transaction=True)
def test_many_requests_with_one_key_at_once_make_one_batch(transactional_db: None) -> None:
    at = datetime.now(UTC)
    cast = make.cast_of()
    payee = make.beneficiary(cast, at=at)
    on = calendars.next_business_day((at + timedelta(days=2)).date(), "CN")
    body, programs = batch_body(cast, payee, "9.99", on=on), [Program(cast.alice) for _n in range(4)]
    gate, answers = threading.Barrier(len(programs)), []

    def send(program: Program) -> None:
        gate.wait(timeout=10)
        try:
            answers.append(program.act(PATH, body, key="one"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [a.status_code for a in answers] == [201] * len(programs)
    assert len({a.content for a in answers}) == 1
    assert sum("Idempotency-Replayed" not in a.headers for a in answers) == 1
    assert Batch.objects.count() == Payment.objects.count() == 1
    assert Payment.objects.get().amount == Decimal("9.99")
