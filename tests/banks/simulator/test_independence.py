"""The bank and the portal share nothing but the formats: what agrees by test did not agree by import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulated_bank import ROOT


def modules_of(*imports: str) -> set[str]:
    code = f"import sys, {', '.join(imports)}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.processes
def test_the_bank_runs_without_django_and_knows_of_the_portal_only_the_formats() -> None:
    loaded = modules_of("banks.simulator.__main__", "banks.simulator.client")
    assert "django" not in loaded
    ours = {m for m in loaded if m.split(".")[0] in ("banks", "treasury", "payments", "reconciliation")}
    allowed = ("banks.simulator", "banks.formats", "banks.messages")
    assert {m for m in ours if m != "banks" and not m.startswith(allowed)} == set()


@pytest.mark.processes
def test_the_connector_shares_no_code_with_the_bank() -> None:
    loaded = modules_of("banks.connectors.simulated")
    assert not {m for m in loaded if m.startswith("banks.simulator")}
    assert "django" not in loaded
