"""How many lines a second the portal matches: `python -m pytest tests/bench/bench_matching.py -s`.

`LINES` on each side (100,000 unless BENCH_LINES says otherwise): half carry our reference, a
quarter the bank's, a fifth only amount, day and name, the rest are ambiguous or have no partner.
"""

from __future__ import annotations

import os
import time
from decimal import Decimal

import pytest
from django.db import connection

from reconciliation.models import LedgerImport, Match, OpenBankLine, OpenBookLine
from reconciliation.services.adjusting import adjustment_sheet
from reconciliation.services.matching import match_account
from reconciliation.services.opening import set_opening
from reconciliation.services.suggesting import suggest
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, day, statement

LINES = int(os.environ.get("BENCH_LINES", "100000"))

LINE = """
    SELECT n, CASE WHEN n %% 100 < 95 THEN (n %% 9973) - 5000.5 ELSE 8888.88 END AS amount,
        %(day)s::date - (n %% 180) AS day,
        CASE WHEN n %% 100 < 50 THEN 'ZL' || n ELSE '' END AS reference,
        CASE WHEN n %% 100 >= 50 AND n %% 100 < 75 THEN 'B' || n ELSE '' END AS bank_reference,
        CASE WHEN n %% 100 < 95 THEN 'Company ' || n %% 5000 ELSE 'Hot' END AS name
    FROM generate_series(1, %(lines)s) n
"""

BANK = f"""
    INSERT INTO banks_entry (account_id, statement_id, position, booked_on, amount, currency, status,
        reference, bank_reference, counterparty_name, counterparty_account, text, code, return_reason,
        identity, occurrence)
    SELECT %(account)s, %(statement)s, n, day, amount, 'CNY', 'BOOK', reference, bank_reference, name,
        '', '', '', '', 'bench' || n, 1
    FROM ({LINE}) made
"""  # noqa: S608
BOOKS = f"""
    INSERT INTO reconciliation_ledgerentry (account_id, imported_id, posted_on, amount, currency, voucher,
        reference, bank_reference, counterparty, text, "row", live)
    SELECT %(account)s, %(imported)s, day - n %% 2, amount, 'CNY', 'V' || n, reference, bank_reference,
        upper(name), '', n, true
    FROM ({LINE}) made WHERE n %% 100 < 99
"""  # noqa: S608


@pytest.mark.django_db
def test_matching_speed(cast: Cast) -> None:
    set_opening(account=cast.cny, on=day(-400), amount=Decimal(0), by=cast.dave, at=NOW)
    statement(cast.cny, [], on=day(-200), opening=0)
    [first] = statement(cast.cny, [{"amount": 1, "on": day(-200)}], on=day(-200), opening=0)
    imported = LedgerImport.objects.create(
        account=cast.cny,
        name="bench",
        sha256="0" * 64,
        content=b"",
        made_by=cast.alice,
        made_at=NOW,
        booked_at=NOW,
    )
    values = {"lines": LINES, "day": DAY, "account": cast.cny.pk}
    times: dict[str, float] = {}
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(BANK, values | {"statement": first.statement_id})
        times["book bank lines"] = time.perf_counter() - start
        start = time.perf_counter()
        cursor.execute(BOOKS, values | {"imported": imported.pk})
        times["book ledger lines"] = time.perf_counter() - start
    start = time.perf_counter()
    found = match_account(account=cast.cny, at=NOW)
    times["match"] = time.perf_counter() - start
    start = time.perf_counter()
    assert match_account(account=cast.cny, at=NOW).total == 0
    times["match again"] = time.perf_counter() - start
    start = time.perf_counter()
    sheet = adjustment_sheet(account=cast.cny, on=DAY)
    times["sheet of today"] = time.perf_counter() - start
    start = time.perf_counter()
    adjustment_sheet(account=cast.cny, on=day(-90))
    times["sheet of 90 days ago"] = time.perf_counter() - start
    start = time.perf_counter()
    suggest(line=OpenBankLine.objects.order_by("-on")[0])
    times["suggest for one line"] = time.perf_counter() - start
    print(f"\n{LINES:,} bank lines, {OpenBookLine.objects.count():,} book lines left open, {found}")
    for what, took in times.items():
        rate = f"{2 * LINES / took:12,.0f} lines/s" if what == "match" else ""
        print(f"{what:24} {took:8.2f} s {rate}")
    assert found.total == Match.objects.count() > LINES * 0.7
    assert len(sheet.bank) == OpenBankLine.objects.count()
