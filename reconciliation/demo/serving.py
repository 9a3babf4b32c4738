"""The processes of a running demonstration: banks, worker and web server under one supervisor."""

from __future__ import annotations

import fcntl
import http.client
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from reconciliation.demo import stage
from treasury.supervisor import Program, Supervisor, is_free

FIRST_PORT = 8000
PORTS_TRIED = 50
SIGN_IN = "/accounts/login/"


def worker() -> Program:
    return Program(
        name="worker",
        command=(sys.executable, "manage.py", "qcluster"),
        folder=Path(settings.BASE_DIR),
        variables=_ours(),
        patience=15.0,
    )


def web(port: int) -> Program:
    options = ("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--graceful-timeout", "5")
    return Program(
        name="web",
        command=(
            sys.executable,
            *("-m", "gunicorn", "treasury.wsgi"),
            *("--bind", f"127.0.0.1:{port}", *options, "--access-logfile", "-", "--no-control-socket"),
        ),
        folder=Path(settings.BASE_DIR),
        variables=_ours(),
    )


def _ours() -> dict[str, str]:
    """What the processes must read as this one did, whatever folder they are started in."""
    return {"DJANGO_SETTINGS_MODULE": "treasury.settings", "PYTHONUNBUFFERED": "1"}


def start(supervisor: Supervisor, port: int) -> None:
    """Start worker and web server and wait until the sign-in page answers."""
    supervisor.start(worker())
    supervisor.start(web(port))
    supervisor.wait_until(lambda: page_answers(port), seconds=60, name="web")


def page_answers(port: int) -> bool:
    """Whether the sign-in page comes with status 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", SIGN_IN)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def choose_port(wanted: int | None) -> int:
    """`wanted`, or the first free one from 8000. Raises StageError when the wanted one is taken."""
    if wanted is not None:
        if not is_free(wanted):
            raise stage.StageError(f"Port {wanted} is taken. Give another --port.")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if is_free(port):
            return port
    raise stage.StageError(f"No port from {FIRST_PORT} on is free. Give one with --port.")


@contextmanager
def alone() -> Iterator[None]:
    """One demonstration a data folder. Raises StageError when another one runs there."""
    stage.folder().mkdir(parents=True, exist_ok=True)
    handle = os.open(stage.folder() / "running", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise stage.StageError(
                f"A demonstration is running in {settings.DATA_FOLDER} already. Stop it first (Ctrl-C)."
            ) from None
        yield
    finally:
        os.close(handle)
