"""Templates fit the content security policy and speak through the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORBIDDEN = {
    "inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
    "handler attribute": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.IGNORECASE),
    "htmx that evaluates": re.compile(r"hx-on[:-]|hx-vals\s*=\s*[\"']js:|hx-vars", re.IGNORECASE),
    "javascript address": re.compile(r"(href|action)\s*=\s*[\"']\s*javascript:", re.IGNORECASE),
    "someone else's address": re.compile(r"<(script|link|img)\b[^>]*(src|href)\s*=\s*[\"'](https?:)?//"),
}
COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_has(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {mark.group().strip()[:60]}"
        for path in TEMPLATES
        for mark in [FORBIDDEN[what].search(COMMENT.sub("", path.read_text(encoding="utf-8")))]
        if mark
    ]
    assert found == []


def test_catalogues_are_compiled_from_what_they_say() -> None:
    catalogues = sorted((ROOT / "templates" / "locale").rglob("*.po"))
    if not catalogues:
        pytest.skip("no catalogue yet")
    import gettext

    for source in catalogues:
        compiled = source.with_suffix(".mo")
        assert compiled.exists(), f"compile {source.relative_to(ROOT)}"
        with compiled.open("rb") as file:
            held = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        stale = {key: text for key, text in written(source).items() if held.get(key) != text}
        assert stale == {}, f"compile {source.relative_to(ROOT)} again"


def written(source: Path) -> dict[object, str]:
    """Every translated message of a .po file under the key gettext gives it; fuzzy ones are not."""
    found: dict[object, str] = {}
    for block in re.split(r"\n\s*\n", source.read_text(encoding="utf-8")):
        if re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE) or re.search(r"^#~", block, re.MULTILINE):
            continue
        fields = {name: _joined(block, name) for name in ("msgctxt", "msgid", "msgid_plural", "msgstr")}
        fields |= {f"msgstr[{n}]": _joined(block, f"msgstr[{n}]") for n in range(2)}
        if not fields["msgid"]:
            continue
        key = f"{fields['msgctxt']}\x04{fields['msgid']}" if fields["msgctxt"] else fields["msgid"]
        if fields["msgid_plural"]:
            found |= {(key, n): fields[f"msgstr[{n}]"] for n in range(2) if fields[f"msgstr[{n}]"]}
        elif fields["msgstr"]:
            found[key] = fields["msgstr"]
    return found


def _joined(block: str, name: str) -> str:
    lines = re.search(rf'^{re.escape(name)}((?:\s+"(?:[^"\\]|\\.)*")+)', block, re.MULTILINE)
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', lines.group(1)) if lines else []
    plain = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda m: plain.get(m.group(1), m.group(1)), "".join(pieces))
