"""When to ask a bank again about a payment: pure arithmetic on counts, no database, no clock.

The wait doubles from a first one up to a ceiling and never ends: a payment without a final
word is asked about for ever. Jitter keeps many payments from asking at the same instant.
"""

from __future__ import annotations

import random
from datetime import timedelta

from payments.states import PaymentState

FIRST: dict[str, timedelta] = {
    PaymentState.UNKNOWN: timedelta(seconds=1),
    PaymentState.PROCESSING: timedelta(seconds=2),
    PaymentState.BANK_APPROVAL: timedelta(seconds=30),
}
MOST: dict[str, timedelta] = {
    PaymentState.UNKNOWN: timedelta(minutes=5),
    PaymentState.PROCESSING: timedelta(minutes=15),
    PaymentState.BANK_APPROVAL: timedelta(minutes=30),
}

ASKING = timedelta(seconds=90)
"""How long an enquiry is leased to one worker; a second one asked meanwhile would do no harm."""

SENDING = timedelta(seconds=75)
"""The longest a send may take where the connector does not say."""

MARGIN = timedelta(seconds=5)


def sending_lease(connector: object) -> timedelta:
    """How long one worker may be busy with one message before it is taken for dead: the time the
    connector's own time-outs add up to (`send_takes_at_most`), and a margin for storing."""
    longest: timedelta = getattr(connector, "send_takes_at_most", SENDING)
    return longest + MARGIN


def wait_before_query(state: str, queries: int, first: timedelta | None = None) -> timedelta:
    """Time until the next enquiry in `state` after `queries` enquiries; at least one second.

    `first` is the connector's own first wait where its bank asks for one.
    """
    start = first or FIRST[state]
    plain: timedelta = min(start * 2 ** min(queries, 16), max(MOST[state], start))
    return plain * float(random.uniform(0.8, 1.0))  # noqa: S311 - spreads load, decides nothing
