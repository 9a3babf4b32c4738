"""`manage.py qcluster`: the worker, with nothing left running when it is killed.

The queue's cluster is a family of processes. When its first one is killed (kill -9, out of
memory) the others would go on for ever, unseen by whoever started it; on Linux each asks the
system to be ended with its parent. A job in the middle is safe: its row says how far it came.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from django_q.management.commands import qcluster

PR_SET_PDEATHSIG = 1


class Command(qcluster.Command):
    help = "Run jobs until told to stop; ZHILIAN_WORKERS says in how many processes."

    def handle(self, *args: Any, **options: Any) -> None:
        if sys.platform == "linux":
            end_children_with_their_parent()
        super().handle(*args, **options)


def end_children_with_their_parent() -> None:
    """From now on every forked descendant is killed when the process that forked it ends."""
    library = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def note() -> None:
        nonlocal parent
        parent = os.getpid()

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended between the fork and the line above
            os._exit(1)

    os.register_at_fork(before=note, after_in_child=ask)
