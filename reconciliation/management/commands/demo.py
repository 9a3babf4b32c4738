"""`manage.py demo`: the portal with an invented group, three simulated banks, worker and web server.

`demo` builds once, then serves until Ctrl-C. `demo --once` plays one day without a browser on a
database of its own and compares the banks' ledgers with the portal. `demo --check` compares only.
What is built and played is in `reconciliation.demo`.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from banks.simulator.client import ControlError
from reconciliation.demo import banks, building, comparison, day, report, serving, stage, world
from reconciliation.demo.acts import PlotError
from treasury.supervisor import NotReadyError, Supervisor, answers, told_to_stop


class Command(BaseCommand):
    help = (
        "A whole demonstration: database, simulated banks, worker and web server under one supervisor."
        " Refuses a database that holds anything else."
    )
    requires_migrations_checks = False
    requires_system_checks: list[str] = []  # its keys and hosts are those of one machine, on purpose

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="port of the web server (8000, or the next free one)")
        parser.add_argument("--days", type=int, default=building.DAYS, help="days of history to build (60)")
        parser.add_argument(
            "--reset", action="store_true", help="empty the demo's database and build it anew"
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="play one whole day without a browser, compare with the banks, and end",
        )
        parser.add_argument(
            "--here",
            action="store_true",
            help="with --once: play in the configured database, which must be empty, and leave it there",
        )
        parser.add_argument(
            "--check", action="store_true", help="only compare the banks' ledgers with the portal"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        logging.getLogger("django-q").setLevel(logging.WARNING)  # not a line for every nudge
        try:
            with told_to_stop():
                self._handle(**options)
        except (stage.StageError, NotReadyError, PlotError, ControlError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _handle(self, *, once: bool, here: bool, check: bool, reset: bool, **options: Any) -> None:
        if once and not here:
            raise SystemExit(self._once_elsewhere())
        if check:
            self._check()
            return
        with serving.alone():
            stage.refuse_foreign()
            if reset:
                stage.reset()
            if once:
                self._once()
            else:
                self._serve(options["port"], options["days"])

    def say(self, text: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {text}")
        self.stdout.flush()

    def _supervisor(self) -> Supervisor:
        return Supervisor(logs=Path(settings.DATA_FOLDER) / "log", say=self.say)

    # --- serving ---------------------------------------------------------------------------

    def _serve(self, port: int | None, days: int) -> None:
        port = serving.choose_port(port)
        with self._supervisor() as supervisor:
            standing = stage.standing()
            if standing == "begun":
                raise stage.StageError("An earlier build was not finished. Run `manage.py demo --reset`.")
            stage.migrate()
            if standing == "empty":
                building.build(supervisor, self.say, history_days=days)
            else:
                self._wake(supervisor)
            self.say("Worker and web server …")
            connection.close()
            serving.start(supervisor, port)
            self._welcome(port)
            supervisor.serve()

    def _wake(self, supervisor: Supervisor) -> None:
        """Start the banks of a demonstration built before; they close the days gone by themselves."""
        self.say("Using the demonstration built before (`--reset` builds a new one) …")
        people = world.load()
        known = banks.known_banks()
        banks.move_to_free_ports(known, erin=people.erin, eve=people.eve, at=timezone.now())
        banks.start(supervisor, known, "auto")

    def _welcome(self, port: int) -> None:
        self.say("Ready.")
        self.stdout.write(f"\n  http://127.0.0.1:{port}/\n\n{report.logins()}\n")
        self.stdout.write(f"  Logs are in {Path(settings.DATA_FOLDER) / 'log'}. Ctrl-C stops everything.\n")
        self.stdout.flush()

    # --- one day ---------------------------------------------------------------------------

    def _once_elsewhere(self) -> int:
        """Play in a fresh database and folder that are gone afterwards; gives the exit code."""
        name = f"zhilian_demo_{os.getpid()}"
        with (
            tempfile.TemporaryDirectory(prefix="zhilian-demo-") as folder,
            stage.temporary_database(name) as url,
        ):
            variables = {k: v for k, v in os.environ.items() if k not in ("BROKER_URL", "DATABASE_URL_FILE")}
            child = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--once", "--here"],
                cwd=settings.BASE_DIR,
                env={**variables, "DATABASE_URL": url, "ZHILIAN_DATA_FOLDER": folder},
            )
            connection.close()
            try:
                return child.wait()
            except KeyboardInterrupt:
                child.terminate()
                return child.wait()

    def _once(self) -> None:
        if stage.standing() != "empty":
            raise stage.StageError("--once --here needs an empty database; this one is in use.")
        with self._supervisor() as supervisor:
            stage.migrate()
            ledgers = day.play(supervisor, self.say)
        self.stdout.write("\n" + day.summary() + "\n")
        self._conclude(comparison.compare(ledgers, final=True))

    def _check(self) -> None:
        if stage.standing() in ("empty", "foreign"):
            raise stage.StageError("There is no demonstration here to check.")
        with self._supervisor() as supervisor:
            known = banks.known_banks()
            resting = [bank for bank in known if not answers(bank.port)]
            banks.start(supervisor, resting, "manual")
            ledgers = {bank.figure.code: bank.control.ledger() for bank in known}
        self._conclude(comparison.compare(ledgers, final=False))

    def _conclude(self, result: comparison.Comparison) -> None:
        """Print the totals and what disagrees; exits with 1 when anything does."""
        self.stdout.write(report.totals(result) + "\n")
        for text in result.disagreements:
            self.stderr.write(f"  DISAGREES  {text}")
        if not result.agrees:
            raise SystemExit(1)
        self.say(f"The banks' ledgers agree: {result.payments} payments, {result.lines} lines.")
