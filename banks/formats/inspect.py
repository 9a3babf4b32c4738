"""A statement file in plain values: what `manage.py inspect_statement` prints.

Holds a whole file in memory, so it is for looking at files, not for importing them.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from banks import formats
from banks.formats.errors import UnreadableError
from banks.messages import DatedAmount, Entry, EntryStatus, Quarantined, StatementEnd, StatementStart

READ, FLAGGED, UNREADABLE = 0, 1, 2


def inspect_file(path: str | Path, format: str | None = None) -> tuple[dict[str, Any], int]:
    """Read one file; give its report and `READ`, `FLAGGED` or `UNREADABLE`.

    Never raises for what is in the file: the report's `error` says what is wrong and what to do.
    """
    report: dict[str, Any] = {
        "file": str(path),
        "format": None,
        "statements": [],
        "quarantined": [],
        "error": None,
    }
    try:
        with Path(path).open("rb") as stream:
            report["format"], events = formats.identify(stream, format)
            for event in events:
                _add(report, event)
    except UnreadableError as error:
        report["error"] = str(error)
    except OSError as error:
        report["error"] = (
            f"The file cannot be opened: {error.strerror or error}. Check the path and the rights."
        )
    if report["error"] is not None:
        report["statements"] = []
        return report, UNREADABLE
    odd = report["quarantined"] or any(s["flags"] or s["balanced"] is False for s in report["statements"])
    return report, FLAGGED if odd else READ


def _add(report: dict[str, Any], event: object) -> None:
    statements = report["statements"]
    if isinstance(event, Entry):
        statements[-1]["entries"].append(_entry(event))
    elif isinstance(event, StatementStart):
        statements.append(
            {
                "account": event.account.number,
                "currency": event.currency,
                "number": event.number,
                "opening": _balance(event.opening),
                "closing": None,
                "balanced": None,
                "entries": [],
                "flags": [],
            }
        )
    elif isinstance(event, StatementEnd):
        last = statements[-1]
        last["account"] = event.account.number if event.account else last["account"]
        last["currency"] = event.currency or last["currency"]
        last["number"] = event.number or last["number"]
        last["opening"] = _balance(event.opening) or last["opening"]
        last["closing"] = _balance(event.closing)
        last["balanced"] = event.balanced
        last["flags"] = list(event.flags)
    elif isinstance(event, Quarantined):
        report["quarantined"].append({"position": event.position, "raw": event.raw, "reason": event.reason})


def _balance(balance: DatedAmount | None) -> dict[str, str | None] | None:
    if balance is None:
        return None
    return {"on": balance.on.isoformat() if balance.on else None, "amount": _amount(balance.amount)}


def _amount(amount: Decimal) -> str:
    return f"{amount:f}"


def _entry(entry: Entry) -> dict[str, str | None]:
    party = entry.counterparty
    return {
        "booked_on": entry.booked_on.isoformat() if entry.booked_on else None,
        "value_on": entry.value_on.isoformat() if entry.value_on else None,
        "amount": _amount(entry.amount),
        "status": EntryStatus(entry.status).value,
        "reference": entry.reference,
        "bank_reference": entry.bank_reference,
        "counterparty": party.name or party.account,
        "text": entry.text,
    }
