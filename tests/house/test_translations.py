"""The Chinese catalogue is whole: every string has its translation, and the compiled file is the same.

Whether a translation reads well is for people; here is only what a machine can tell.
"""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "templates" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
APPS = ("treasury", "banks", "payments", "reconciliation", "templates")
PLACEHOLDER = re.compile(r"%\(\w+\)[\d.]*[a-zA-Z]|</?\w+>|`[^`]+`")
KEYWORD = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d)\])? (".*")$')


@dataclass
class Message:
    """One entry of a catalogue: what the source says and what is shown instead."""

    source: str = ""
    plural: str = ""
    context: str = ""
    shown: dict[int, str] = field(default_factory=dict)
    flags: str = ""


def messages(path: Path) -> list[Message]:
    """All entries of a .po file but the header."""
    found = [message(block) for block in path.read_text(encoding="utf-8").split("\n\n")]
    return [entry for entry in found if entry.source]


def message(block: str) -> Message:
    entry, keyword, index = Message(), "", 0
    for line in block.strip("\n").split("\n"):
        if line.startswith("#"):
            entry.flags += line if line.startswith("#,") else ""
            continue
        match = KEYWORD.match(line)
        if match:
            keyword, index = match[1], int(match[2] or 0)
        text = ast.literal_eval(match[3] if match else line)
        if keyword == "msgid":
            entry.source += text
        elif keyword == "msgid_plural":
            entry.plural += text
        elif keyword == "msgctxt":
            entry.context += text
        else:
            entry.shown[index] = entry.shown.get(index, "") + text
    return entry


def key(entry: Message) -> str:
    return f"{entry.context}\x04{entry.source}" if entry.context else entry.source


def test_every_string_has_a_translation_that_a_person_wrote() -> None:
    untranslated = [entry.source for entry in messages(CATALOGUE) if not all(entry.shown.values())]
    guessed = [entry.source for entry in messages(CATALOGUE) if "fuzzy" in entry.flags]
    assert untranslated == []
    assert guessed == []


def test_no_source_string_is_written_with_escapes_that_the_collector_does_not_read() -> None:
    assert [entry.source for entry in messages(CATALOGUE) if re.search(r"\\\\[uUxN]", entry.source)] == []


def test_no_string_hides_from_the_collector_inside_an_f_string() -> None:
    marks = {"_", "gettext", "ngettext", "gettext_lazy"}
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for joined in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in marks
        if call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


def test_a_translation_carries_the_placeholders_of_its_source() -> None:
    different = [
        f"{entry.source} -> {shown}"
        for entry in messages(CATALOGUE)
        for shown in entry.shown.values()
        if sorted(PLACEHOLDER.findall(entry.source)) != sorted(PLACEHOLDER.findall(shown))
    ]
    assert different == []


def test_chinese_sentences_end_with_chinese_punctuation() -> None:
    wrong = [
        shown
        for entry in messages(CATALOGUE)
        for shown in entry.shown.values()
        if re.search(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(?:\s|$)", shown)
    ]
    assert wrong == []


def test_the_compiled_catalogue_says_what_the_text_says() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as compiled:
        known = dict(gettext.GNUTranslations(compiled)._catalog)  # type: ignore[attr-defined]
    known.pop("", None)
    written: dict[object, str] = {}
    for entry in messages(CATALOGUE):
        for index, shown in entry.shown.items():
            written[(key(entry), index) if entry.plural else key(entry)] = shown
    assert known == written


def test_no_string_of_the_source_is_missing_from_the_catalogue(tmp_path: Path) -> None:
    if not shutil.which("xgettext"):
        pytest.skip("the strings of the source are collected by xgettext, which is not installed here")
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("locale", "*.pyc"))
    (tmp_path / "locale").mkdir()
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "zh_Hans", "--no-location", "--no-wrap"],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": ""},
        check=True,
        capture_output=True,
    )
    collected = {key(entry) for entry in messages(tmp_path / "locale/zh_Hans/LC_MESSAGES/django.po")}
    assert collected == {key(entry) for entry in messages(CATALOGUE)}, "run: python .ci/catalogue.py"
