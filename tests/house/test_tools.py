"""The linters and formatters have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def said(*arguments: str) -> str:
    """What a tool complains about; "" when it is content."""
    program = str(Path(sys.executable).with_name(arguments[0]))
    done = subprocess.run([program, *arguments[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert said("ruff", "check", "--no-cache", ".") == ""


def test_the_code_is_formatted() -> None:
    assert said("ruff", "format", "--no-cache", "--check", ".") == ""


def test_templates_are_formatted() -> None:
    """Mended by `djade --target-version 5.2` with the files it names."""
    templates = sorted(str(path) for path in (ROOT / "templates").rglob("*.html"))
    assert said("djade", "--target-version", "5.2", "--check", *templates) == ""


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_types_are_right(tmp_path: Path) -> None:
    assert said("mypy", f"--cache-dir={tmp_path}", "treasury", "banks", "payments", "reconciliation") == ""
