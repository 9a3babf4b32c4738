"""Rewrite the chapters of the guide that repeat the code: settings and error codes.

    python .ci/guide.py

Run it after adding a setting or an error code; a test compares. The meaning of a code is the
first sentence of its exception's docstring, or the message it is raised with.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from treasury.environment import KNOWN  # noqa: E402 - found through the line above

APPS = ("treasury", "banks", "payments", "reconciliation")
CODE = re.compile(rf"^({'|'.join(APPS)})\.[a-z_]+$")
BY_HAND = {
    "payments.amount": "The amount is not positive or has more decimals than its currency.",
    "payments.currency_unknown": "The currency code is not one of ISO 4217.",
    "payments.not_found": "There is no such payment, or it may not be seen.",
    "reconciliation.file_too_large": "The journal file is larger than an import may be; split it by period.",
    "reconciliation.no_bank_balance": "No statement gives the bank's balance of that day; import it first.",
    "reconciliation.no_opening": "The account's books have no opening balance; enter it first.",
    "reconciliation.too_few_lines": "A match takes at least two lines.",
    "treasury.unforeseen": "Our fault; the message holds an id that the log knows. Repeat with the same key.",
    "reconciliation.undone_already": "The match was undone already, perhaps by somebody else.",
}
SETTINGS = """# Settings

The portal is set by environment variables. A name it does not know or a malformed value stops the start with
a hint. `NAME_FILE` instead of `NAME` reads the value from a file, for secrets that a platform mounts.

| variable | meaning | for example |
|---|---|---|
{rows}

Without any of them the portal is a complete local installation: embedded PostgreSQL, jobs carried by the
database, keys generated into the data folder.
"""
CODES = """# Error codes

Every refusal carries a stable code; the API gives it as `code`, with a message and, where there is one, a
`hint` with the next step. Messages are translated, codes never change.
"""


def found() -> Iterator[tuple[str, str]]:
    """Every code of an exception class or given as `code=`, with what the code says of it."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    sentence = (ast.get_docstring(node) or "").split("\n\n")[0]
                    for statement in node.body:
                        if isinstance(statement, ast.Assign | ast.AnnAssign) and _named_code(statement):
                            yield _text(statement.value), sentence
                elif isinstance(node, ast.Call):
                    for keyword in node.keywords:
                        if keyword.arg == "code":
                            yield _text(keyword.value), _text(node.args[0] if node.args else None)


def _named_code(statement: ast.Assign | ast.AnnAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(getattr(target, "id", "") == "code" for target in targets)


def _text(node: ast.expr | None) -> str:
    """The literal text in an expression such as `_("…") % {…}`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Call) and node.args:
        return _text(node.args[0])
    return _text(node.left) if isinstance(node, ast.BinOp) else ""


def error_codes() -> dict[str, str]:
    """Code to meaning, in order."""
    meanings: dict[str, str] = {}
    for code, said in found():
        if CODE.match(code):
            meanings[code] = meanings.get(code) or said
    return {code: _sentence(BY_HAND.get(code) or meanings[code] or code) for code in sorted(meanings)}


def _sentence(text: str) -> str:
    plain = " ".join(re.sub(r"%\(\w+\)[\d.]*[srdX]", "…", text).split()).replace("|", "/")
    return plain if plain.endswith((".", "…", ")")) else f"{plain}."


def codes_chapter() -> str:
    parts, meanings = [CODES], error_codes()
    for app in APPS:
        rows = [f"| `{code}` | {text} |" for code, text in meanings.items() if code.startswith(f"{app}.")]
        if rows:
            parts.append(
                "\n".join([f"## {app.capitalize()}", "", "| code | meaning |", "|---|---|", *rows, ""])
            )
    return "\n".join(parts)


def settings_chapter() -> str:
    return SETTINGS.format(
        rows="\n".join(f"| `{s.name}` | {s.meaning} | `{s.example}` |" for s in KNOWN.values())
    )


if __name__ == "__main__":
    docs = ROOT / "templates" / "docs"
    (docs / "settings.md").write_text(settings_chapter(), encoding="utf-8")
    (docs / "error-codes.md").write_text(codes_chapter(), encoding="utf-8")
