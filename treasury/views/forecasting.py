"""The forecast: one currency's 13 weeks as a line with its floor, as a table, and down to one flow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from treasury.models import Company
from treasury.services import access
from treasury.services.forecasting import Forecast, forecast


def page(request: HttpRequest) -> HttpResponse:
    """`?currency=`, `?company=` (its code) and `?week=` (a Monday, to see what moves in it)."""
    companies = Company.objects.visible_to(request.user)
    code = request.GET.get("company", "")
    company = get_object_or_404(companies, code=code) if code else None
    found = forecast(user=request.user, at=timezone.now(), company=company)
    currency = request.GET.get("currency") or _first(found)
    if found and currency not in found:
        raise Http404
    chosen = found.get(currency)
    week = _week(request.GET.get("week", ""), chosen)
    context = {
        "companies": companies,
        "company": company,
        "currencies": list(found),
        "currency": currency,
        "forecast": chosen,
        "chart": chart_of(chosen) if chosen else None,
        "week": week,
        "flows": chosen.of_week(week) if chosen and week else [],
        "may_plan": access.may(request.user, "treasury.plan_cash"),
    }
    return render(request, "treasury/forecast.html", context)


def panel(user: Any, at: datetime) -> Mapping[str, Any] | None:
    """The home page's box: the currency that first falls below its floor, else the first one."""
    found = forecast(user=user, at=at)
    if not found:
        return None
    chosen = found[_first(found)]
    below = [f for f in found.values() if f.first_below is not None]
    return {"forecast": chosen, "chart": chart_of(chosen), "below": below}


def _first(found: Mapping[str, Forecast]) -> str:
    """What to look at first: the earliest week below the floor, else the currency of most accounts."""

    def urgency(item: Forecast) -> tuple[date, int, str]:
        week = item.first_below
        return (week.monday if week else date.max, -len(item.accounts), item.currency)

    return min(found.values(), key=urgency).currency if found else ""


def _week(text: str, chosen: Forecast | None) -> date | None:
    if not text or chosen is None:
        return None
    mondays = {week.monday.isoformat(): week.monday for week in chosen.weeks}
    if text not in mondays:
        raise Http404
    return mondays[text]


def chart_of(item: Forecast) -> dict[str, Any]:
    """What `forecast.js` draws. Amounts travel as text; the table beside it is the exact form."""
    return {
        "currency": item.currency,
        "weeks": [f"{week.monday:%m-%d}" for week in item.weeks],
        "closing": [f"{week.closing:f}" for week in item.weeks],
        "lowest": [f"{week.lowest:f}" for week in item.weeks],
        "floor": f"{item.floor:f}",
        "below": [week.lowest < item.floor for week in item.weeks],
        "labels": {
            "closing": _("Closing balance"),
            "lowest": _("Lowest day"),
            "floor": _("Floor"),
            "title": _("Forecast of %(currency)s for 13 weeks") % {"currency": item.currency},
        },
    }
