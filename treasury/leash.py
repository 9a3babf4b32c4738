"""Holds one child process for `treasury.supervisor`, so that nothing outlives the supervisor.

    leash.py PIPE SECONDS COMMAND…

Runs COMMAND in this process's own session. SIGTERM is handed on to it. When the supervisor ends
in whatever way, the system closes the other end of PIPE: the command is asked to stop, and after
SECONDS everything left of the session is killed. Ends with the command's own exit code. On the
standard library alone, so that it starts at once and stays small.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys

POLL_SECONDS = 0.2


def main(pipe: str, seconds: str, *command: str) -> int:
    line = int(pipe)
    os.set_inheritable(line, False)
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while child.poll() is None:
        if select.select([line], [], [], POLL_SECONDS)[0]:
            return _alone(child, float(seconds))
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _alone(child: "subprocess.Popen[bytes]", seconds: float) -> int:
    """The supervisor is gone: let the command end well, then leave nothing of the session behind."""
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    os.killpg(0, signal.SIGKILL)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
