"""Several worker processes over one Redis and one PostgreSQL share the jobs and repeat none."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.test import override_settings
from django_q.models import Task

from tests import workers

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

JOBS = 200
ENQUEUE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "treasury.settings"
django.setup()
from treasury import jobs
for number in range({count}):
    jobs.enqueue("treasury.tasks.heartbeat", f"job-{{number}}")
"""


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def answers(port: int) -> bool:
    with socket.socket() as line:
        line.settimeout(1)
        return line.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of this test alone, on a free port."""
    program = shutil.which("redis-server")
    if program is None:
        reason = "redis-server is not installed (Debian: redis-server)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(port), "Redis answers")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


@pytest.fixture
def clusters(redis_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two `manage.py qcluster`, as on two machines."""
    started = [workers.start("qcluster", BROKER_URL=redis_url) for _ in range(2)]
    yield started
    for cluster in started:
        if cluster.poll() is None:
            cluster.send_signal(signal.SIGTERM)
    for cluster in started:
        cluster.wait(timeout=30)


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


def ended() -> list[Task]:
    """The jobs of this test that ended well; a schedule's own heartbeat carries no argument."""
    return [task for task in Task.objects.filter(func="treasury.tasks.heartbeat", success=True) if task.args]


def cluster_of(pid: int, clusters: list[int]) -> int | None:
    """Which of the worker processes `pid` descends from."""
    family = [pid, *(parent.pid for parent in psutil.Process(pid).parents())]
    return next((one for one in clusters if one in family), None)


def test_two_workers_over_redis_share_the_jobs_and_run_each_once(
    redis_url: str, clusters: list[subprocess.Popen[bytes]]
) -> None:
    until(lambda: all(len(family(cluster)) >= 5 for cluster in clusters), "both start")
    variables = {"DATABASE_URL": workers.database_url(), "BROKER_URL": redis_url}
    enqueue = [sys.executable, "-c", ENQUEUE.format(count=JOBS)]
    subprocess.run(enqueue, cwd=workers.ROOT, env=os.environ | variables, check=True, timeout=60)
    until(lambda: len(ended()) >= JOBS, f"{JOBS} jobs run")

    assert sorted(task.args[0] for task in ended()) == sorted(f"job-{n}" for n in range(JOBS)), "each once"
    ran = {cluster_of(int(task.result.split()[-1]), [c.pid for c in clusters]) for task in ended()}
    assert ran == {cluster.pid for cluster in clusters}, "both workers took part"


def test_a_killed_worker_leaves_no_process_behind() -> None:
    cluster = workers.start("qcluster")
    try:
        until(lambda: len(family(cluster)) >= 5, "it starts")
        others = family(cluster)
        cluster.kill()
        cluster.wait(timeout=30)
        until(lambda: not any(alive(other) for other in others), "its processes end", seconds=10)
    finally:
        workers.kill(cluster)


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@override_settings(BROKER_URL="redis://127.0.0.1:1/0")
def test_a_broker_that_does_not_answer_is_named_by_the_doctor() -> None:
    from django.utils import timezone

    from treasury import checks_registry

    found = {f.name: f for f in checks_registry.run(timezone.now())}
    assert "Redis" in found["broker"].detail
    assert found["broker"].next_step
