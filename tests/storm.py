"""The fault storm: many payments, two workers killed again and again, a bank that misbehaves.

Used in a short form by the suite and in a long one by `tests/bench/bench_dispatch_storm.py`.
The judge is the bank's own ledger.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from payments.models import Dispatch, Payment
from payments.services import querying
from tests import workers
from tests.simulated_bank import SimulatedBank, assert_books_balance

FATES = ("reject", "delay", "return_later")
TROUBLES = (
    "drop_before",
    "drop_midway",
    "drop_after",
    "garbage_after",
    "truncated_after",
    "error_before",
    "error_after",
    "stall_before",
    "stall_after",
    "throttle",
    "repeat",
    "empty",
)
AGREES = {"SETTLED": {"BOOKED"}, "FAILED": {"REJECTED"}, "RETURNED": {"RETURNED"}}


@dataclass(slots=True)
class Report:
    """What a storm did and what the bank's ledger says of it."""

    payments: int = 0
    faulted: int = 0
    kills: int = 0
    seconds: float = 0.0
    resent: int = 0
    double: int = 0
    lost: int = 0
    stuck: int = 0
    disagreeing: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """The report as printable lines."""
        fired = ", ".join(f"{kind} {count}" for kind, count in sorted(self.fired.items()))
        states = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
        return [
            f"payments {self.payments}  kills {self.kills}  seconds {self.seconds:.1f}",
            f"fault firings: {fired}",
            f"end states: {states}  sent again after proof: {self.resent}",
            f"double {self.double}  lost {self.lost}  stuck {self.stuck}",
            *self.disagreeing,
        ]


def arm(bank: SimulatedBank, seed: int) -> None:
    """Faults that between them touch about a third of the payments."""
    for n, kind in enumerate(FATES):
        options: dict[str, Any] = {"queries": 2} if kind != "reject" else {"code": "AC04", "text": "Closed"}
        bank.fault(kind, probability=0.05, seed=seed + n, **options)
    for n, kind in enumerate(TROUBLES):
        options = {"seconds": 0.6} if kind.startswith("stall") else {}
        bank.fault(kind, probability=0.012, seed=seed + 100 + n, **options)
    bank.fault("empty", on="query", probability=0.05, seed=seed + 200)
    bank.fault("drop_after", on="query", probability=0.03, seed=seed + 201)


def weather(
    bank: SimulatedBank, payments: Sequence[Payment], *, kills: int, seed: int, seconds: float
) -> Report:
    """Run two workers over approved `payments` until all have ended, killing one `kills` times."""
    arm(bank, seed)
    chance, started = random.Random(seed), time.monotonic()
    crew = [workers.worker(), workers.worker()]
    report = Report(payments=len(payments))
    keys = [p.pk for p in payments]
    next_kill = time.monotonic() + chance.uniform(1.5, 3)
    try:
        while time.monotonic() - started < seconds:
            open_ones = Payment.objects.filter(pk__in=keys).exclude(state__in=list(AGREES))
            if not open_ones.exists() and report.kills >= kills:
                break
            if report.kills < kills and time.monotonic() > next_kill:
                victim = chance.randrange(2)
                workers.kill(crew[victim])
                crew[victim] = workers.worker()
                report.kills += 1
                next_kill = time.monotonic() + chance.uniform(1.0, 3)
            time.sleep(0.1)
        for fault in bank.faults():
            report.fired[fault["kind"]] += fault["fired"]
        bank.clear_faults()
        for _round in range(3):  # a bank that returns after two enquiries needs a third to tell
            _ask_about_settled(keys)
    finally:
        for process in crew:
            workers.kill(process)
    report.seconds = time.monotonic() - started
    _judge(report, bank, keys)
    return report


def _judge(report: Report, bank: SimulatedBank, keys: list[int]) -> None:
    ledger = bank.ledger()
    assert_books_balance(ledger)
    booked = Counter(b["payment"] for b in ledger["bookings"] if b["kind"] == "payment")
    at_bank = {p["reference"]: p["state"] for p in ledger["payments"]}
    for payment in Payment.objects.filter(pk__in=keys):
        reference, state = payment.reference, payment.state
        report.states[state] += 1
        report.double += booked[reference] > 1
        report.stuck += state not in AGREES
        theirs = at_bank.get(reference)
        report.lost += theirs is None and state not in {"APPROVED", "DRAFT"}
        if state in AGREES and theirs not in AGREES[state]:
            report.disagreeing.append(f"{reference}: ours {state}, the bank's {theirs}")
    report.resent = Dispatch.objects.filter(payment__in=keys, attempts__gt=1).count()


def _ask_about_settled(keys: Sequence[int]) -> None:
    """As the list of returns would: every settled payment is asked about, and the answers wait for."""
    settled = Dispatch.objects.filter(payment__in=keys, payment__state="SETTLED")
    references = list(settled.values_list("payment__reference", flat=True))
    querying.ask_soon(references=references, at=timezone.now())
    deadline = time.monotonic() + 120
    while settled.filter(next_query_at__isnull=False).exists():
        assert time.monotonic() < deadline, "enquiries about settled payments do not end"
        time.sleep(0.1)
