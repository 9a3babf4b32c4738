"""Writing and verifying the audit trail.

Every act of every app calls `record` inside its own transaction, so an act and its trace are
kept or lost together. Sealing (position and hashes) is the database's work at commit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import connection, models, transaction

from treasury.models import AuditEvent

GENESIS = "0" * 64
HASHED = (
    "position, previous_hash, hash, actor_id, actor_name, action, object_type, object_id, object_label,"
    " company_id, detail, host(ip), to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
)
"""What an event's hash is made of, in the columns' order below."""
current_ip: ContextVar[str | None] = ContextVar("current_ip", default=None)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it without loss: amounts and dates as text."""
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(v) for v in value]
    if isinstance(value, models.Model):
        return str(value)
    return value


def event(
    *, action: str, about: models.Model, by: Any, at: datetime, company: Any = None, **detail: Any
) -> AuditEvent:
    """An unsaved event, for acts on many rows that insert their events with `record_many`."""
    text = json.dumps(plain(detail), ensure_ascii=False, sort_keys=True)
    owner = company if company is not None else getattr(about, "company", None)
    return AuditEvent(
        at=at,
        actor=by,
        actor_name=str(by) if by is not None else "system",
        action=action,
        object_type=about._meta.label_lower,
        object_id=about.pk,
        object_label=str(about)[:200],
        company=owner,
        detail=text,
        ip=current_ip.get(),
    )


def record(
    *, action: str, about: models.Model, by: Any, at: datetime, company: Any = None, **detail: Any
) -> AuditEvent:
    """Write one event. `by` is a person, or None when the portal itself acted.

    `action` is a dotted name such as `payments.approved`; `detail` becomes JSON.
    """
    one = event(action=action, about=about, by=by, at=at, company=company, **detail)
    one.save(force_insert=True)
    return one


def record_many(events: Iterable[AuditEvent]) -> None:
    """Write many events with one insert."""
    AuditEvent.objects.bulk_create(list(events), batch_size=1000)


def of(about: models.Model) -> models.QuerySet[AuditEvent]:
    """The timeline of one object, oldest first."""
    return AuditEvent.objects.filter(object_type=about._meta.label_lower, object_id=about.pk).order_by("id")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain found. `broken_at` is the first position that does not hold."""

    events: int
    head: str
    broken_at: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        return self.broken_at is None


def verify(*, expected_head: str = "") -> Verdict:
    """Recompute the chain from the first event to the head; acts may go on meanwhile.

    `expected_head` is a hash exported earlier and kept elsewhere: the only way to notice that
    the newest events were cut off together with the head. The events stream through; memory
    does not grow with the trail.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE position IS NULL), count(*) FILTER (WHERE position >"
            " coalesce((SELECT position FROM treasury_audithead), 0)) FROM treasury_auditevent"
        )
        unsealed, beyond = cursor.fetchone()
        cursor.execute("SELECT position, hash FROM treasury_audithead")
        head = cursor.fetchone() or (0, GENESIS)
    if unsealed:
        return Verdict(0, "", 0, f"{unsealed} events were never sealed")
    walked = _walk(head[0], expected_head)
    if not walked.intact:
        return walked
    if (walked.events, walked.head) != tuple(head) or beyond:
        reason = f"{beyond} events lie beyond the head" if beyond else "the head names an event that is gone"
        return Verdict(walked.events, walked.head, walked.events + 1, reason)
    return walked


def _walk(end: int, expected_head: str) -> Verdict:
    """Every event up to position `end`: none missing, each following the one before, none changed."""
    previous, position, seen = GENESIS, 0, not expected_head
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        walk = f"SELECT {HASHED} FROM treasury_auditevent WHERE position <= %s ORDER BY position"  # noqa: S608
        cursor.execute(walk, [end])
        for row in chain.from_iterable(iter(lambda: cursor.fetchmany(5000), [])):
            position += 1
            if row[0] != position:
                return Verdict(position - 1, previous, position, f"position {position} is missing")
            if row[1] != previous:
                return Verdict(position - 1, previous, position, "it does not follow the event before it")
            parts = [previous, str(row[0]), row[12], *("" if v is None else str(v) for v in row[3:12])]
            computed = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
            if computed != row[2]:
                return Verdict(position - 1, previous, position, "its content was changed")
            previous = computed
            seen = seen or computed == expected_head
    if not seen:
        absent = f"the exported head {expected_head[:12]}… is not in the chain"
        return Verdict(position, previous, position + 1, absent)
    return Verdict(position, previous)
