"""The ground floor's own checks for `manage.py doctor`: settings, keys, database, jobs, audit, disk.

Each takes the clock and yields findings (see `treasury.checks_registry`). Connections to banks
are checked by `banks`, which registers its own.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from treasury import jobs
from treasury.checks_registry import Finding, Level, register

OLDEST_POSTGRESQL = 150000
CLOCK_MARGIN = timedelta(seconds=2)
WORKER_MARGIN = timedelta(minutes=3)
BACKLOG = 500
LITTLE_SPACE, NO_SPACE = 2 * 1024**3, 256 * 1024**2


def check_settings(at: datetime) -> Iterator[Finding]:
    """Django's system checks, those for a deployment included where people come by https."""
    found = checks.run_checks(include_deployment_checks=settings.HTTPS)
    serious = [m for m in found if m.level >= checks.WARNING and not m.is_silenced()]
    for message in serious:
        level = Level.FAIL if message.level >= checks.ERROR else Level.WARN
        yield Finding("settings", level, f"{message.id}: {message.msg}", message.hint or "")
    if not serious:
        kind = "a PostgreSQL server" if settings.DATABASE_URL else "embedded PostgreSQL"
        carrier = "Redis" if settings.BROKER_URL else "PostgreSQL"
        yield Finding("settings", Level.OK, f"{kind}, jobs carried by {carrier}")


def check_keys(at: datetime) -> Iterator[Finding]:
    """Generated key files are readable by their owner alone."""
    folder = settings.DATA_FOLDER / "keys"
    files = sorted(folder.glob("[!.]*")) if folder.exists() else []
    for path in [folder, *files] if files else []:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            right = "700" if path.is_dir() else "600"
            yield Finding(
                "keys", Level.FAIL, f"{path} is open to others (mode {mode:o}).", f"chmod {right} {path}"
            )
            return
    where = (
        f"{len(files)} files in {folder}, readable by their owner only" if files else "from the environment"
    )
    yield Finding("keys", Level.OK, where)


def check_database(at: datetime) -> Iterator[Finding]:
    """Reachable, new enough, every migration applied, its clock the same as ours."""
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT current_setting('server_version_num')::int, version(), clock_timestamp()")
        number, version, theirs = cursor.fetchone()
        after = timezone.now()
    name = " ".join(version.split()[:2])
    if number < OLDEST_POSTGRESQL:
        yield Finding("database", Level.FAIL, name, "Move to PostgreSQL 15 or newer.")
    else:
        yield Finding("database", Level.OK, name)
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        first = waiting[0][0]
        yield Finding(
            "migrations", Level.FAIL, f"{len(waiting)} not applied, first {first}", "manage.py migrate"
        )
    else:
        yield Finding("migrations", Level.OK, "all applied")
    apart = max(before - theirs, theirs - after)
    if apart > CLOCK_MARGIN:
        step = "Set the clocks of this machine and of the database by the same time server."
        yield Finding("clock", Level.FAIL, f"{apart.total_seconds():.1f} s apart from the database's", step)
    else:
        yield Finding("clock", Level.OK, "agrees with the database's")


def check_broker(at: datetime) -> Iterator[Finding]:
    """The Redis that carries the jobs answers; nothing to say where PostgreSQL carries them."""
    if not settings.BROKER_URL:
        return
    shown = settings.BROKER_URL.rsplit("@", 1)[-1]
    try:
        Redis.from_url(settings.BROKER_URL, socket_connect_timeout=3, socket_timeout=3).ping()
    except (RedisError, OSError) as error:
        step = "Start it or correct BROKER_URL. Due rows wait in the database; nothing is lost."
        yield Finding("broker", Level.FAIL, f"Redis at {shown} does not answer: {error}", step)
    else:
        yield Finding("broker", Level.OK, f"Redis at {shown} answers")


def check_worker(at: datetime) -> Iterator[Finding]:
    """Jobs are run, on time, and do not fail."""
    last = jobs.last_run()
    if last is None or at - last > WORKER_MARGIN:
        seen = f"last job ended {last:%Y-%m-%d %H:%M:%S} UTC" if last else "no job has ever run"
        step = "Start one: manage.py qcluster. If one runs, read its log."
        yield Finding("worker", Level.FAIL, seen, step)
    else:
        yield Finding("worker", Level.OK, f"last job ended {(at - last).total_seconds():.0f} s ago")
    waiting = jobs.waiting()
    level = Level.WARN if waiting > BACKLOG else Level.OK
    step = "Raise ZHILIAN_WORKERS or start another worker." if waiting > BACKLOG else ""
    yield Finding("jobs", level, f"{waiting} waiting", step)
    failed = jobs.failed_since(at - timedelta(days=1))
    if failed:
        path, count = next(iter(failed.items()))
        more = f" and {len(failed) - 1} more kinds" if len(failed) > 1 else ""
        step = "The error is on the admin's page of failed tasks; due rows are tried again by themselves."
        yield Finding("failed jobs", Level.WARN, f"{path} ×{count}{more} in one day", step)


def check_audit(at: datetime) -> Iterator[Finding]:
    """The newest event is the head of the chain and none is unsealed; the full walk is `verify_audit`."""
    with connection.cursor() as cursor:  # one statement: acts may go on between two
        cursor.execute(
            "SELECT head.position, head.hash, last.position, last.hash, (SELECT count(*) FROM"
            " treasury_auditevent WHERE position IS NULL) FROM (SELECT max(position) AS position FROM"
            " treasury_auditevent) newest LEFT JOIN treasury_audithead head ON true"
            " LEFT JOIN treasury_auditevent last ON last.position = newest.position"
        )
        position, head, last, newest, unsealed = cursor.fetchone()
    if unsealed or (position or 0, head if position else None) != (last or 0, newest):
        step = "Stop releasing payments and run manage.py verify_audit."
        yield Finding("audit trail", Level.FAIL, "its head does not fit its newest event", step)
    else:
        yield Finding("audit trail", Level.OK, f"{last or 0} events, head {(newest or 'none yet')[:12]}")


def check_disk(at: datetime) -> Iterator[Finding]:
    """Room for the data folder (and the embedded database in it)."""
    free = shutil.disk_usage(settings.DATA_FOLDER).free
    detail = f"{free / 1024**3:.1f} GiB free at {settings.DATA_FOLDER}"
    if free < LITTLE_SPACE:
        level = Level.FAIL if free < NO_SPACE else Level.WARN
        yield Finding("disk", level, detail, "Free some space or move ZHILIAN_DATA_FOLDER.")
    else:
        yield Finding("disk", Level.OK, detail)


def check_fonts(at: datetime) -> Iterator[Finding]:
    """The printing fonts are there and unharmed."""
    vendor = settings.BASE_DIR / "static" / "vendor"
    listed = json.loads((vendor / "vendor.json").read_text(encoding="utf-8"))
    fonts = {
        path: digest
        for package in listed
        for path, digest in package["files"].items()
        if path.endswith(".ttf")
    }
    for path, digest in fonts.items():
        file = settings.BASE_DIR / path
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            yield Finding(
                "fonts", Level.FAIL, f"{path} is missing or changed", "Install the portal's files again."
            )
            return
    yield Finding("fonts", Level.OK, f"{len(fonts)} for printing")


def register_checks() -> None:
    """Put the ground floor's checks first in the doctor's list."""
    for check in (
        check_settings,
        check_keys,
        check_database,
        check_broker,
        check_worker,
        check_audit,
        check_disk,
        check_fonts,
    ):
        register(check.__name__.removeprefix("check_"), check)
