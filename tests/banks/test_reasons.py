"""What formats and connectors say of a bank's bytes is read in the reader's language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from banks import reasons
from treasury.wording import in_words

ROOT = Path(__file__).resolve().parents[2]
SPEAKERS = ("formats", "connectors", "rules.py", "services")
SILENT = {"write.py", "inspect.py"}  # for programmers, never stored


def skeletons(path: Path) -> set[str]:
    """Every text of a module, values left out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def sources(*parts: str) -> list[Path]:
    folders = [ROOT / "banks" / part for part in parts]
    found = [path for one in folders for path in (sorted(one.rglob("*.py")) if one.is_dir() else [one])]
    return [path for path in found if path.name not in SILENT]


def test_every_known_sentence_is_one_the_source_says() -> None:
    said = {text for path in sources(*SPEAKERS) for text in skeletons(path)}
    known = [re.sub(r"%\(\w+\)s", "{}", sentence) for sentence in (*reasons.SENTENCES, *reasons.WORDS)]
    assert [sentence for sentence in known if sentence not in said] == []


def test_every_sentence_a_format_says_is_known() -> None:
    known = {re.sub(r"%\(\w+\)s", "{}", sentence) for sentence in reasons.SENTENCES}
    missing = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in sources("formats")
        for text in skeletons(path)
        if "{}" in text and re.search(r"[a-z]{2,} [a-z]{2,}", text) and text not in known
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("amount “twenty” is not a number", "金额“twenty”不是数字"),
        (
            "This is a PDF document, not a bank statement file."
            " Ask the bank for the statement as camt.053 or MT940.",
            "这是PDF文档，不是银行对账单文件。请向银行索取camt.053或MT940格式的对账单。",
        ),
        (
            "No connection to the bank at http://127.0.0.1:9: refused"
            " Check that the bank is running and that the address is right.",
            "无法连接银行http://127.0.0.1:9：refused请检查银行系统是否运行、地址是否正确。",
        ),
        ("Beispiel GmbH said something else.", "Beispiel GmbH said something else."),
    ],
)
def test_a_stored_sentence_is_shown_in_chinese(stored: str, shown: str) -> None:
    with translation.override("zh-hans"):
        assert in_words(stored) == shown
    with translation.override("en"):
        assert in_words(stored) == stored
