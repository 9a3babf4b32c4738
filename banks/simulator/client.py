"""Orders the simulated bank about: a small client of its control API and of `/ledger`.

For tests and the demo. The portal talks to the bank through `banks.connectors.simulated`, which
shares no code with this.
"""

from __future__ import annotations

import http.client
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from banks.simulator.signing import sign


class ControlError(Exception):
    """The bank did not do what it was ordered to; the message is its own."""


class Control:
    """A client of one simulated bank. Amounts may be Decimal or decimal strings."""

    def __init__(self, url: str, key: str, *, timeout_seconds: float = 60.0) -> None:
        self.url = url
        self.key = key
        self._timeout = timeout_seconds

    def call(self, method: str, path: str, data: Any = None) -> dict[str, Any]:
        """One signed request and its decoded answer. Raises ControlError unless it is 200."""
        body = b"" if data is None else json.dumps(data, ensure_ascii=False, default=str).encode()
        timestamp = datetime.now(UTC).isoformat()
        headers = {
            "X-Timestamp": timestamp,
            "X-Signature": sign(self.key, method, path, timestamp, body),
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=self._timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(f"{method} {path}: {response.status} {content.decode(errors='replace')}")
        answer = json.loads(content)
        return dict(answer)

    def open_account(
        self,
        number: str,
        currency: str,
        *,
        opening: Decimal | str = "0",
        name: str = "",
        bank_code: str = "",
        format: str = "camt.053",
    ) -> None:
        """Open an account; `format` ("camt.053" or "mt940") is that of its statements."""
        data = {"number": number, "currency": currency, "opening": str(opening), "name": name}
        self.call("POST", "/control/accounts", {**data, "bank_code": bank_code, "format": format})

    def fault(self, kind: str, **rule: Any) -> int:
        """Put a fault in force and give its id; kinds and conditions: `banks.simulator.faults`."""
        return int(self.call("POST", "/control/faults", {"kind": kind, **rule})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Faults in force, each with how often it was `seen` and `fired`."""
        return list(self.call("GET", "/control/faults")["faults"])

    def clear_faults(self, number: int | None = None) -> None:
        """Clear one fault, or all. Payments already held and requests stalled stay so."""
        self.call("POST", "/control/faults/clear", {} if number is None else {"id": number})

    def release(
        self,
        reference: str | None = None,
        *,
        outcome: str = "book",
        code: str = "AC01",
        text: str = "Refused",
    ) -> dict[str, Any]:
        """Let go of stalled requests and held payments (all, or of `reference`).

        `outcome` "book" or "reject" is for held payments. A fault rule still in force catches the
        next request all the same: give it a `count`, or clear it. Gives how many requests were `stalled`
        and which payments were `released`.
        """
        data = {"outcome": outcome, "code": code, "text": text}
        return self.call(
            "POST", "/control/release", data if reference is None else {**data, "reference": reference}
        )

    def stalls(self) -> list[dict[str, Any]]:
        """Requests standing still now, each with its `references`."""
        return list(self.call("GET", "/control/stalls")["stalls"])

    def advance(self, seconds: float) -> None:
        """Move the bank's wire clock (window, delays) forward. The business day stays."""
        self.call("POST", "/control/clock", {"advance_seconds": seconds})

    def set_clock_offset(self, seconds: float) -> None:
        """Set how far the bank's wire clock is ahead of the machine's (negative: behind)."""
        self.call("POST", "/control/clock", {"offset_seconds": seconds})

    def close_day(self, days: int = 1, *, to: date | None = None) -> date:
        """Close business days (statements are made); gives the new business day."""
        data = {"days": days} if to is None else {"to": to.isoformat()}
        return date.fromisoformat(self.call("POST", "/control/day", data)["business_day"])

    def business_day(self) -> date:
        return date.fromisoformat(self.call("GET", "/control/day")["business_day"])

    def credit(self, account: str, amount: Decimal | str, **entry: str) -> str:
        """Money in (or out, when negative) from outside the bank; gives its bank reference.

        Optional: party_name, party_account, party_bank_code, text, code, reference.
        """
        return self.enter([{"account": account, "amount": str(amount), **entry}])[0]

    def enter(self, entries: list[dict[str, str]]) -> list[str]:
        """Many entries as of `credit`, in one transaction."""
        return list(self.call("POST", "/control/entries", {"entries": entries})["bank_references"])

    def return_payment(self, reference: str, *, code: str = "AC01", text: str = "Account closed") -> None:
        """Return a booked payment (退票)."""
        self.call("POST", "/control/returns", {"reference": reference, "code": code, "text": text})

    def freeze(self, account: str, amount: Decimal | str) -> None:
        """Set the frozen amount of an account; zero lifts it."""
        self.call("POST", "/control/freeze", {"account": account, "amount": str(amount)})

    def ledger(self) -> dict[str, Any]:
        """The whole truth: business_day, accounts, bookings with legs, payments."""
        return self.call("GET", "/ledger")
