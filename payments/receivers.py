"""News from the banks floor: each receiver enqueues a job and does nothing else."""

from __future__ import annotations

from typing import Any

from treasury import jobs


def on_statement_imported(*, statement_id: int, **_signal: Any) -> None:
    jobs.enqueue("payments.tasks.look_for_returns", statement_id)


def on_status_received(*, references: tuple[str, ...], **_signal: Any) -> None:
    jobs.enqueue("payments.tasks.ask_about", *references)
