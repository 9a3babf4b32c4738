"""What is in the repository: nothing of one machine, everything pinned, one pin for each need."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HOSTS = re.compile(r"py" r"pi\.org|python" r"hosted\.org|npm" r"js\.(org|com)|deb\.deb" r"ian\.org")
PLACES = re.compile(r"(?<![\w./])/(wo" r"rk|ro" r"ot|ho" r"me/\w+|Us" r"ers)/")


def tracked() -> list[Path]:
    """Files under version control; nothing where this is no clone."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: what is tracked cannot be told")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and "vendor" not in path.parts]


def texts() -> list[tuple[str, str]]:
    kinds = {".py", ".md", ".txt", ".toml", ".html", ".css", ".js", ".json", ".yml", ".po", ""}
    return [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace"))
        for path in tracked()
        if path.suffix in kinds
    ]


def test_no_file_names_a_registry_host_or_a_place_on_one_machine() -> None:
    found = [
        f"{name}: {mark.group()}"
        for name, text in texts()
        for mark in (HOSTS.search(text), PLACES.search(text))
        if mark
    ]
    assert found == []


def pins() -> dict[str, str]:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    return [Requirement(text) for text in [*project["dependencies"], *extras]]


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    pinned = pins()
    for need in declared():
        version = pinned.get(canonicalize_name(need.name))
        assert version is not None, f"{need.name} is not in .ci/constraints.txt"
        assert need.specifier.contains(version), f"{need} does not allow {version}"


def test_what_those_need_is_pinned_too() -> None:
    from importlib.metadata import PackageNotFoundError, requires

    pinned, todo, seen = pins(), declared(), set()
    while todo:
        need = todo.pop()
        key = (canonicalize_name(need.name), tuple(sorted(need.extras)))
        if key in seen:
            continue
        seen.add(key)
        assert key[0] in pinned, f"{need.name} is installed but not in .ci/constraints.txt"
        try:
            texts = requires(need.name) or []
        except PackageNotFoundError:
            continue  # needed on another platform only
        for below in map(Requirement, texts):
            if below.marker is None or any(below.marker.evaluate({"extra": e}) for e in key[1] or ("",)):
                todo.append(below)
    assert set(pinned) == {name for name, _ in seen}, "a pin that nothing needs"


def test_what_is_imported_is_declared() -> None:
    from importlib.metadata import packages_distributions

    own = {"treasury", "banks", "payments", "reconciliation", "tests"}
    owners = packages_distributions()
    needed = {canonicalize_name(need.name) for need in declared()} | {"packaging", "greenlet"}
    import_line = re.compile(r"^\s*(?:from|import) ([a-zA-Z_]\w*)", re.MULTILINE)
    missing = set()
    for folder in sorted(own):
        for path in (ROOT / folder).rglob("*.py"):
            for name in import_line.findall(path.read_text(encoding="utf-8")):
                dists = {canonicalize_name(dist) for dist in owners.get(name, ())}
                if name not in own and dists and not dists & needed:
                    missing.add(f"{name} in {path.relative_to(ROOT)}")
    assert missing == set()
