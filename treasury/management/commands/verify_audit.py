"""`manage.py verify_audit`: recompute the audit chain, compare with a head kept elsewhere, export."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from treasury.models import AuditEvent
from treasury.services import auditing

EXPORTED = (
    "position",
    "at",
    "actor_id",
    "actor_name",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "company_id",
    "detail",
    "ip",
    "previous_hash",
    "hash",
)


class Command(BaseCommand):
    help = "Verify the audit trail from its first event to its head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", default="", help="a hash noted earlier: it must be in the chain")
        parser.add_argument("--export", default="", metavar="FILE", help="write all events, one JSON a line")

    def handle(self, *args: Any, head: str, export: str, **options: Any) -> None:
        if head and not re.fullmatch(r"[0-9a-f]{64}", head):
            raise CommandError(f"--head {head!r} is not a hash: it has 64 digits 0-9 and a-f.")
        verdict = auditing.verify(expected_head=head)
        if not verdict.intact:
            raise CommandError(
                f"The audit trail is broken at position {verdict.broken_at}: {verdict.reason}.\n"
                "Stop releasing payments, keep a copy of the database as it is, and compare with the last"
                " export or backup (docs: runbooks).",
                returncode=1,
            )
        if export:
            self.write(Path(export))
        self.stdout.write(f"{verdict.events} events, unbroken. Head: {verdict.head}")
        self.stdout.write("Note this head outside the database; --head checks it next time.")

    def write(self, path: Path) -> None:
        """All events as JSON lines; the file appears complete or not at all."""
        draft = path.with_name(path.name + ".part")
        with draft.open("w", encoding="utf-8") as file:
            for row in AuditEvent.objects.order_by("position").values(*EXPORTED).iterator(5000):
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        draft.replace(path)
        self.stdout.write(f"Exported to {path}.")
