"""Several programs run as one: one that dies comes back, and nothing survives the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.simulated_bank import ROOT, wait_until
from treasury.supervisor import NotReadyError, Program, Supervisor

pytestmark = pytest.mark.processes

LINGERS = """
import os, signal, subprocess, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()} {grandchild.pid}\\n")
print("up", flush=True)
time.sleep(300)
"""


def program(name: str, marks: Path, manner: str = "polite", patience: float = 5.0) -> Program:
    """A program that notes its process and that of a child it starts."""
    command = (sys.executable, "-c", LINGERS, str(marks / name), manner)
    return Program(name=name, command=command, folder=marks, patience=patience)


def noted(marks: Path, name: str) -> list[int]:
    """Every process that `program` noted so far."""
    path = marks / name
    return (
        [int(pid) for line in path.read_text().splitlines() for pid in line.split()] if path.exists() else []
    )


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(marks: Path, *names: str) -> None:
    for name in names:
        for pid in noted(marks, name):
            wait_until(lambda pid=pid: not alive(pid), seconds=5, what=f"the end of {name}'s process {pid}")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    with Supervisor(logs=tmp_path / "log", say=said.append) as one:
        yield one


def test_a_program_that_dies_is_started_again_and_its_children_do_not_linger(
    supervisor: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    supervisor.start(program("worker", tmp_path))
    supervisor.wait_until(lambda: len(noted(tmp_path, "worker")) == 2, seconds=10, name="worker")
    first, child = noted(tmp_path, "worker")
    os.kill(first, signal.SIGKILL)
    supervisor.wait_until(lambda: len(noted(tmp_path, "worker")) == 4, seconds=10, name="worker")
    wait_until(lambda: not alive(child), what="the end of the child left behind")
    assert ["worker ended (SIGKILL); starting it again in 0.5 s" in line for line in said] == [True]
    assert supervisor.log_of("worker").read_text() == "up\nup\n"


def test_all_programs_end_with_it_and_one_that_will_not_is_killed(
    supervisor: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    supervisor.start(program("bank", tmp_path))
    supervisor.start(program("web", tmp_path, "stubborn", patience=0.5))
    supervisor.wait_until(
        lambda: len(noted(tmp_path, "bank") + noted(tmp_path, "web")) == 4, seconds=10, name="web"
    )
    supervisor.stop_all()
    all_gone(tmp_path, "bank", "web")
    assert said == ["web did not stop within 0.5 s and was killed."]


def test_a_program_that_never_comes_up_is_named_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('the key is wrong')")
    supervisor.start(Program(name="bank", command=command, folder=tmp_path))
    with pytest.raises(NotReadyError, match="the key is wrong"):
        supervisor.wait_until(lambda: False, seconds=1.0, name="bank")
    assert "exit code 1" in said[0]


def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from tests.stories.test_supervisor import program, noted\n"
        "from treasury.supervisor import Supervisor\n"
        "marks = pathlib.Path(sys.argv[1])\n"
        "with Supervisor(logs=marks / 'log', say=print) as one:\n"
        "    one.start(program('bank', marks))\n"
        "    one.start(program('web', marks, 'stubborn', patience=0.5))\n"
        "    one.serve()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    try:
        wait_until(lambda: len(noted(tmp_path, "bank") + noted(tmp_path, "web")) == 4, what="both programs")
    finally:
        process.kill()
        process.wait()
    all_gone(tmp_path, "bank", "web")
