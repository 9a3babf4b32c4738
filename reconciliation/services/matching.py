"""Matching by the portal itself: three tiers, each one statement over the account's open lines.

T1  our own reference and the amount are equal;
T2  the bank's reference and the amount are equal, and our references do not contradict;
T3  the amount is equal, the day at most `days` apart, the counterparty the same, and no
    reference contradicts.

In every tier a pair is taken only when it is the only one on both sides: what is ambiguous stays
open for a person. A pair that a person undid is never made again by itself. Partial amounts,
sums and fees are for people too (`by_hand`, with `suggesting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from reconciliation.models import Match
from reconciliation.services.locking import hold_account
from treasury.models import Account
from treasury.services import auditing

DAYS = 3

_SIDES = """
    SELECT 'B' AS side, entry_id AS id, "on", amount, reference, bank_reference, party
    FROM reconciliation_openbankline WHERE account_id = %(account)s
    UNION ALL
    SELECT 'L', ledger_entry_id, "on", amount, reference, bank_reference, party
    FROM reconciliation_openbookline WHERE account_id = %(account)s
"""

_SAME_KEY = """
    SELECT max(id) FILTER (WHERE side = 'B') AS entry_id,
        max(id) FILTER (WHERE side = 'L') AS ledger_entry_id,
        amount, min("on") AS first_on, max("on") AS last_on
    FROM ({sides}) sides WHERE {key} <> ''
    GROUP BY {key}, amount
    HAVING count(*) FILTER (WHERE side = 'B') = 1 AND count(*) FILTER (WHERE side = 'L') = 1{unless}
"""

_BY_REFERENCE = _SAME_KEY.format(sides="{sides}", key="reference", unless="")
_BY_BANK_REFERENCE = _SAME_KEY.format(
    sides="{sides}",
    key="bank_reference",
    unless=" AND (min(reference) = '' OR min(reference) = max(reference))",
)

# Sums instead of maxima: with a count of one they are the same, and a moving frame can subtract.
# Each line that sees exactly one partner names the pair; a pair that both name is certain.
_BY_AMOUNT = """
    SELECT entry_id, ledger_entry_id, amount, min("on") AS first_on, max("on") AS last_on
    FROM (
        SELECT CASE side WHEN 'B' THEN id ELSE bank_id END AS entry_id,
            CASE side WHEN 'L' THEN id ELSE book_id END AS ledger_entry_id,
            amount, "on", reference, bank_reference
        FROM (
            SELECT *,
                count(*) FILTER (WHERE side = 'B') OVER agreeing AS banks,
                count(*) FILTER (WHERE side = 'L') OVER agreeing AS books,
                (sum(id) FILTER (WHERE side = 'B') OVER agreeing)::bigint AS bank_id,
                (sum(id) FILTER (WHERE side = 'L') OVER agreeing)::bigint AS book_id,
                count(*) FILTER (WHERE side = 'B' AND party = '') OVER around AS nameless_banks,
                count(*) FILTER (WHERE side = 'L' AND party = '') OVER around AS nameless_books
            FROM ({sides}) sides
            WINDOW agreeing AS (PARTITION BY amount, party ORDER BY "on" RANGE BETWEEN
                                make_interval(days => %(days)s) PRECEDING AND
                                make_interval(days => %(days)s) FOLLOWING),
                   around AS (PARTITION BY amount ORDER BY "on" RANGE BETWEEN
                              make_interval(days => %(days)s) PRECEDING AND
                              make_interval(days => %(days)s) FOLLOWING)
        ) counted
        WHERE party <> '' AND CASE side WHEN 'B' THEN books = 1 AND nameless_books = 0
                                        ELSE banks = 1 AND nameless_banks = 0 END
    ) named
    GROUP BY entry_id, ledger_entry_id, amount
    HAVING count(*) = 2
        AND (min(reference) = '' OR min(reference) = max(reference))
        AND (min(bank_reference) = '' OR min(bank_reference) = max(bank_reference))
"""

_TAKE = """
    WITH pairs AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('reconciliation_match', 'id')) AS match_id, found.*
        FROM ({found}) found
        WHERE NOT EXISTS (
            SELECT 1 FROM reconciliation_matchedline b
            JOIN reconciliation_matchedline l ON l.match_id = b.match_id AND NOT l.live
            WHERE b.entry_id = found.entry_id AND NOT b.live AND l.ledger_entry_id = found.ledger_entry_id)
    ), made AS (
        INSERT INTO reconciliation_match
            (id, account_id, tier, why, amount, first_on, last_on, made_by_id, made_at)
        SELECT match_id, %(account)s, %(tier)s,
            jsonb_build_object('agreed', %(agreed)s::jsonb, 'days', last_on - first_on),
            amount, first_on, last_on, %(by)s, %(at)s
        FROM pairs
    ), lines AS (
        INSERT INTO reconciliation_matchedline (match_id, entry_id, ledger_entry_id, live)
        SELECT match_id, entry_id, NULL, true FROM pairs
        UNION ALL
        SELECT match_id, NULL, ledger_entry_id, true FROM pairs
    )
    SELECT count(*) FROM pairs
"""

TIERS: tuple[tuple[str, str, str], ...] = (
    (Match.Tier.REFERENCE, _BY_REFERENCE, '["reference", "amount"]'),
    (Match.Tier.BANK_REFERENCE, _BY_BANK_REFERENCE, '["bank_reference", "amount"]'),
    (Match.Tier.AMOUNT, _BY_AMOUNT, '["amount", "counterparty"]'),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many pairs each tier matched."""

    by_reference: int
    by_bank_reference: int
    by_amount: int

    @property
    def total(self) -> int:
        return self.by_reference + self.by_bank_reference + self.by_amount


@transaction.atomic
def match_account(*, account: Account, at: datetime, by: Any = None, days: int = DAYS) -> Found:
    """Match what is certain among the open lines of `account`; safe to run at any time.

    `days` is the widest distance between the days of a pair in the last tier.
    """
    hold_account(account)
    counts = [
        _take(account=account, tier=tier, found=found, agreed=agreed, days=days, by=by, at=at)
        for tier, found, agreed in TIERS
    ]
    result = Found(by_reference=counts[0], by_bank_reference=counts[1], by_amount=counts[2])
    if result.total:
        auditing.record(
            action="reconciliation.matched",
            about=account,
            by=by,
            at=at,
            reference=result.by_reference,
            bank_reference=result.by_bank_reference,
            amount=result.by_amount,
            days=days,
        )
    return result


def _take(*, account: Account, tier: str, found: str, agreed: str, days: int, by: Any, at: datetime) -> int:
    values = {
        "account": account.pk,
        "tier": tier,
        "agreed": agreed,
        "days": days,
        "by": by.pk if by is not None else None,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(found=found.format(sides=_SIDES)), values)
        return int(cursor.fetchone()[0])
