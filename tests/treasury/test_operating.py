"""What an operator runs: doctor, verify_audit, rotate_master_key, and Django's own checks."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from django_q.models import Task

from tests import make
from treasury import checks_registry, secrets, system_checks
from treasury.checks_registry import Finding, Level
from treasury.services import auditing, health

pytestmark = pytest.mark.django_db


def findings(at: datetime) -> dict[str, Finding]:
    return {finding.name: finding for finding in checks_registry.run(at)}


def job_ended(at: datetime, success: bool = True) -> None:
    Task.objects.create(id=uuid.uuid4().hex, name="t", func="a.b", started=at, stopped=at, success=success)


@pytest.fixture
def trail(cast: Any, now: datetime) -> list[Any]:
    """Three sealed events."""
    events = [auditing.record(action=f"test.act{n}", about=cast.company, by=None, at=now) for n in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return events


def test_the_doctor_finds_a_fresh_installation_without_a_worker_ill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandError, match="1 of the above must be repaired") as refused:
        call_command("doctor")
    assert refused.value.returncode == 1
    said = capsys.readouterr().out
    assert "no job has ever run" in said
    assert "manage.py qcluster" in said


def test_the_doctor_is_content_once_a_worker_has_run_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    job_ended(timezone.now() - timedelta(seconds=20))
    call_command("doctor")
    assert "Nothing must be repaired" in capsys.readouterr().out


def test_a_worker_that_has_stopped_is_noticed_after_three_minutes() -> None:
    at = timezone.now()
    job_ended(at - timedelta(minutes=4))
    assert findings(at)["worker"].level is Level.FAIL


def test_failed_jobs_are_counted_by_their_path() -> None:
    at = timezone.now()
    job_ended(at - timedelta(seconds=5), success=False)
    assert "a.b ×1" in findings(at)["failed jobs"].detail


def test_a_key_file_open_to_others_is_a_failure(tmp_path: Path, settings: Any) -> None:
    settings.DATA_FOLDER = tmp_path
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "master").write_text("x")
    (tmp_path / "keys" / "master").chmod(0o644)
    (found,) = health.check_keys(timezone.now())
    assert found.level is Level.FAIL
    assert found.next_step == f"chmod 600 {tmp_path}/keys/master"


def test_one_broken_check_does_not_silence_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(at: datetime) -> Iterator[Finding]:
        raise RuntimeError("no such table")
        yield

    monkeypatch.setattr(checks_registry, "CHECKS", {"first": broken, "second": health.check_disk})
    found = findings(timezone.now())
    assert found["first"].detail == "RuntimeError: no such table"
    assert found["disk"].level is Level.OK


def test_an_intact_trail_is_verified_and_exported(
    trail: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_audit", export=str(tmp_path / "trail.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "trail.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines[-3:]] == ["test.act0", "test.act1", "test.act2"]
    assert lines[-1]["previous_hash"] == lines[-2]["hash"]
    said = capsys.readouterr().out
    assert f"Head: {lines[-1]['hash']}" in said
    call_command("verify_audit", head=lines[-2]["hash"])


def test_a_head_that_is_not_in_the_trail_is_an_alarm(trail: list[Any]) -> None:
    with pytest.raises(CommandError, match="is not in the chain"):
        call_command("verify_audit", head="a" * 64)
    with pytest.raises(CommandError, match="is not a hash"):
        call_command("verify_audit", head="abc")


def test_a_changed_event_breaks_the_trail_and_the_doctor_sees_a_cut_one(trail: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE treasury_auditevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE treasury_auditevent SET detail='{\"a\": 1}' WHERE id=%s", [trail[1].pk])
        with pytest.raises(CommandError, match="content was changed"):
            call_command("verify_audit")
        cursor.execute("DELETE FROM treasury_auditevent WHERE id=%s", [trail[2].pk])
    assert findings(timezone.now())["audit trail"].level is Level.FAIL


def test_rotation_brings_every_secret_under_the_newest_key(
    settings: Any, cast: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from banks.models import Connection

    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.MASTER_KEYS = [old]
    kept = Connection.objects.create(
        name="Bank one", bank=cast.cny.bank, connector="simulated", secrets=secrets.seal({"key": "s3cret"})
    )
    settings.MASTER_KEYS = [new, old]
    call_command("rotate_master_key")
    assert "banks.Connection.secrets: 1" in capsys.readouterr().out
    settings.MASTER_KEYS = [new]
    kept.refresh_from_db()
    assert secrets.unseal(kept.secrets) == {"key": "s3cret"}
    assert auditing.of(kept).filter(action="treasury.secret_resealed").exists()


def test_rotation_without_the_old_key_changes_nothing(settings: Any, cast: Any) -> None:
    from banks.models import Connection

    kept = Connection.objects.create(
        name="Bank one", bank=cast.cny.bank, connector="simulated", secrets=secrets.seal({"key": "s3cret"})
    )
    before = bytes(kept.secrets)
    settings.MASTER_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("rotate_master_key")
    kept.refresh_from_db()
    assert bytes(kept.secrets) == before


def test_developer_pages_under_a_public_name_are_an_error() -> None:
    with override_settings(ALLOWED_HOSTS=["cash.example.com"], DEBUG=True, HTTPS=False):
        assert [m.id for m in system_checks.check_edge(None)] == ["treasury.E001", "treasury.W002"]
    with override_settings(ALLOWED_HOSTS=["127.0.0.1"], DEBUG=True):
        assert system_checks.check_edge(None) == []
    with override_settings(Q_CLUSTER={"timeout": 300, "retry": 300}):
        assert [m.id for m in system_checks.check_jobs(None)] == ["treasury.E004"]


@pytest.mark.django_db(transaction=True)
def test_verification_holds_while_acts_go_on() -> None:
    company = make.company()
    stop = threading.Event()

    def act() -> None:
        while not stop.is_set():
            auditing.record(action="test.act", about=company, by=None, at=timezone.now())
        connection.close()

    acting = threading.Thread(target=act)
    acting.start()
    try:
        verdicts = [auditing.verify() for _ in range(40)]
        levels = {finding.level for _ in range(40) for finding in health.check_audit(timezone.now())}
    finally:
        stop.set()
        acting.join()
    assert all(verdict.intact for verdict in verdicts), verdicts
    assert levels == {Level.OK}
    assert verdicts[-1].events > verdicts[0].events
