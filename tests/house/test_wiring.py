"""Dotted paths that are only strings until a worker reads them lead to functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.utils.module_loading import import_string

from tests.house.test_structure import APPS, ROOT, modules
from treasury import jobs


def paths_given_to(*functions: str) -> Iterator[tuple[Path, str]]:
    """First literal, or named, string that a call of one of `functions` is given as a job."""
    for path in modules(*APPS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in functions or path.name == "jobs.py":
                continue
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    if "." in argument.value:
                        yield path, argument.value
                elif isinstance(argument, ast.Name) and argument.id.isupper():
                    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                    yield path, getattr(module, argument.id)


def test_every_job_that_is_enqueued_or_scheduled_exists() -> None:
    found = list(paths_given_to("enqueue", "every"))
    assert found
    for where, path in found:
        assert callable(import_string(path)), f"{path} in {where}"
        assert path.split(".")[1] == "tasks", f"{path} in {where}: jobs live in tasks.py"


def test_every_schedule_is_laid_for_a_function() -> None:
    assert "treasury.tasks.heartbeat" in jobs.SCHEDULES
    for path, minutes in jobs.SCHEDULES.items():
        assert callable(import_string(path))
        assert 1 <= minutes <= 7 * 24 * 60
