"""Words for what the audit trail and proposed changes keep: stored names, shown in the reader's language.

The trail stores names of details and codes of states as the program knows them, and a proposed
change stores the names of its fields as they were proposed; neither is ever rewritten. Here
they get the words a person reads. What nobody worded is shown as it is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import get_language, gettext, gettext_noop

DETAILS = (
    gettext_noop("account"),
    gettext_noop("added"),
    gettext_noop("adjusted"),
    gettext_noop("amount"),
    gettext_noop("balanced"),
    gettext_noop("bank balance"),
    gettext_noop("bank reference"),
    gettext_noop("bank state"),
    gettext_noop("book balance"),
    gettext_noop("change"),
    gettext_noop("changes"),
    gettext_noop("column"),
    gettext_noop("corrected"),
    gettext_noop("days"),
    gettext_noop("digest"),
    gettext_noop("evidence"),
    gettext_noop("execute on"),
    gettext_noop("fields"),
    gettext_noop("legs"),
    gettext_noop("new"),
    gettext_noop("note"),
    gettext_noop("now"),
    gettext_noop("on"),
    gettext_noop("open at bank"),
    gettext_noop("open in books"),
    gettext_noop("person"),
    gettext_noop("role"),
    gettext_noop("still open"),
    gettext_noop("step"),
    gettext_noop("summary"),
    gettext_noop("tier"),
    gettext_noop("username"),
    gettext_noop("verdict"),
    gettext_noop("version"),
    gettext_noop("was"),
    gettext_noop("worker"),
)
"""Names of details that are not already the name of a field or a word of a page."""
STATES = {"was", "now"}
CODES: dict[str, Mapping[str, Any]] = {}
"""Details whose values are codes, with the words for each; apps add theirs in `ready()`."""


STORED_AMOUNT = re.compile(r"-?\d+\.\d{5}")


def codes(more: Mapping[str, Mapping[str, Any]]) -> None:
    """Word the codes of details: {"verdict": {"APPROVE": _("Approved")}}."""
    CODES.update(more)


SENTENCES: list[tuple[re.Pattern[str], str]] = []
"""Sentences that are stored with values in them, the most particular first; apps add theirs in `ready()`."""
PART = re.compile(r"%\((\w+)\)s")
SPOKEN = {"what", "why", "error", "reason", "advice", "way", "rest"}
"""Values that are sentences or words themselves; all others are data and stay as they are."""


def sentences(patterns: Iterable[str]) -> None:
    """Know sentences such as "%(name)s is empty." again when they are stored with their values."""
    for pattern in patterns:
        literal = PART.split(pattern)
        text = "".join(f"(?P<{p}>.+?)" if n % 2 else re.escape(p) for n, p in enumerate(literal))
        SENTENCES.append((re.compile(text, re.DOTALL), pattern))
    SENTENCES.sort(key=lambda one: -len(PART.sub("", one[1])))


def in_words(stored: str) -> str:
    """The stored English word or sentence in the reader's language; as it is when it has no translation."""
    if not stored.strip() or (get_language() or "en").startswith("en"):
        return stored
    shown = gettext(stored)
    return shown if shown != stored else _sentence(stored)


def _sentence(stored: str) -> str:
    for known, pattern in SENTENCES:
        if found := known.fullmatch(stored):
            said = {k: in_words(v) if k in SPOKEN else v for k, v in found.groupdict().items()}
            return gettext(pattern) % said
    for known, pattern in SENTENCES:
        if known.groups == 0 and stored.endswith(f" {pattern}"):  # what to do next, behind what happened
            return in_words(stored.removesuffix(f" {pattern}")) + gettext(pattern)
    return stored


def detail_lines(event: Any) -> list[tuple[str, str]]:
    """The detail of an audit event as lines of (name, value); what is empty is left out."""
    lines = []
    for key, value in json.loads(event.detail or "{}").items():
        if value not in (None, "", [], {}):
            lines.append((in_words(key.replace("_", " ")), _value(event.object_type, key, value)))
    return lines


def _value(object_type: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return "; ".join(_joined(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{in_words(k.replace('_', ' '))}: {v}" for k, v in value.items())
    if key == "role":
        return in_words(str(value))
    if key in CODES:
        return str(CODES[key].get(str(value), value))
    return _label(object_type, "state" if key in STATES else key, _short(str(value)))


def _short(text: str) -> str:
    """An amount as the database gives it, without the zeros behind its minor units."""
    if not STORED_AMOUNT.fullmatch(text):
        return text
    whole, _dot, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _joined(one: Any) -> str:
    if isinstance(one, list) and len(one) == 3:
        if one[1] == one[2]:
            return f"{in_words(str(one[0]))}: {one[1] or '—'}"
        return f"{in_words(str(one[0]))}: {one[1] or '—'} → {one[2] or '—'}"
    return " ".join(map(str, one)) if isinstance(one, list) else str(one)


def _label(object_type: str, field: str, value: str) -> str:
    """What the choices of the object's field call `value`; `value` itself where it is no choice."""
    try:
        found = apps.get_model(object_type)._meta.get_field(field)
    except (FieldDoesNotExist, LookupError, ValueError):
        return value
    choices = found.flatchoices if isinstance(found, models.Field) else []
    return str(dict(choices).get(value, value))
