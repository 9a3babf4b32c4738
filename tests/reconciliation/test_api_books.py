"""Journal files by the API: booked whole or not at all, once per key and once per file."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from reconciliation.models import LedgerEntry, LedgerImport
from tests.make import Cast
from tests.programs import Program
from tests.reconciliation.build import csv_of

PATH = "/api/v1/ledger-files/"


def upload(who: Program, cast: Cast, content: bytes, key: str = "k") -> Any:
    form = {"account": cast.cny.pk, "file": SimpleUploadedFile("journal.csv", content)}
    return who.post(PATH, form, format="multipart", HTTP_IDEMPOTENCY_KEY=key)


def test_a_journal_is_booked_once_per_key_and_file(cast: Cast) -> None:
    dave, content = Program(cast.dave), csv_of([{"amount": "100.5"}, {"amount": "-3"}])
    first = upload(dave, cast, content)
    assert first.status_code == 201, first.json()
    assert (first.json()["rows"], first.json()["money_in"], first.json()["money_out"]) == (
        2,
        "100.50",
        "3.00",
    )
    again = upload(dave, cast, content)
    assert (again.status_code, again.content) == (201, first.content)
    other = upload(dave, cast, csv_of([{"amount": "1"}]))
    assert (other.status_code, other.json()["code"]) == (422, "treasury.key_reused")
    fresh = upload(dave, cast, content, key="another")
    assert (fresh.status_code, fresh.json()["code"]) == (409, "reconciliation.booked_already")
    assert LedgerEntry.objects.count() == 2
    listed = dave.read("ledger-entries/", imported=first.json()["id"]).json()["results"]
    assert {row["amount"] for row in listed} == {"100.50", "-3.00"}


def test_a_journal_with_bad_rows_is_not_booked_and_the_rows_are_named(cast: Cast) -> None:
    answer = upload(Program(cast.dave), cast, csv_of([{"amount": "1"}, {"amount": "many"}]))
    assert (answer.status_code, answer.json()["code"]) == (422, "reconciliation.journal_rows")
    assert [e["field"] for e in answer.json()["errors"]] == ["row 3"]
    assert not LedgerImport.objects.exists()
    table = upload(Program(cast.dave), cast, b"\x00\x01\x02")
    assert table.status_code == 422


@pytest.mark.parametrize(("name", "status"), [("alice", 201), ("bob", 403), ("erin", 403), ("mallory", 404)])
def test_who_may_import(cast: Cast, name: str, status: int) -> None:
    answer = upload(Program(getattr(cast, name)), cast, csv_of([{"amount": "1"}]))
    assert answer.status_code == status, answer.json()
