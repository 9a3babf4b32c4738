"""The floors hold, files and functions stay short, every module says what it holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
APPS = ("treasury", "banks", "payments", "reconciliation")
LONGEST_FILE, LONGEST_TEST_FILE = 400, 450
LONGEST_FUNCTION = 52
"""Lines of a function without its docstring."""


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_nothing_imports_upward(capsys: pytest.CaptureFixture[str]) -> None:
    kept = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert kept == 0, capsys.readouterr().out


def test_files_are_short() -> None:
    counted = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*APPS, "tests")}
    long = {
        shown(path): lines
        for path, lines in counted.items()
        if lines > (LONGEST_TEST_FILE if "tests" in path.relative_to(ROOT).parts else LONGEST_FILE)
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = {
        f"{shown(path)}:{function.lineno} {function.name}": length(function)
        for path in modules(*APPS)
        for function in functions(path)
        if length(function) > LONGEST_FUNCTION
    }
    assert long == {}


def test_every_module_opens_by_saying_what_it_holds() -> None:
    silent = [
        shown(path)
        for path in modules(*APPS, "tests", ".ci")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b|raise NotImpl" + r"ementedError")
    texts = [*modules(*APPS, "tests"), *sorted((ROOT / "templates").rglob("*.*"))]
    found = [
        f"{shown(path)}: {mark.group()}"
        for path in texts
        if path.suffix in {".py", ".html", ".md", ".txt"}
        for mark in [marks.search(path.read_text(encoding="utf-8"))]
        if mark
    ]
    assert found == []


def test_modules_are_not_named_after_nothing() -> None:
    empty = {"utils.py", "helpers.py", "common.py", "misc.py", "managers.py"}
    assert [shown(p) for p in modules(*APPS) if p.name in empty] == []
