"""A connector whose bank says what a test scripted: for answers a real bank gives too seldom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from banks.messages import Answer, PaymentOrder, StatusReport
from banks.messages import PaymentState as BankState

NAME = "Scripted bank"


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing about it decides anything; `address` is there to be changed."""

    address: str = ""


@dataclass(slots=True)
class Script:
    """What the bank does: the next send's answer or failure, and what it says when asked."""

    sending: Callable[[Sequence[str]], Answer] | None = None
    states: dict[str, BankState] = field(default_factory=dict)
    batch_limit: int = 100
    unwritable: frozenset[str] = frozenset()
    sent: list[tuple[str, ...]] = field(default_factory=list)


SCRIPT = Script()


def said(references: Iterable[str], state: BankState, text: str = "") -> Answer:
    return Answer(reports=tuple(StatusReport(reference=r, state=state, text=text) for r in references))


class Scripted:
    """Sends and answers as `SCRIPT` says; "no record" is final a minute after the sending."""

    @property
    def batch_limit(self) -> int:
        return SCRIPT.batch_limit

    def compose(self, orders: Sequence[PaymentOrder]) -> bytes:
        for order in orders:
            if order.purpose in SCRIPT.unwritable:
                raise ValueError(f"The bank takes no {order.purpose!r}.")
        return "\n".join(order.reference for order in orders).encode()

    def send(self, message: bytes, *, sent_at: datetime | None = None) -> Answer:
        references = tuple(message.decode().split("\n"))
        SCRIPT.sent.append(references)
        if SCRIPT.sending is None:
            return said(references, BankState.BOOKED)
        return SCRIPT.sending(references)

    def query_payments(self, references: Sequence[str]) -> Answer:
        return Answer(
            reports=tuple(
                StatusReport(reference=r, state=SCRIPT.states.get(r, BankState.NO_RECORD)) for r in references
            )
        )

    def no_record_is_final(self, *, sent_at: datetime, asked_at: datetime) -> bool:
        return asked_at - sent_at > timedelta(minutes=1)


def connect(config: Any, *, clock: Callable[[], datetime]) -> Scripted:
    return Scripted()
