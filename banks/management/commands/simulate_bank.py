"""`manage.py simulate_bank`: runs the simulated bank of `banks.simulator` in this process."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from banks.simulator.__main__ import add_arguments, run


class Command(BaseCommand):
    help = "Run the simulated bank; prints one line with the address and key a connection needs."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(run(Namespace(**options)))
