"""Stops the embedded PostgreSQL when no process needs it any more. Started by `treasury.embedded`.

Runs alone, on the standard library, in a session of its own: it waits for the exclusive lock
on the holders' file, which the system grants once every holder has ended in whatever way.

    keeper.py LOCK_HANDLE HOLDERS_FILE PG_CTL DATA_FOLDER [USER_ID GROUP_ID]
"""

import fcntl
import os
import subprocess
import sys


def main(lock: str, holders: str, pg_ctl: str, data: str, *identity: str) -> None:
    """Wait, stop the server, and let the keeper's lock go before the holders' one.

    Whoever starts next waits for the holders' lock and must then find no keeper.
    """
    waiting = os.open(holders, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(waiting, fcntl.LOCK_EX)
    if identity:
        os.setgroups([])
        os.setgid(int(identity[1]))
        os.setuid(int(identity[0]))
    for manner in ("fast", "immediate"):
        stop = [pg_ctl, "-s", "-w", "-t", "30", "-D", data, "-m", manner, "stop"]
        done = subprocess.run(stop, cwd="/", check=False)
        if done.returncode == 0:
            break
    os.close(int(lock))
    os.close(waiting)


if __name__ == "__main__":
    main(*sys.argv[1:])
