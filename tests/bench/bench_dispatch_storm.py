"""`python -m tests.bench.bench_dispatch_storm [PAYMENTS] [KILLS] [SEED]`: the long fault storm.

Prints the fault table; exits 1 when the bank's ledger shows anything twice, lost or stuck.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.scratch import database


def main(count: int = 1200, kills: int = 25, seed: int = 20261124) -> int:
    with database(), tempfile.TemporaryDirectory() as folder:
        from tests import make
        from tests.simulated_bank import SimulatedBank
        from tests.storm import weather

        cast = make.cast_of()
        bank = SimulatedBank.start(Path(folder), window=3.0, business_day=make.NOW.date())
        try:
            make.connection_to(bank, cast.cny, timeout_seconds=1.0, clock_margin_seconds=0.5, batch_limit=5)
            payments = make.approved_payments(cast, count)
            report = weather(bank, payments, kills=kills, seed=seed, seconds=1500)
        finally:
            bank.stop()
    print("\n".join(report.lines()))
    return bool(report.double or report.lost or report.stuck or report.disagreeing)


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
