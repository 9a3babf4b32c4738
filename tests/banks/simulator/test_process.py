"""The simulated bank as a process: it says where it is, obeys signals, and outlives kill -9."""

from __future__ import annotations

from tests.simulated_bank import SimulatedBank


def test_it_exits_with_zero_when_asked_to_stop(bank: SimulatedBank) -> None:
    assert bank.stop() == 0
