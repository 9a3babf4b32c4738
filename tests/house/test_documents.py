"""What exists is documented: settings, commands, connectors, error codes; and the guide opens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse

from banks import connectors
from tests.house.test_structure import APPS, modules
from treasury.environment import KNOWN
from treasury.views.guide import slugs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "templates" / "docs"
CODE = re.compile(rf"^({'|'.join(APPS)})\.[a-z_]+$")


def rows(name: str) -> dict[str, str]:
    """First cell of every table row of a chapter, without its quotes, to the whole row."""
    lines = (DOCS / f"{name}.md").read_text(encoding="utf-8").splitlines()
    return {line.split("|")[1].strip(" `"): line for line in lines if line.startswith("| `")}


def error_codes() -> Iterator[str]:
    """Codes of exception classes, and those given to one as `code=`."""
    for path in modules(*APPS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values: list[ast.expr | None] = []
            if isinstance(node, ast.ClassDef):
                values = [
                    statement.value
                    for statement in node.body
                    if isinstance(statement, ast.Assign | ast.AnnAssign)
                    and "code" in {getattr(t, "id", "") for t in _targets(statement)}
                ]
            elif isinstance(node, ast.Call):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            for value in values:
                if isinstance(value, ast.Constant) and CODE.match(str(value.value)):
                    yield str(value.value)


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def test_every_setting_is_in_the_guide_as_the_code_has_it() -> None:
    expected = {s.name: f"| `{s.name}` | {s.meaning} | `{s.example}` |" for s in KNOWN.values()}
    assert rows("settings") == expected


def test_every_command_is_in_the_guide() -> None:
    ours = {name for name, app in get_commands().items() if app in APPS}
    assert ours - set(rows("commands")) == set()


def test_every_connector_is_in_the_guide() -> None:
    assert set(rows("connectors")) >= set(connectors.keys())


def test_every_error_code_is_in_the_guide_and_the_guide_names_no_other() -> None:
    codes, documented = set(error_codes()), set(rows("error-codes"))
    assert codes - documented == set(), "run .ci/guide.py"
    assert documented - codes == set(), "gone from the code: run .ci/guide.py"


def test_decisions_are_dated_and_five_lines_long() -> None:
    text = (DOCS / "decisions.md").read_text(encoding="utf-8")
    for heading, body in re.findall(r"^## (.+)\n\n((?:.+\n?)+)", text, re.MULTILINE):
        assert re.match(r"20\d\d-\d\d-\d\d \S", heading), heading
        assert len(body.splitlines()) == 5, heading


@pytest.mark.django_db
def test_every_chapter_opens_for_who_is_signed_in(client: Client, cast: Any) -> None:
    assert client.get(reverse("guide")).status_code == 302
    client.force_login(cast.mallory)
    for slug in slugs():
        page = client.get(reverse("guide_chapter", args=[slug]))
        assert page.status_code == 200
        headings = re.findall(r"<h1[^>]*>", page.content.decode())
        assert len(headings) == 1, slug
    assert client.get(reverse("guide_chapter", args=["no-such"])).status_code == 404


def test_links_between_chapters_lead_somewhere() -> None:
    known = set(slugs())
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(/docs/([\w-]+)/", path.read_text(encoding="utf-8")):
            assert target in known, f"{path.name}: {target}"
