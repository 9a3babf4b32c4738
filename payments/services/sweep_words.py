"""A sweep's leg in words, for the dry run and the record of a run, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from payments import pooling
from payments.pooling import Leg
from treasury.templatetags.portal import money


@dataclass(frozen=True, slots=True)
class Explained:
    """A leg with its outcome, the sum as a chain of figures, and the reason, all in words."""

    leg: Leg
    outcome: str
    tone: str
    figures: list[tuple[str, Decimal]]
    because: str
    payment: int | None = None


def explain(leg: Leg, payment: int | None = None) -> Explained:
    """Say what the leg does and how its amount came about."""
    tone = {pooling.MOVE: "good", pooling.CUT: "warn", pooling.SKIP: "off"}[leg.outcome]
    return Explained(leg, _outcome(leg), tone, _figures(leg), _because(leg), payment)


def _outcome(leg: Leg) -> str:
    if leg.outcome == pooling.SKIP:
        return _("Nothing moves")
    if leg.outcome == pooling.CUT:
        return _("Moves less than wanted")
    return _("Moves up") if leg.direction == "COLLECT" else _("Moves down")


def _figures(leg: Leg) -> list[tuple[str, Decimal]]:
    if leg.available is None:
        return []
    lines = [(_("Available in %(account)s") % {"account": leg.member}, leg.available)]
    if leg.outgoing:
        lines.append((_("On its way out"), -leg.outgoing))
    if leg.direction == "FUND":
        if leg.incoming:
            lines.append((_("On its way in"), leg.incoming))
        lines.append((_("Target"), leg.target))
        lines.append((_("Missing"), leg.wanted))
        lines.append((_("Usable in %(account)s") % {"account": leg.header}, leg.usable))
    else:
        lines.append((_("Target"), leg.target))
        lines.append((_("Above the target"), leg.wanted))
    return lines


def _because(leg: Leg) -> str:
    facts: dict[str, Any] = {
        "member": leg.member,
        "header": leg.header,
        "currency": leg.currency,
        "amount": money(leg.amount, leg.currency),
        "wanted": money(leg.wanted, leg.currency),
        "usable": money(leg.usable, leg.currency),
        "target": money(leg.target, leg.currency),
        "minimum": money(leg.minimum, leg.currency),
        "kept": money(leg.leave_in_header, leg.currency),
        "as_of": date_format(timezone.localtime(leg.as_of), "DATETIME_FORMAT") if leg.as_of else "",
    }
    if leg.outcome == pooling.SKIP:
        return _WHY[leg.why]() % facts
    if leg.outcome == pooling.CUT:
        text = _(
            "%(member)s lacks %(wanted)s %(currency)s, but %(header)s can give only %(usable)s when %(kept)s"
            " stay there: %(amount)s %(currency)s move."
        )
    elif leg.direction == "COLLECT":
        text = _(
            "%(member)s has %(wanted)s %(currency)s more than its target of %(target)s: %(amount)s move to"
            " %(header)s."
        )
    else:
        text = _(
            "%(member)s lacks %(wanted)s %(currency)s to its target of %(target)s: %(amount)s come from"
            " %(header)s."
        )
    return text % facts


_WHY = {
    pooling.AT_TARGET: lambda: _("%(member)s asks for nothing: it is where its rule wants it."),
    pooling.BELOW_MINIMUM: lambda: _(
        "%(wanted)s %(currency)s would move, less than the smallest transfer of %(minimum)s."
    ),
    pooling.STALE: lambda: _(
        "The balance of %(member)s is of %(as_of)s, not of today. Fetch balances first."
    ),
    pooling.NO_BALANCE: lambda: _("There is no balance of %(member)s yet. Fetch balances first."),
    pooling.CURRENCY: lambda: _(
        "%(member)s and %(header)s have different currencies. Sweeps do not exchange money."
    ),
    pooling.HEADER_SHORT: lambda: _(
        "%(member)s lacks %(wanted)s %(currency)s, but %(header)s can give only %(usable)s when %(kept)s stay"
        " there."
    ),
    pooling.HEADER_STALE: lambda: _("There is no balance of %(header)s of today. Fetch balances first."),
    pooling.NOT_ACTIVE: lambda: _(
        "%(member)s or %(header)s is frozen or closed. Stop the rule or choose other accounts."
    ),
    pooling.ALREADY_RUN: lambda: _(
        "This rule already made a transfer today that is on its way or done. Give a reason to run it again."
    ),
}
