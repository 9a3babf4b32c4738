"""Statement files by the API: stored once, read, and told only as far as the accounts were granted."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from banks.models import Entry, InboundFile
from tests.banks.papers import camt, line, paper
from tests.make import Cast
from tests.programs import Program

PATH = "/api/v1/statement-files/"


def sent(content: bytes, name: str = "statement.xml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def upload(who: Program, content: bytes, **fields: Any) -> Any:
    return who.post(PATH, {"file": sent(content), **fields}, format="multipart")


def test_a_file_is_read_once_however_often_it_is_sent(cast: Cast) -> None:
    alice, content = Program(cast.alice), camt(paper(cast.cny, [line("100"), line("-30")]))
    first, second = upload(alice, content), upload(alice, content)
    assert (first.status_code, second.status_code) == (201, 200)
    body = first.json()
    assert (body["state"], body["new_entries"], body["error"]) == ("READ", 2, "")
    assert second.json()["statements"] == body["statements"]
    assert (InboundFile.objects.count(), Entry.objects.count()) == (1, 2)
    statement = alice.read(f"statements/{body['statements'][0]}/").json()
    assert (statement["balanced"], statement["entries_sum"]) == (True, "70.00")


@pytest.mark.parametrize(("name", "status"), [("dave", 201), ("bob", 403), ("erin", 403), ("mallory", 201)])
def test_who_may_upload(cast: Cast, name: str, status: int) -> None:
    answer = upload(Program(getattr(cast, name)), camt(paper(cast.cny, [line("100")])))
    assert answer.status_code == status
    if name == "mallory":
        assert Program(cast.mallory).read("statements/").json()["results"] == []


def test_a_file_that_cannot_be_read_says_so_and_stays(cast: Cast) -> None:
    answer = upload(Program(cast.alice), b"not a statement")
    assert (answer.status_code, answer.json()["state"]) == (201, "UNREADABLE")
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"file": b""}, 422),
        ({"file": b"x", "format": "doc"}, 400),
        ({"file": b"x", "a": "b"}, 400),
    ],
)
def test_a_form_that_is_not_ours_is_refused(cast: Cast, fields: dict[str, Any], status: int) -> None:
    form = {name: sent(value) if name == "file" else value for name, value in fields.items()}
    answer = Program(cast.alice).post(PATH, form, format="multipart")
    assert answer.status_code == status, answer.json()
    assert not InboundFile.objects.exists()


def test_json_is_no_file(cast: Cast) -> None:
    assert Program(cast.alice).post(PATH, {"file": "x"}, format="json").status_code == 415
