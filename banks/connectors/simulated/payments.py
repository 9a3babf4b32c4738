"""Composing and sending payment messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from banks.connectors.abilities import NotSentError
from banks.connectors.simulated.config import Config
from banks.connectors.simulated.http import Line
from banks.connectors.simulated.reports import read_reports
from banks.messages import Answer, PaymentOrder


class Payments:
    """The ability `payments`."""

    _config: Config
    _line: Line
    _clock: Callable[[], datetime]

    @property
    def batch_limit(self) -> int:
        """The most orders one message may carry."""
        return self._config.batch_limit

    @property
    def send_takes_at_most(self) -> timedelta:
        """Connecting and the whole answer each have the configured time."""
        return timedelta(seconds=2 * self._config.timeout_seconds)

    def compose(self, orders: Sequence[PaymentOrder]) -> bytes:
        """The exact body to send. Raises ValueError for no orders, too many, or a reference twice."""
        if not 1 <= len(orders) <= self.batch_limit:
            raise ValueError(f"A message carries 1 to {self.batch_limit} payments, not {len(orders)}.")
        if len({order.reference for order in orders}) != len(orders):
            raise ValueError("A message carries each reference once.")
        payments = [_payment(order) for order in orders]
        text = json.dumps({"payments": payments}, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8")

    def send(self, message: bytes, *, sent_at: datetime | None = None) -> Answer:
        """Send a composed message once, signed for `sent_at` (now, when None).

        A message whose `sent_at` has left the received window is not sent at all: NotSentError.
        """
        references = [str(p["reference"]) for p in json.loads(message)["payments"]]
        now = self._clock()
        signed_at = sent_at or now
        age = (now - signed_at).total_seconds()
        if age > self._config.no_record_window_seconds:
            raise NotSentError(
                f"The message was to be sent {age:.0f} s ago; the bank takes it for "
                f"{self._config.no_record_window_seconds:g} s only, so it was not sent.",
                hint="Start a new sending.",
            )
        heard = self._line.send("/payments", message, signed_at=signed_at)
        return Answer(reports=read_reports(heard, references), talks=(heard.talk,))


def _payment(order: PaymentOrder) -> dict[str, str | bool]:
    return {
        "reference": order.reference,
        "debtor_account": order.debtor.number,
        "creditor_account": order.creditor.account,
        "creditor_name": order.creditor.name,
        "creditor_bank_code": order.creditor.bank_code,
        "amount": format(order.amount, "f"),
        "currency": order.currency,
        "requested_on": order.requested_on.isoformat(),
        "purpose": order.purpose,
        "urgent": order.urgent,
    }
