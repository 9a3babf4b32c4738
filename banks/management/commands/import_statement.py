"""`manage.py import_statement FILE…`: read statement files, for schedulers and the console."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from banks.services.importing import FileRefusedError, Imported, import_file, receive_file
from banks.states import FileState

READ, REMARKS, FAILED = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Import statement files (camt.052/053/054, MT940, MT942, zip). One line a file. "
        "Exit code 0: all read; 1: read with remarks; 2: a file could not be read."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--format", default=None, help="format of the files; told by content otherwise")

    def handle(self, *args: Any, files: list[Path], format: str | None, **options: Any) -> None:
        worst = max(self._one(path, format) for path in files)
        if worst != READ:
            sys.exit(worst)

    def _one(self, path: Path, format: str | None) -> int:
        at = timezone.now()
        try:
            with path.open("rb") as stream:
                file = receive_file(name=path.name, stream=stream, by=None, at=at, format=format)
        except (OSError, FileRefusedError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self.stderr.write(f"{path}: {reason}")
            return FAILED
        again = file.state in {FileState.FLAGGED, FileState.UNREADABLE}
        done = import_file(file=file, at=at, again=again)
        self.stdout.write(line_of(str(path), done))
        for remark in remarks_of(done):
            self.stderr.write(f"{path}: {remark}")
        if done.file.state == FileState.READ:
            return READ
        return FAILED if done.file.state == FileState.UNREADABLE else REMARKS


def line_of(name: str, done: Imported) -> str:
    """One line for one file."""
    balanced = {True: "balanced", False: "NOT BALANCED", None: "balance not checked"}[done.balanced]
    return (
        f"{name}: {done.file.state.lower()}, {len(done.statements)} statements, {done.new} lines new,"
        f" {done.known} known, {balanced}, {done.quarantined} quarantined"
    )


def remarks_of(done: Imported) -> list[str]:
    """Everything a person should look at."""
    flags = [f"{s.account} {s.closing_on or ''}: {flag}" for s in done.statements for flag in s.flags]
    return [*done.error.splitlines(), *flags]
