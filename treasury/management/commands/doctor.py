"""`manage.py doctor`: is this installation well, and if not, what is the next step?"""

from __future__ import annotations

import textwrap
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from treasury import checks_registry
from treasury.checks_registry import Finding, Level


class Command(BaseCommand):
    help = "Check settings, keys, database, worker, connections, audit trail, disk and fonts."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        worst = 0
        for finding in checks_registry.run(timezone.now()):
            self.show(finding)
            worst += finding.level is Level.FAIL
        if worst:
            raise CommandError(f"{worst} of the above must be repaired.", returncode=1)
        self.stdout.write("Nothing must be repaired.")

    def show(self, finding: Finding) -> None:
        paint = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        mark = paint[finding.level](f"{finding.level.value:<5}")
        self.stdout.write(f"{finding.name:<18} {mark} {finding.detail}")
        if finding.next_step:
            self.stdout.write(textwrap.indent(textwrap.fill(f"→ {finding.next_step}", 90), " " * 25))
