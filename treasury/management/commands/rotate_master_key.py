"""`manage.py rotate_master_key`: bring stored secrets under the newest of ZHILIAN_MASTER_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from treasury.secrets import UndecipherableError
from treasury.services.rotating import rotate_master_key


class Command(BaseCommand):
    help = "Seal every stored secret again under the first master key; --new-key only prints a fresh one."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--new-key", action="store_true", help="print a fresh key and stop")

    def handle(self, *args: Any, new_key: bool, **options: Any) -> None:
        if new_key:
            self.stdout.write(Fernet.generate_key().decode())
            return
        try:
            done = rotate_master_key(by=None, at=timezone.now())
        except UndecipherableError as error:
            raise CommandError(f"Nothing was changed. {error}", returncode=1) from error
        for column, count in done.items():
            self.stdout.write(f"{column}: {count}")
        if len(settings.MASTER_KEYS) > 1:
            self.stdout.write("Every secret is under the first key; the others can be taken away.")
