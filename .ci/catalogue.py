"""Bring the Chinese catalogue in step with the strings in the source, and compile it.

    python .ci/catalogue.py            collect the strings, keep what is translated, compile

Needs GNU gettext on the developer's machine; the portal itself needs none, because the compiled
catalogue is tracked. Strings without a translation are listed at the end: fill in their `msgstr` in
templates/locale/zh_Hans/LC_MESSAGES/django.po and run this again. Guesses (fuzzy entries) are emptied
and the date of collection is left out, so that a refresh shows only what really changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "templates" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
NOT_THE_PORTAL = (".data", ".venv", ".ci", "build", "tests", "staticfiles")
HEADER = """\
# The portal in Simplified Chinese. The terms are those of templates/docs/glossary.md.
msgid ""
msgstr ""
"Project-Id-Version: zhilian\\n"
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"""
FUZZY = re.compile(r"^#,.*\bfuzzy\b")


def collect() -> None:
    """Merge the strings of the source into the catalogue; what left the source leaves it too."""
    ignored = [part for folder in NOT_THE_PORTAL for part in ("--ignore", folder)]
    options = ["--no-location", "--no-obsolete", "--no-wrap", *ignored]
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--locale", "zh_Hans", *options], cwd=ROOT, check=True
    )


def tidy(text: str) -> str:
    """The same catalogue with our header, and with empty strings in place of guesses."""
    entries = [block for block in text.split("\n\n") if block.strip()][1:]
    return (
        "\n\n".join([HEADER.rstrip("\n"), *(without_guess(entry) for entry in entries)]).rstrip("\n") + "\n"
    )


def without_guess(entry: str) -> str:
    """The entry as it is, or untranslated when msgmerge only guessed its translation."""
    lines = entry.strip("\n").split("\n")
    if not any(FUZZY.match(line) for line in lines):
        return "\n".join(lines)
    flags = [re.sub(r",? ?\bfuzzy\b", "", line) if FUZZY.match(line) else line for line in lines]
    kept = [line for line in flags if line not in ("#", "#,") and not line.startswith("#|")]
    start = next(i for i, line in enumerate(kept) if line.startswith("msgstr"))
    return "\n".join([*kept[:start], 'msgstr[0] ""' if kept[start].startswith("msgstr[") else 'msgstr ""'])


def untranslated(text: str) -> list[str]:
    """The first source line of every entry whose translation is empty."""
    empty = re.compile(r'^msgstr(\[0\])? ""\n?\Z', re.MULTILINE)
    return [block for block in text.split("\n\n")[1:] if empty.search(block.rstrip("\n"))]


def main() -> int:
    """Returns 1 when strings wait for a translation."""
    collect()
    text = tidy(CATALOGUE.read_text(encoding="utf-8"))
    CATALOGUE.write_text(text, encoding="utf-8")
    compiled = CATALOGUE.with_suffix(".mo")
    subprocess.run(
        ["msgfmt", "--check", "-o", str(compiled), str(CATALOGUE)],  # noqa: S607 - gettext is on the path
        check=True,
    )
    waiting = untranslated(text)
    for entry in waiting:
        sys.stdout.write(f"{entry}\n\n")
    sys.stdout.write(f"{len(waiting)} strings wait for a translation.\n")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
