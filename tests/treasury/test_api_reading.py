"""Reading by the API: what was granted and nothing else, filters, pages, and failures in one shape."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from rest_framework.test import APIClient

from reconciliation.services import by_hand
from tests import make
from tests.make import Cast
from tests.programs import Program
from tests.reconciliation import build
from treasury.api import docs
from treasury.api.tokens import TokenThrottle
from treasury.models import Balance, ExchangeRate
from treasury.services import forecasting

LISTS = (
    "companies", "accounts", "balances", "statements", "entries", "statement-files", "beneficiaries",
    "payments", "payment-batches", "ledger-entries", "ledger-files", "matches",
)  # fmt: skip
SHAPE = {"code", "message", "hint"}


@pytest.fixture
def full(cast: Cast, now: datetime) -> Cast:
    """One row at least in every list."""
    Balance.objects.create(
        account=cast.cny, as_of=now, ledger=Decimal("1200.5"), source="BANK", received_at=now
    )
    Balance.objects.create(
        account=cast.cny, as_of=now - timedelta(days=1), ledger=Decimal(7), source="BANK", received_at=now
    )
    entries = build.statement(cast.cny, [{"amount": "-5.5"}, {"amount": "8"}])
    lines = build.journal(cast.cny, [{"amount": "-5.5"}], by=cast.dave)
    by_hand.match_lines(
        account=cast.cny, entries=[entries[0].pk], ledger_entries=[lines[0].pk], by=cast.dave, at=now
    )
    from payments.services import batches
    from payments.services.writing import wish_of

    wish = wish_of(make.payment(cast))
    batches.create_batch(account=cast.cny, name="B", source="FORM", by=cast.alice, at=now, wishes=[wish] * 3)
    return cast


@pytest.mark.parametrize("name", LISTS)
def test_granted_rows_are_listed_and_read_one_by_one(full: Cast, name: str) -> None:
    carol = Program(full.carol)
    found = carol.read(f"{name}/").json()
    assert found["results"], name
    for row in found["results"]:
        one = carol.read(f"{name}/{row['id']}/")
        assert one.status_code == 200
        assert row.items() <= one.json().items()


@pytest.mark.parametrize("name", LISTS)
def test_mallory_sees_nothing_and_learns_nothing(full: Cast, name: str) -> None:
    row = Program(full.carol).read(f"{name}/").json()["results"][0]
    mallory = Program(full.mallory)
    assert mallory.read(f"{name}/").json()["results"] == []
    hidden, absent = (mallory.read(f"{name}/{pk}/") for pk in (row["id"], 999_999_999))
    assert (hidden.status_code, hidden.content) == (404, absent.content)


def test_mallory_forecasts_nothing(full: Cast) -> None:
    mallory = Program(full.mallory)
    assert mallory.read("forecast/").json() == {"results": []}
    assert mallory.read("forecast/", company=full.company.pk).status_code == 404


def test_whoever_is_granted_one_account_sees_only_it(full: Cast) -> None:
    make.assign_perm("treasury.view_account", full.mallory, full.usd)
    mallory = Program(full.mallory)
    assert [a["id"] for a in mallory.read("accounts/").json()["results"]] == [full.usd.pk]
    assert mallory.read("payments/").json()["results"] == []


@pytest.mark.parametrize("name", [*LISTS, "exchange-rates", "forecast", "schema"])
def test_nobody_reads_without_signing_in(db: None, name: str) -> None:
    answer = APIClient().get(f"/api/v1/{name}/")
    assert answer.status_code == 401
    assert b"treasury.not_signed_in" in answer.content
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(
    full: Cast, name: str, django_assert_max_num_queries: Any
) -> None:
    carol = Program(full.carol)
    carol.read(f"{name}/")
    with django_assert_max_num_queries(4):
        carol.read(f"{name}/")


def test_amounts_are_text_with_the_digits_of_their_currency(full: Cast) -> None:
    carol = Program(full.carol)
    (balance,) = carol.read("balances/").json()["results"]
    assert (balance["ledger"], balance["available"], balance["currency"]) == ("1200.50", None, "CNY")
    amounts = {row["amount"] for row in carol.read("entries/").json()["results"]}
    assert amounts == {"-5.50", "8.00"}


def test_rates_are_the_same_for_everybody(cast: Cast, now: datetime) -> None:
    ExchangeRate.objects.create(currency="USD", quote="CNY", rate=Decimal("7.10"), on=now.date())
    (rate,) = Program(cast.mallory).read("exchange-rates/", currency="USD").json()["results"]
    assert (rate["rate"], rate["quote"]) == ("7.1", "CNY")


def test_pages_are_cut_by_key_and_miss_nothing(full: Cast) -> None:
    carol, seen, url = Program(full.carol), [], "/api/v1/payments/?page_size=2"
    while url:
        page = carol.get(url).json()
        seen += [row["id"] for row in page["results"]]
        assert len(page["results"]) <= 2
        url = page["next"]
    assert len(seen) == 4
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("stat=DRAFT", "stat"),
        ("state=DONE", "state"),
        ("account=x", "account"),
        ("account=99999999999999999999999", "account"),
        ("execute_from=yesterday", "execute_from"),
        ("reference=%00", "reference"),
        ("state=DRAFT&state=SETTLED", "state"),
        ("page_size=0", "page_size"),
        ("page_size=5000", "page_size"),
    ],
)
def test_a_parameter_that_cannot_be_taken_is_refused_by_name(full: Cast, query: str, field: str) -> None:
    answer = Program(full.carol).get(f"/api/v1/payments/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "treasury.request_invalid")
    assert [e["field"] for e in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0xMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==", "%F0"])
def test_a_cursor_that_is_not_ours_is_refused(full: Cast, cursor: str) -> None:
    answer = Program(full.carol).get(f"/api/v1/payments/?cursor={cursor}")
    assert answer.status_code in {200, 400}, answer.content
    assert answer.status_code == 400 or answer.json()["results"] is not None


def test_filters_narrow_a_list(full: Cast) -> None:
    carol = Program(full.carol)
    batch = carol.read("payment-batches/").json()["results"][0]
    inside = carol.read("payments/", batch=batch["id"], state="DRAFT").json()["results"]
    assert (len(inside), batch["payments_count"], batch["payments_sum"]) == (3, 3, "3600.00")
    assert carol.read("entries/", booked_from="2030-01-01").json()["results"] == []
    assert len(carol.read("matches/", undone="true").json()["results"]) == 1
    assert carol.read("accounts/", currency="JPY").json()["results"] == []


def test_the_forecast_is_the_pages(full: Cast) -> None:
    answer = Program(full.carol).read("forecast/", weeks=2).json()["results"]
    page = forecasting.forecast(user=full.carol, at=datetime.now(UTC), weeks=2)
    assert [one["currency"] for one in answer] == list(page)
    for one in answer:
        assert Decimal(one["opening"]) == page[one["currency"]].opening
        assert [Decimal(w["closing"]) for w in one["weeks"]] == [
            w.closing for w in page[one["currency"]].weeks
        ]
    assert Program(full.carol).read("forecast/", weeks=0).status_code == 400


@pytest.mark.parametrize(
    "path", ["", "nothing/", "payments/abc/", "payments/1/launch/", "payments", f"payments/{10**30}/"]
)
def test_unknown_addresses_are_404_in_the_same_shape(cast: Cast, path: str) -> None:
    answer = Program(cast.carol).get(f"/api/v1/{path}")
    assert (answer.status_code, set(answer.json())) == (404, SHAPE)


def test_wrong_types_and_methods_are_told(cast: Cast) -> None:
    carol = Program(cast.carol)
    html = carol.get("/api/v1/accounts/", HTTP_ACCEPT="text/html")
    assert (html.status_code, html.json()["code"]) == (406, "treasury.not_acceptable")
    form = carol.post("/api/v1/payment-batches/", "a=1", content_type="application/x-www-form-urlencoded")
    assert (form.status_code, form.json()["code"]) == (415, "treasury.media_type")


def test_a_fault_of_ours_says_an_id_and_no_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_given: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(forecasting, "forecast", broken)
    with caplog.at_level(logging.ERROR):
        answer = Program(cast.carol).read("forecast/")
    assert (answer.status_code, answer.json()["code"]) == (500, "treasury.unforeseen")
    assert "hunter2" not in answer.content.decode()
    assert any(record.getMessage().split()[-1] in answer.json()["message"] for record in caplog.records)


def test_a_browser_session_reads_and_needs_its_csrf_token_to_act(cast: Cast) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(cast.alice)
    assert browser.get("/api/v1/accounts/").status_code == 200
    refused = browser.post("/api/v1/payments/1/submit/", {}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert (refused.status_code, refused.json()["code"]) == (403, "treasury.request_refused")


def test_a_token_that_asks_too_often_waits(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    carol, other = Program(cast.carol), Program(cast.carol)
    assert [carol.read("accounts/").status_code for _n in range(3)] == [200, 200, 429]
    last = carol.read("accounts/")
    assert last.json()["code"] == "treasury.too_many_requests"
    assert 1 <= int(last.headers["Retry-After"]) <= 61
    assert other.read("accounts/").status_code == 200


def test_the_description_is_valid_openapi_without_a_warning(db: None, tmp_path: Path) -> None:
    target = tmp_path / "schema.json"
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json", file=str(target))
    described = json.loads(target.read_text(encoding="utf-8"))
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            assert one.get("summary"), f"{method} {path} has no summary"
            keys = [p for p in one.get("parameters", ()) if p["name"] == "Idempotency-Key"]
            assert len(keys) == (method == "post" and path != "/api/v1/statement-files/"), path
    assert {m for methods in described["paths"].values() for m in methods} == {"get", "post"}


def test_the_description_is_served_and_drawn_for_people(cast: Cast) -> None:
    answer = Program(cast.carol).get("/api/v1/schema/", HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    assert "/api/v1/payments/{id}/approve/" in answer.json()["paths"]
    client = Client()
    assert client.get("/api/v1/docs/").status_code == 302
    client.force_login(cast.mallory)
    page = client.get("/api/v1/docs/").content.decode()
    for one, _tag in docs.operations(docs.described()):
        assert f'id="{one.anchor}"' in page
    assert "expected_digest" in page


def test_every_address_is_described(db: None) -> None:
    described = set(docs.described()["paths"])
    resolver = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/v1/")
    names = {
        str(p.pattern) for inner in resolver.url_patterns for p in getattr(inner, "url_patterns", [inner])
    }
    lists = {name.strip("/") for name in names if name.endswith("/") and "<" not in name} - {"schema", "docs"}
    assert {f"/api/v1/{name}/" for name in lists} <= described
    assert len(lists) >= len(LISTS)
