"""`manage.py send_due`: work off payments from a terminal or a scheduler, without the job queue."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from payments.services import dispatching


class Command(BaseCommand):
    help = "Sends approved payments that are due and asks banks about open ones, as the workers do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--for", type=float, default=0.0, dest="seconds", help="keep working for so many seconds"
        )

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        until = time.monotonic() + seconds
        sent = asked = 0
        while True:
            left = max(until - time.monotonic(), 1.0)
            done = dispatching.work_off(budget=timedelta(seconds=left))
            sent, asked = sent + done.sent, asked + done.asked
            if time.monotonic() >= until:
                break
            if not done.sent and not done.asked:
                time.sleep(0.05)
        self.stdout.write(f"{sent} messages sent, {asked} enquiries made")
