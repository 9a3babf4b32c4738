"""Runs several programs as one: starts them, restarts one that dies, ends them all in order.

For the demo and for a small installation on one machine; larger ones have systemd or containers.
No Django here. Each program is held by a leash (`treasury/leash.py`) in a session of its own, so
Ctrl-C reaches the supervisor alone and nothing survives it, not even its kill -9. What programs
print goes to `<folder>/<name>.log`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.1
WAITS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the first, second, … restart of a program that keeps dying."""
STEADY_SECONDS = 60.0
"""A program that ran this long has recovered; its next restart is quick again."""
LOG_LIMIT = 10 * 1024 * 1024


class NotReadyError(RuntimeError):
    """A program did not come up in time; the text ends with what it printed last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run. `variables` are added to the environment; `patience` is how many seconds the
    program gets to end by itself."""

    name: str
    command: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    patience: float = 10.0


@dataclass(slots=True)
class _Running:
    program: Program
    leash: subprocess.Popen[bytes] | None = None
    pipe: int = -1
    since: float = 0.0
    failures: int = 0
    again_at: float = 0.0


class Supervisor:
    """Keeps its programs running while `attend` is called. A context manager that ends them all."""

    def __init__(self, *, logs: Path, say: Callable[[str], None]) -> None:
        self.logs = logs
        self._say = say
        self._running: dict[str, _Running] = {}
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with undisturbed():
            self.stop_all()

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def start(self, program: Program) -> None:
        """Start a program; from now on it is restarted whenever it ends."""
        one = self._running[program.name] = _Running(program)
        log = self.log_of(program.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        self._launch(one)

    def pid_of(self, name: str) -> int:
        """The process that holds program `name` (its session); 0 while it waits for a restart."""
        leash = self._running[name].leash
        return leash.pid if leash is not None else 0

    def attend(self) -> None:
        """One look at every program: who died is noted, and started again when its time has come."""
        now = time.monotonic()
        for one in self._running.values():
            if one.leash is None:
                if now >= one.again_at:
                    self._launch(one)
                continue
            code = one.leash.poll()
            if code is None:
                if one.failures and now - one.since > STEADY_SECONDS:
                    one.failures = 0
                continue
            self._sweep_up(one)
            wait = WAITS[min(one.failures, len(WAITS) - 1)]
            one.failures += 1
            one.again_at = now + wait
            self._say(
                f"{one.program.name} ended ({_ending(code)}); starting it again in {wait:g} s."
                f" Its log: {self.log_of(one.program.name)}"
            )

    def wait_until(self, true: Callable[[], bool], *, seconds: float, name: str) -> None:
        """Attend until `true()`; raises NotReadyError with the end of `name`'s log after `seconds`."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise NotReadyError(f"{name} was not ready within {seconds:g} s.\n{self._last_words(name)}")
            self.attend()
            time.sleep(POLL_SECONDS)

    def serve(self) -> None:
        """Attend until a KeyboardInterrupt."""
        while True:
            self.attend()
            time.sleep(POLL_SECONDS)

    def stop(self, name: str) -> None:
        """End one program, politely first, and forget it."""
        one = self._running.pop(name)
        if one.leash is None:
            return
        if one.leash.poll() is None:
            one.leash.terminate()
            try:
                one.leash.wait(one.program.patience)
            except subprocess.TimeoutExpired:
                self._say(f"{name} did not stop within {one.program.patience:g} s and was killed.")
        self._sweep_up(one)

    def stop_all(self) -> None:
        """End every program, the last started first."""
        for name in reversed(list(self._running)):
            self.stop(name)

    def _launch(self, one: _Running) -> None:
        program = one.program
        theirs, one.pipe = os.pipe()
        command = [sys.executable, "-I", "-S", str(LEASH), str(theirs), str(program.patience)]
        with self.log_of(program.name).open("ab") as log:
            one.leash = subprocess.Popen(
                [*command, *program.command],
                cwd=program.folder,
                env={**os.environ, **program.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs],
                start_new_session=True,
            )
        os.close(theirs)
        one.since = time.monotonic()

    def _sweep_up(self, one: _Running) -> None:
        """Kill what is left of a program's session: the leash and whatever its program started."""
        assert one.leash is not None  # noqa: S101 - callers looked
        with suppress(ProcessLookupError, PermissionError):  # nothing is left; macOS says the latter
            os.killpg(one.leash.pid, signal.SIGKILL)
        one.leash.wait()
        one.leash = None
        os.close(one.pipe)

    def _last_words(self, name: str, lines: int = 15) -> str:
        log = self.log_of(name)
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:]) or f"It printed nothing to {log}."


def _ending(code: int) -> str:
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit code {code}"


@contextmanager
def told_to_stop() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP end the work just as Ctrl-C does: by KeyboardInterrupt.

    Ctrl-C too, where a shell started this in the background with it ignored.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, Ctrl-C and friends are ignored: shutting down is under way and has its own limits."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens on this port of the loopback address."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
