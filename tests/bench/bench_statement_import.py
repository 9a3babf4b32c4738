"""How fast a statement of many lines is imported, beside a bare COPY of the very same rows
into a table of the same columns, indexes and keys.

Run: `python -m tests.bench.bench_statement_import [lines]` (default 100,000), on a scratch
database of its own. Prints lines per second and the ratio, both measured in the same run.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

LINES = 100_000


def statement(count: int) -> bytes:
    """One camt.053 statement of a hundred days, nine lines in ten with a bank reference."""
    from banks.formats import camt053
    from banks.messages import AccountIdentity, DatedAmount, Entry, Party, Statement

    first = date(2026, 1, 1)
    entries = tuple(
        Entry(
            amount=Decimal(n % 99_999 - 40_000) / 100 or Decimal(1),
            currency="CNY",
            booked_on=first + timedelta(days=n * 100 // count),
            value_on=first + timedelta(days=n * 100 // count),
            reference=f"E2E{n:010}" if n % 3 else "",
            bank_reference=f"BANK{n:012}" if n % 10 else "",
            counterparty=Party(name=f"客户 {n % 5000} 有限公司", account=f"62250000{n % 5000:08}"),
            text=f"Invoice {n} of the year",
            code="PMNT-RCDT-ESCT",
        )
        for n in range(count)
    )
    return camt053.write(
        [
            Statement(
                account=AccountIdentity(number="6225000000000001", currency="CNY"),
                currency="CNY",
                number="1",
                opening=DatedAmount(amount=Decimal(0), on=first),
                closing=DatedAmount(
                    amount=sum((e.amount for e in entries), Decimal(0)), on=first + timedelta(days=100)
                ),
                entries=entries,
            )
        ]
    )


def bare_copy() -> float:
    """Seconds to COPY the imported entries into a table of the same columns, indexes and keys."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_entry (LIKE banks_entry INCLUDING ALL)")
        for column, table in (("account_id", "treasury_account"), ("statement_id", "banks_statement")):
            cursor.execute(
                f"ALTER TABLE bench_entry ADD FOREIGN KEY ({column}) REFERENCES {table} (id)"
                " DEFERRABLE INITIALLY DEFERRED"
            )
        cursor.execute("SELECT * FROM banks_entry ORDER BY id")
        rows = cursor.fetchall()
        names = ", ".join(f'"{column.name}"' for column in cursor.description)
        begun = time.perf_counter()
        with transaction.atomic(), cursor.copy(f"COPY bench_entry ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        took = time.perf_counter() - begun
        cursor.execute("DROP TABLE bench_entry")
    return took


def main(count: int) -> None:
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    from banks import formats
    from banks.services.importing import import_file, receive_file
    from tests.make import cast_of

    old = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    try:
        cast_of()
        content = statement(count)
        at = datetime(2026, 11, 24, tzinfo=UTC)
        begun, worked = time.perf_counter(), time.process_time()
        lines = sum(1 for _ in formats.read(io.BytesIO(content)))
        parsed, parsed_cpu = time.perf_counter() - begun, time.process_time() - worked
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun, worked = time.perf_counter(), time.process_time()
        file = receive_file(name="bench.xml", content=content, by=None, at=at)
        stored = time.perf_counter() - begun
        done = import_file(file=file, at=at)
        took, took_cpu = time.perf_counter() - begun, time.process_time() - worked
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert (done.new, done.balanced) == (count, True), done
        bare = bare_copy()
        print(f"{len(content) / 1e6:.1f} MB, {lines - 2:,} lines; memory grew by {grown / 1024:.0f} MB")
        print(
            f"parsing alone     {parsed:6.2f} s  {count / parsed:9,.0f} lines/s  ({parsed_cpu:.2f} s of CPU)"
        )
        print(f"storing the bytes {stored:6.2f} s")
        print(
            f"whole import      {took:6.2f} s  {count / took:9,.0f} lines/s  ({took_cpu:.2f} s of CPU here)"
        )
        print(f"bare COPY         {bare:6.2f} s  {count / bare:9,.0f} lines/s")
        print(f"ratio             {took / bare:6.2f}  (without parsing {(took - parsed) / bare:.2f})")
    finally:
        teardown_databases(old, verbosity=0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings")
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else LINES)
