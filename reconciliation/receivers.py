"""News from the banks, turned into jobs and nothing else."""

from __future__ import annotations

from typing import Any

from treasury import jobs


def statement_imported(sender: Any, *, statement_id: int, **_signal: Any) -> None:
    jobs.enqueue("reconciliation.tasks.match_statement", statement_id)
