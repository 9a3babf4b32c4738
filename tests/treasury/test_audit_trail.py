"""The audit trail is one chain, sealed at commit, and refuses every change."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError

from tests.make import Cast
from treasury.models import AuditEvent
from treasury.services import auditing

REFUSED = (InternalError, IntegrityError)


def some_events(cast: Cast, now: datetime, count: int = 5) -> None:
    for n in range(count):
        with transaction.atomic():
            auditing.record(
                action="test.happened",
                about=cast.company,
                by=cast.alice,
                at=now + timedelta(seconds=n),
                n=n,
                名="直联",
            )


@pytest.mark.django_db(transaction=True)
def test_events_are_sealed_into_one_chain(cast: Cast, now: datetime) -> None:
    some_events(cast, now)
    verdict = auditing.verify()
    assert verdict.intact
    assert verdict.events == 5
    assert AuditEvent.objects.get(position=5).hash == verdict.head


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE treasury_auditevent SET detail = '{}'",
        "UPDATE treasury_auditevent SET hash = NULL, position = NULL",
        "DELETE FROM treasury_auditevent",
        "UPDATE treasury_audithead SET position = 0",
        "DELETE FROM treasury_audithead",
    ],
)
def test_raw_sql_cannot_change_the_trail(cast: Cast, now: datetime, statement: str) -> None:
    some_events(cast, now)
    with pytest.raises(REFUSED, match="audit trail"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert auditing.verify().intact


@pytest.mark.django_db(transaction=True)
def test_a_change_behind_the_guards_is_found(cast: Cast, now: datetime) -> None:
    some_events(cast, now)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE treasury_auditevent DISABLE TRIGGER audit_no_change")
        cursor.execute("UPDATE treasury_auditevent SET actor_name = 'nobody' WHERE position = 3")
        cursor.execute("ALTER TABLE treasury_auditevent ENABLE TRIGGER audit_no_change")
    verdict = auditing.verify()
    assert verdict.broken_at == 3
    assert "content was changed" in verdict.reason


@pytest.mark.django_db(transaction=True)
def test_a_cut_off_tail_is_found_with_an_exported_head(cast: Cast, now: datetime) -> None:
    some_events(cast, now)
    exported = auditing.verify().head
    with connection.cursor() as cursor:
        for table in ("treasury_auditevent", "treasury_audithead"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM treasury_auditevent WHERE position = 5")
        cursor.execute(
            "UPDATE treasury_audithead SET position = 4, hash ="
            " (SELECT hash FROM treasury_auditevent WHERE position = 4)"
        )
        for table in ("treasury_auditevent", "treasury_audithead"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE treasury_auditevent DISABLE TRIGGER audit_no_truncate")
        cursor.execute("ALTER TABLE treasury_audithead DISABLE TRIGGER audit_head_no_truncate")
    assert auditing.verify().intact
    assert not auditing.verify(expected_head=exported).intact
