"""`manage.py inspect_statement FILE… [--format F]`: what is in a statement file, as JSON lines.

Needs no database. Exit status: 0 everything read, 1 something is odd, 2 a file is unreadable.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from banks.formats.inspect import inspect_file


class Command(BaseCommand):
    help = "Print what is in statement files as JSON, one object a file; nothing is stored."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--format", help="camt.052, camt.053, camt.054, mt940 or mt942 (default: by content)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worst = 0
        for name in options["files"]:
            report, outcome = inspect_file(name, options["format"])
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            worst = max(worst, outcome)
        if worst:
            sys.exit(worst)
