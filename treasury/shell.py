"""What apps hang into the shell: pages in the side bar, panels on the home page, sections on an
account's page. Each app calls `add_…` in `AppConfig.ready()`; the shell imports no app.

    from treasury import shell
    shell.add_page(shell.Page(_("Payments"), "payments:payments", "send", "payments", shortcut="p",
                              badge=lambda user: Payment.objects.waiting_for(user).count()))
    shell.add_panel(shell.Panel("payments-waiting", _("Payments waiting for you"),
                                "parts/waiting_items.html", panels.waiting, column="waiting"))
    shell.add_account_section(shell.AccountSection("lines", _("Bank lines"),
                              "banks/parts/account_lines.html", sections.lines))

`icon` is a name from the sprite (see ICONS in .ci/vendor.py). Permissions are checked with
`access.may`; a page with `permission=None` is shown to everybody who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from treasury.models import Account

SECTIONS: dict[str, Any] = {
    "cash": _("Cash"),
    "payments": _("Payments"),
    "reconciliation": _("Reconciliation"),
    "banks": _("Banks"),
    "oversight": _("Oversight"),
}
"""Sections of the side bar in their order."""


@dataclass(frozen=True, slots=True)
class Page:
    """One entry of the side bar.

    `badge(user)` counts what waits there (None or 0: no badge); it runs on every page a person
    opens, so it must be one cheap query. `shortcut` is the letter that follows `g`.
    """

    label: Any
    url_name: str
    icon: str
    section: str
    permission: str | None = None
    order: int = 100
    badge: Callable[[Any], int | None] | None = None
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A box on the home page. `context(user, at)` returns what `template` needs, None to hide it.

    `column` is "wide" (full width, under the figures), "main", or "waiting": one line in the list of
    what waits for the reader. A waiting panel needs no template of its own: name
    `parts/waiting_items.html` and return {"entries": [{"url", "icon", "label", "count"}, …]}.
    """

    key: str
    title: Any
    template: str
    context: Callable[[Any, datetime], Mapping[str, Any] | None]
    order: int = 100
    column: str = "main"


@dataclass(frozen=True, slots=True)
class AccountSection:
    """A box on the page of one account.

    `context(request, account, at)` returns what `template` needs, None to hide it. The request is
    given for paging by query string; visibility of the account is already checked.
    """

    key: str
    title: Any
    template: str
    context: Callable[[HttpRequest, Account, datetime], Mapping[str, Any] | None]
    order: int = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as the side bar shows it to one person."""

    page: Page
    url: str
    count: int | None

    @property
    def label(self) -> Any:
        return self.page.label

    @property
    def icon(self) -> str:
        return self.page.icon

    @property
    def shortcut(self) -> str:
        return self.page.shortcut


@dataclass(frozen=True, slots=True)
class Section:
    """A headed group of pages."""

    key: str
    label: Any
    pages: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Box:
    """A panel or account section together with what its template needs."""

    key: str
    title: Any
    template: str
    context: Mapping[str, Any]
    column: str = "main"


PAGES: dict[str, Page] = {}
PANELS: dict[str, Panel] = {}
ACCOUNT_SECTIONS: dict[str, AccountSection] = {}


def add_page(page: Page) -> None:
    """Offer a page in the side bar. Raises ValueError for an unknown section."""
    if page.section not in SECTIONS:
        raise ValueError(f"{page.section!r} is no section of the side bar. Use one of {', '.join(SECTIONS)}.")
    PAGES[page.url_name] = page


def add_panel(panel: Panel) -> None:
    """Offer a box on the home page; the same key again replaces it."""
    PANELS[panel.key] = panel


def add_account_section(section: AccountSection) -> None:
    """Offer a box on every account's page; the same key again replaces it."""
    ACCOUNT_SECTIONS[section.key] = section


def pages_for(user: Any) -> list[Section]:
    """The side bar of `user`: sections in order, each with the pages their roles open."""
    from treasury.services import access

    if not getattr(user, "is_authenticated", False):
        return []
    shown: dict[str, list[Shown]] = {key: [] for key in SECTIONS}
    for page in sorted(PAGES.values(), key=lambda p: p.order):
        if page.permission is None or access.may(user, page.permission):
            count = page.badge(user) if page.badge else None
            shown[page.section].append(Shown(page, reverse(page.url_name), count or None))
    return [Section(key, SECTIONS[key], pages) for key, pages in shown.items() if pages]


def panels_for(user: Any, at: datetime) -> list[Box]:
    """The home page's boxes that have something to say to `user`."""
    found = []
    for panel in sorted(PANELS.values(), key=lambda p: p.order):
        context = panel.context(user, at)
        if context is not None:
            found.append(Box(panel.key, panel.title, panel.template, context, panel.column))
    return found


def account_sections(request: HttpRequest, account: Account, at: datetime) -> list[Box]:
    """The boxes under one account's figures."""
    found = []
    for section in sorted(ACCOUNT_SECTIONS.values(), key=lambda s: s.order):
        context = section.context(request, account, at)
        if context is not None:
            found.append(Box(section.key, section.title, section.template, context))
    return found
