"""Template tags of the portal: money, signs, states."""

from __future__ import annotations

from decimal import Decimal

from django import template

from treasury import money as money_rules

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str = "CNY") -> str:
    """1234567.8 as 1,234,567.80: the currency's own digits, a true minus, both languages alike."""
    if amount is None:
        return "—"
    digits = max(money_rules.minor_units(currency), -amount.normalize().as_tuple().exponent if amount else 0)
    return f"{amount:,.{digits}f}".replace("-", "\u2212")
