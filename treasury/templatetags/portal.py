"""Template tags of the portal; builtins, so no template loads them.

    {{ amount|money:"CNY" }}          1,234.50, a true minus, the currency's own digits
    {% signed amount "CNY" %}         +1,234.50 in blue, −1,234.50 in orange: never colour alone
    {% state_badge payment %}         the state's name with a shape and a colour
    {% icon "send" %}                 one of the sprite's icons; {% icon "send" _("Send") %} names it
    {% sort_header "amount" _("Amount") %}  a column head that sorts (lists that declare `sortable`)
    {% instant balance.as_of account.time_zone %}   2026-11-24 10:00, the zone named when it is not ours
    {% querystring page=None %}       this page's address with a parameter changed (Django's own)

Which state looks how: `TONES` maps a state's value to a tone; an app adds its own with
`tones({"SENT": "busy"})` in `ready()`. Tones: good, busy, wait, bad, off, warn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treasury import money as money_rules
from treasury import wording

register = template.Library()
DASH = SafeString("—")
SPRITE = "vendor/tabler-icons-3.51.0/icons.svg"
SHAPES = {"good": "●", "busy": "◐", "wait": "◆", "bad": "■", "warn": "▲", "off": "○"}
TONES: dict[str, str] = {
    **dict.fromkeys(("ACTIVE", "APPLIED", "APPROVED", "BOOKED", "BOOK", "IMPORTED", "MATCHED", "OK"), "good"),
    **dict.fromkeys(("DONE", "SETTLED", "SIGNED_OFF", "CLOSED_OK", "ANSWERED", "COMPLETED"), "good"),
    **dict.fromkeys(("SENT", "SENDING", "ACCEPTED", "PROCESSING", "RECEIVED", "RELEASED", "QUEUED"), "busy"),
    **dict.fromkeys(("PENDING", "SUBMITTED", "WAITING", "OPEN", "PROPOSED", "PDNG", "IN_APPROVAL"), "wait"),
    **dict.fromkeys(("REJECTED", "FAILED", "RETURNED", "REFUSED", "ERROR", "BROKEN"), "bad"),
    **dict.fromkeys(("UNKNOWN", "UNCERTAIN", "FROZEN", "PARTIAL", "SENT_BACK", "DEGRADED", "PAUSED"), "warn"),
    **dict.fromkeys(("DRAFT", "CLOSED", "CANCELLED", "WITHDRAWN", "NOT_SENT", "INFO", "EXPIRED"), "off"),
}


def tones(more: Mapping[str, str]) -> None:
    """Say how an app's own states look. Raises KeyError for a tone that does not exist."""
    for state, tone in more.items():
        SHAPES[tone]
        TONES[state] = tone


def decimals(amount: Decimal) -> int:
    """Digits after the point that are not trailing zeros."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@register.filter
def money(amount: Decimal | None, currency: str = "CNY") -> str:
    """1234567.8 as 1,234,567.80: the currency's own digits, a true minus, both languages alike."""
    if amount is None:
        return "—"
    digits = max(money_rules.minor_units(currency), decimals(amount))
    return f"{amount:,.{digits}f}".replace("-", "\u2212")


@register.simple_tag
def signed(amount: Decimal | None, currency: str = "CNY") -> SafeString:
    """An amount of a movement: +/− always written, blue for in, orange for out."""
    if amount is None:
        return DASH
    side, sign = ("in", "+") if amount > 0 else ("out", "\u2212") if amount < 0 else ("none", "")
    return format_html('<span class="amount-{}">{}{}</span>', side, sign, money(abs(amount), currency))


@register.simple_tag
def badge(text: Any, tone: str) -> SafeString:
    """A short text with the shape and colour of a tone."""
    return format_html(
        '<span class="state state-{}"><span aria-hidden="true">{}</span> {}</span>', tone, SHAPES[tone], text
    )


@register.simple_tag
def state_badge(obj: Any, field: str = "state") -> SafeString:
    """The state of `obj` (its field `state`, or another one), readable without colour."""
    value = str(getattr(obj, field))
    display = getattr(obj, f"get_{field}_display", None)
    return badge(display() if display else value, TONES.get(value, "off"))


@register.simple_tag
def instant(value: datetime | None, zone: str | None = None) -> SafeString:
    """A moment in the account's time zone, or the portal's; another zone than the portal's is named."""
    if value is None:
        return DASH
    ours = timezone.get_current_timezone()
    local = value.astimezone(ZoneInfo(zone) if zone else ours)
    note = format_html(' <span class="soft">{}</span>', zone) if zone and zone != str(ours) else ""
    return format_html(
        '<time datetime="{}">{}</time>{}', value.isoformat(), local.strftime("%Y-%m-%d %H:%M"), note
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; decoration unless it is given a label."""
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>',
            label,
            static(SPRITE),
            name,
        )
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static(SPRITE), name
    )


@register.simple_tag(takes_context=True)
def sort_header(context: template.Context, key: str, label: Any) -> SafeString:
    """The link in a sortable column's head; the `<th>` around it carries `aria-sort` from `sort_state`."""
    request = context["request"]
    now = request.GET.get("sort", "")
    query = request.GET.copy()
    query.pop("after", None)
    query["sort"] = f"-{key}" if now == key else key
    sign = "sort-ascending" if now == key else "sort-descending" if now == f"-{key}" else "arrows-sort"
    return format_html('<a class="sort" href="?{}">{} {}</a>', query.urlencode(), label, icon(sign))


@register.simple_tag(takes_context=True)
def sort_state(context: template.Context, key: str) -> str:
    """`ascending`, `descending` or `none`, for aria-sort."""
    now = context["request"].GET.get("sort", "")
    return "ascending" if now == key else "descending" if now == f"-{key}" else "none"


@register.filter
def in_unit(amount: Decimal | None, user: Any) -> Decimal | None:
    """`amount` in the unit the reader prefers on the dashboard (1, ten thousand, a million)."""
    if amount is None:
        return None
    unit = Decimal(getattr(user, "amount_unit", "1") or "1")
    return amount if unit == 1 else (amount / unit).quantize(Decimal("0.01"))


@register.simple_tag(takes_context=True)
def unit_note(context: template.Context) -> str:
    """The words after figures shown in a larger unit; empty for units."""
    unit = getattr(context.get("user"), "amount_unit", "1")
    return {"10000": _("in ten thousands"), "1000000": _("in millions")}.get(str(unit), "")


ACTIONS: dict[str, Any] = {}
"""What audited actions are called on screen; apps add theirs with `actions({...})` in `ready()`."""


CHANGE_ACTIONS = {
    "proposed": gettext_lazy("Change proposed"),
    "applied": gettext_lazy("Change in force"),
    "rejected": gettext_lazy("Change refused"),
    "withdrawn": gettext_lazy("Change withdrawn"),
}
"""The acts on a proposed change of any kind, unless its app calls them otherwise."""


def actions(more: Mapping[str, Any]) -> None:
    """Name audited actions: {"payments.approved": _("Approved")}."""
    ACTIONS.update(more)


@register.filter
def action_label(action: str) -> str:
    """The name of an audited action, or the action itself when nobody named it."""
    act = action.rsplit(".", 1)[-1]
    return str(ACTIONS.get(action) or CHANGE_ACTIONS.get(act) or act.replace("_", " "))


register.filter("detail_lines", wording.detail_lines)
register.filter("in_words", wording.in_words)
