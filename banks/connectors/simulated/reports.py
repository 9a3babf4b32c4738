"""Reading the simulated bank's payment reports into `StatusReport` records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from banks.connectors.abilities import UncertainError
from banks.connectors.simulated.http import Heard
from banks.messages import PaymentState, StatusReport

STATES = {state.value: state for state in PaymentState}
DEFINITE = frozenset({"BAD_REFERENCE"})
"""Codes of a REFUSED report that prove the reference was never taken and never will be."""


def read_reports(heard: Heard, references: Sequence[str], name: str = "reports") -> tuple[StatusReport, ...]:
    """At most one report for each of `references`, in their order.

    Reports on other references are left out; two that disagree on one become UNKNOWN. Raises
    UncertainError when the list itself cannot be read.
    """
    items = heard.data.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UncertainError(
            "The bank's answer carries no readable list of reports.",
            hint="The outcome is unknown; ask the bank with the same reference.",
            talk=heard.talk,
        )
    said: dict[str, StatusReport] = {}
    for item in items:
        report = _report(item)
        first = said.setdefault(report.reference, report)
        if (first.state, first.code, first.bank_reference) != (
            report.state,
            report.code,
            report.bank_reference,
        ):
            text = f"The bank said both {first.state} and {report.state}"
            said[report.reference] = StatusReport(
                reference=report.reference, state=PaymentState.UNKNOWN, code="CONTRADICTION", text=text
            )
    return tuple(said[reference] for reference in dict.fromkeys(references) if reference in said)


def read_instant(value: Any) -> datetime | None:
    """An aware instant, or None where the bank gave none that can be read."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo is not None else None


def _report(item: dict[str, Any]) -> StatusReport:
    code = str(item.get("code", ""))
    return StatusReport(
        reference=str(item.get("reference", "")),
        state=_state(str(item.get("state", "")), code),
        code=code,
        text=str(item.get("text", "")),
        bank_reference=str(item.get("bank_reference", "")),
        at=read_instant(item.get("at")),
    )


def _state(word: str, code: str) -> PaymentState:
    """The state behind the bank's word.

    REFUSED means that this order was not recorded. With DUPLICATE another order already stands
    under the reference and may have moved money: what became of the reference is unknown here.
    """
    if word == "REFUSED":
        return PaymentState.REJECTED if code in DEFINITE else PaymentState.UNKNOWN
    return STATES.get(word, PaymentState.UNKNOWN)
