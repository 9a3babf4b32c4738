"""Real worker processes for tests: on the test's own database, killable at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """The URL of the database the running test uses, for a second process."""
    s = connection.settings_dict
    host = str(s["HOST"])
    person = f"{quote(s['USER'])}:{quote(s['PASSWORD'])}@" if s["USER"] else ""
    if host.startswith("/"):
        return f"postgres://{person}/{s['NAME']}?host={quote(host)}"
    return f"postgres://{person}{host}:{s['PORT'] or 5432}/{s['NAME']}"


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """`manage.py …` as its own process group on the test's database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url(), "ZHILIAN_LOG_LEVEL": "ERROR"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, the whole group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)


def worker(seconds: float = 3600) -> subprocess.Popen[bytes]:
    """A process that sends and asks as the queue's workers do, until told to stop."""
    return start("send_due", "--for", str(seconds))
