"""The guide for users and operators: the Markdown files of `templates/docs`, for who is signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

ORDER = (
    "daily-work",
    "glossary",
    "treasury-for-developers",
    "payment-life",
    "reconciliation",
    "runbooks",
    "settings",
    "commands",
    "connectors",
    "api",
    "error-codes",
    "decisions",
    "changelog",
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One page of the guide: its address, its first heading and its sections."""

    slug: str
    title: str
    sections: tuple[tuple[str, str], ...]
    html: SafeString


def guide(request: HttpRequest, slug: str = "") -> HttpResponse:
    """One chapter beside the list of all; the first without a name."""
    names = slugs()
    chosen = slug or next(iter(names), "")
    if chosen not in names:
        raise Http404
    chapters = [chapter(name) for name in names]
    context = {"chapters": chapters, "chapter": chapter(chosen)}
    return render(request, "treasury/guide.html", context)


def slugs() -> list[str]:
    """Every chapter there is, in reading order; unknown ones last."""
    found = {path.stem for path in folder().glob("*.md")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def folder() -> Path:
    return Path(settings.BASE_DIR) / "templates" / "docs"


@cache
def chapter(slug: str) -> Chapter:
    """A chapter rendered; raw HTML in it is shown, not obeyed. The files change only with a release."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((folder() / f"{slug}.md").read_text(encoding="utf-8"))
    title, sections = slug, []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = anchor_of(inline.content)
            opening.attrSet("id", anchor)
            if opening.tag == "h1":
                title = inline.content
            elif opening.tag == "h2":
                sections.append((anchor, inline.content))
        elif opening.type == "table_open":
            opening.attrSet("class", "table")
    html = parser.renderer.render(_without_title(tokens), parser.options, {})
    return Chapter(slug, title, tuple(sections), mark_safe(html))  # noqa: S308 - our own files, html off


def anchor_of(heading: str) -> str:
    """An address inside the page that stays the same as long as the heading does."""
    return re.sub(r"[^\w]+", "-", heading.casefold()).strip("-")


def _without_title(tokens: list[Token]) -> list[Token]:
    """The frame of the page shows the title; the text begins below it."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens
