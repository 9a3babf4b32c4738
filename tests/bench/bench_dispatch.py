"""`python -m tests.bench.bench_dispatch [PAYMENTS]`: approved to booked with one and two workers.

Prints payments per second, and beside it the floor: the same orders sent by the bare connector
to the same bank in the same message size, with no database at all.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.scratch import database


def main(count: int = 2000) -> None:
    with database(), tempfile.TemporaryDirectory() as folder:
        from payments.models import Payment
        from payments.services.orders import order_of
        from tests import make, workers
        from tests.simulated_bank import SimulatedBank

        cast = make.cast_of()
        bank = SimulatedBank.start(Path(folder), business_day=make.NOW.date())
        try:
            make.connection_to(bank, cast.cny, batch_limit=100)
            for crew in (1, 2):
                keys = [p.pk for p in make.approved_payments(cast, count)]
                started = time.monotonic()
                processes = [workers.worker() for _ in range(crew)]
                first = None
                while Payment.objects.filter(pk__in=keys).exclude(state="SETTLED").exists():
                    if first is None and Payment.objects.filter(pk__in=keys, state="SETTLED").exists():
                        first = time.monotonic()
                    time.sleep(0.05)
                took = time.monotonic() - started
                for process in processes:
                    workers.kill(process)
                working = time.monotonic() - (first or started)
                print(
                    f"{crew} worker(s): {count} payments in {took:.1f} s with start-up"
                    f" ({count / took:.0f}/s), {count / working:.0f}/s once running"
                )
            orders = [order_of(p) for p in make.approved_payments(cast, count)]
            connector = bank.connector()
            started = time.monotonic()
            for at in range(0, count, 100):
                connector.send(connector.compose(orders[at : at + 100]))
            took = time.monotonic() - started
            print(f"floor, bare connector: {count / took:.0f}/s")
        finally:
            bank.stop()


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
