"""The home page: the cash position, what waits for the reader, and the apps' panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from treasury import shell
from treasury.services import positions
from treasury.templatetags import portal


def home(request: HttpRequest) -> HttpResponse:
    """Totals per currency, the same money by currency, bank and company, and the panels."""
    at = timezone.now()
    into = request.GET.get("in", "")
    whole = positions.position(user=request.user, at=at)
    choices = sorted(
        {t.currency for t in whole.totals} | {line.account.company.base_currency for line in whole.lines}
    )
    if into in choices and into != whole.into:
        whole = positions.position(user=request.user, at=at, into=into)
    views = [
        ("currency", _("By currency"), _("Currency"), whole.by_currency),
        ("bank", _("By bank"), _("Bank"), whole.by_bank),
        ("company", _("By company"), _("Company"), whole.by_company),
    ]
    boxes = shell.panels_for(request.user, at)
    context = {
        "position": whole,
        "at": at,
        "choices": choices,
        "chosen": whole.converted.currency if whole.converted else "",
        "several": len(whole.totals) > 1,
        "breakdowns": [
            {
                "key": key,
                "title": title,
                "head": head,
                "rows": rows(key, groups),
                "chart": bars(key, groups),
            }
            for key, title, head, groups in views
        ],
        "boxes": [b for b in boxes if b.column != "waiting"],
        "waiting": [b for b in boxes if b.column == "waiting"],
    }
    return render(request, "treasury/home.html", context)


def accounts_url(parameter: str, key: str) -> str:
    """The accounts behind a figure."""
    return f"{reverse('accounts')}?{urlencode({parameter: key})}"


def rows(parameter: str, groups: Sequence[positions.Group]) -> list[tuple[positions.Group, str]]:
    return [(group, accounts_url(parameter, group.key)) for group in groups]


def bars(parameter: str, groups: Sequence[positions.Group]) -> dict[str, Any] | None:
    """Bars of comparable sums; None where nothing can be converted or there is nothing to compare.

    `value` only draws; what is read is `text`, written exactly.
    """
    shown = [(g, g.converted) for g in groups if g.converted is not None]
    if len(shown) < 2:
        return None
    return {
        "bars": [
            {
                "label": group.label,
                "value": float(sum_.amount),
                "text": f"{portal.money(sum_.amount, sum_.currency)} {sum_.currency}",
                "url": accounts_url(parameter, group.key),
            }
            for group, sum_ in shown
        ]
    }
