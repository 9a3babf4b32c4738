"""`manage.py import_rates FILE…`: take in exchange rates from CSV or XLSX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from treasury.services.rates import RatesRefusedError, import_rates
from treasury.tables import TableError


class Command(BaseCommand):
    help = (
        "Import exchange rates (columns: date, currency, quote, rate). The same file twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        failed = False
        for path in options["files"]:
            try:
                done = import_rates(name=path.name, content=path.read_bytes(), by=None, at=timezone.now())
            except OSError as error:
                failed = True
                self.stderr.write(f"{path}: {error.strerror or error}. Check the path and its permissions.")
            except TableError as error:
                failed = True
                self.stderr.write(str(error))
            except RatesRefusedError as error:
                failed = True
                self.stderr.write(str(error))
                for problem in error.problems:
                    self.stderr.write(f"  row {problem.row}: {problem.text}")
            else:
                self.stdout.write(
                    f"{path.name}: {done.added} added, {done.corrected} corrected, {done.unchanged} unchanged"
                )
        if failed:
            raise CommandError("Not every file was imported; nothing of a refused file was stored.")
