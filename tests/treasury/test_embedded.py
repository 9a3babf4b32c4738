"""The embedded database among real processes: shared, and stopped by the end of the last one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from treasury import embedded

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from treasury import embedded
print(embedded.url(Path({folder!r})), flush=True)
{then}
sys.stdin.readline()
"""
FORK = """
child = os.fork()
if child == 0:
    import time
    time.sleep(600)
print(child, flush=True)
"""


class Holder:
    """A process that joined the server and stays until told to go."""

    def __init__(self, folder: Path, then: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(root=str(ROOT), folder=str(folder), then=then)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=30)

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)
        self.process.communicate(timeout=30)

    def killed_alone(self) -> None:
        """kill -9 of this process, not of its children."""
        self.process.kill()
        self.process.wait(timeout=30)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def hold() -> Iterator[Callable[..., Holder]]:
    """Start holders; whoever is still there after the test is ended."""
    started: list[Holder] = []

    def start(folder: Path, then: str = "") -> Holder:
        started.append(Holder(folder, then))
        return started[-1]

    yield start
    for holder in started:
        if holder.process.poll() is None:
            holder.send(signal.SIGKILL)


def until(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def server_of(folder: Path) -> int | None:
    running = embedded._running((folder / "postgres").resolve())
    return running.pid if running else None


def ask(url: str, sql: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(sql)  # type: ignore[call-overload]
        return done.fetchone()[0] if done.description else None


def test_processes_share_one_server_which_ends_with_the_last(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    first, second, third = hold(tmp_path), hold(tmp_path), hold(tmp_path)
    urls = {first.said(), second.said(), third.said()}
    assert len(urls) == 1
    pid = server_of(tmp_path)
    assert pid
    first.leave()
    second.leave()
    assert ask(urls.pop(), "SELECT 1") == 1
    assert server_of(tmp_path) == pid
    third.leave()
    until(lambda: server_of(tmp_path) is None, "the server stops")


def test_killed_holders_are_not_waited_for(tmp_path: Path, hold: Callable[..., Holder]) -> None:
    first, second = hold(tmp_path), hold(tmp_path)
    url, _ = first.said(), second.said()
    first.send(signal.SIGKILL)
    assert ask(url, "SELECT 1") == 1
    second.send(signal.SIGKILL)
    until(lambda: server_of(tmp_path) is None, "the server stops")


def test_a_killed_server_comes_back_with_what_was_committed(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    url = hold(tmp_path).said()
    ask(url, "CREATE TABLE paid AS SELECT 7 AS amount")
    pid = server_of(tmp_path)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert hold(tmp_path).said() == url
    assert server_of(tmp_path) not in {None, pid}
    assert ask(url, "SELECT amount FROM paid") == 7


def test_a_forked_child_keeps_the_server_when_its_parent_is_killed(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    parent = hold(tmp_path, FORK)
    url, child = parent.said(), int(parent.said())
    parent.killed_alone()
    other = hold(tmp_path)
    other.said()
    other.leave()
    assert ask(url, "SELECT 1") == 1
    os.kill(child, signal.SIGKILL)
    until(lambda: server_of(tmp_path) is None, "the server stops")


def test_ctrl_c_in_the_terminal_that_started_it_leaves_the_server_to_the_others(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    starter = hold(tmp_path)
    url = starter.said()
    hold(tmp_path).said()
    starter.send(signal.SIGINT)
    assert ask(url, "SELECT 1") == 1


def test_a_pid_file_that_names_some_other_program_does_not_deceive(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    first = hold(tmp_path)
    first.said()
    data = tmp_path / "postgres"
    lines = (data / "postmaster.pid").read_text().splitlines()
    first.leave()
    until(lambda: not (data / "postmaster.pid").exists(), "the server stops")
    (data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert ask(hold(tmp_path).said(), "SELECT 1") == 1


def test_a_half_made_cluster_is_made_again(tmp_path: Path, hold: Callable[..., Holder]) -> None:
    (tmp_path / "postgres.making").mkdir()
    (tmp_path / "postgres.making" / "PG_VERSION").write_text("18\n")
    assert ask(hold(tmp_path).said(), "SELECT 1") == 1
    assert not (tmp_path / "postgres.making").exists()


def test_two_folders_do_not_disturb_each_other(tmp_path: Path, hold: Callable[..., Holder]) -> None:
    one, two = hold(tmp_path / "one"), hold(tmp_path / "two")
    url, _ = one.said(), two.said()
    two.leave()
    until(lambda: server_of(tmp_path / "two") is None, "the second server stops")
    assert ask(url, "SELECT 1") == 1


def test_it_keeps_commits_and_has_room_for_web_and_workers(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    url = hold(tmp_path).said()
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW synchronous_commit") == "on"
    assert ask(url, "SHOW max_connections") == "200"
    assert ask(url, "SELECT datcollate FROM pg_database LIMIT 1") == "C.UTF-8"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account of its own")
def test_folders_above_it_are_opened_for_passing_through_only(
    tmp_path: Path, hold: Callable[..., Holder]
) -> None:
    above = tmp_path / "above"
    above.mkdir(mode=0o700)
    assert ask(hold(above / "data").said(), "SELECT 1") == 1
    assert above.stat().st_mode & 0o777 == 0o701


def test_a_server_that_cannot_start_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 1.0)
    monkeypatch.setattr(embedded, "OPTIONS", {"shared_buffers": "nonsense"})
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        embedded.url(tmp_path)
