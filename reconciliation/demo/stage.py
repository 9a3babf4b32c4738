"""Where the demonstration may play: only on a database that is empty or its own.

The mark is an event in the audit trail, which nobody can take out again: `demo.begun` when the
build starts, `demo.ready` when it is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from treasury.models import AuditEvent, Company
from treasury.services import auditing

BEGUN, READY = "demo.begun", "demo.ready"


class StageError(Exception):
    """The demonstration cannot play here; the text says why and what to do."""


def folder() -> Path:
    """Where the simulated banks keep their books."""
    return Path(settings.DATA_FOLDER) / "demo"


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def tables_exist() -> bool:
    return "treasury_auditevent" in connection.introspection.table_names()


def standing() -> str:
    """What the database is: "empty", "begun", "ready" or "foreign"."""
    if not tables_exist():
        return "foreign" if connection.introspection.table_names() else "empty"
    marks = set(AuditEvent.objects.filter(action__in=[BEGUN, READY]).values_list("action", flat=True))
    if marks:
        return "ready" if READY in marks else "begun"
    return "foreign" if Company.objects.exists() or get_user_model().objects.exists() else "empty"


def refuse_foreign() -> None:
    """Raises StageError for a database that holds anything but a demonstration."""
    if standing() == "foreign":
        raise StageError(
            f"The database {connection.settings_dict['NAME']} holds data that are not a demonstration;"
            " nothing was changed. Give the demo a database of its own: another ZHILIAN_DATA_FOLDER,"
            " or a DATABASE_URL that names an empty one."
        )


def mark(action: str, *, about: Company, at: datetime, **detail: Any) -> None:
    auditing.record(action=action, about=about, by=None, at=at, company=about, **detail)


def detail_of(action: str) -> dict[str, Any]:
    """What was recorded with the mark."""
    event = AuditEvent.objects.filter(action=action).latest("id")
    return dict(json.loads(event.detail))


def reset() -> None:
    """Empty a database that is a demonstration, and forget its banks. Raises StageError otherwise."""
    refuse_foreign()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        others = cursor.fetchone()[0]
        if others:
            raise StageError(
                f"{others} other connections use the demo's database. Stop what runs on it, then reset it."
            )
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    for path in folder().glob("*.sqlite*"):
        path.unlink()


def url_of(name: str) -> str:
    """The URL of another database on the server that is in use."""
    here = connection.settings_dict
    people = quote(here["USER"] or "", safe="")
    if here["PASSWORD"]:
        people += f":{quote(here['PASSWORD'], safe='')}"
    options = {key: str(value) for key, value in here["OPTIONS"].items() if key in ("sslmode", "sslrootcert")}
    host, port = here["HOST"] or "", f":{here['PORT']}" if here["PORT"] else ""
    if host.startswith("/"):
        options["host"], host = host, ""
    return f"postgresql://{people}@{host}{port}/{name}" + (f"?{urlencode(options)}" if options else "")


@contextmanager
def temporary_database(name: str) -> Iterator[str]:
    """The URL of a fresh database on the same server, which is gone afterwards."""
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
    try:
        yield url_of(name)
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
