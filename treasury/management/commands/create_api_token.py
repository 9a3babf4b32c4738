"""`manage.py create_api_token USER NAME`: a token with which a program acts as a person; printed once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from treasury.models import User
from treasury.services import api_tokens


class Command(BaseCommand):
    help = "Create an API token for a person and print it, this once."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("user", help="username of the person the program acts as")
        parser.add_argument("name", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["user"]).first()
        if person is None:
            raise CommandError(f"There is no person {options['user']!r}. Usernames are listed under People.")
        try:
            _token, value = api_tokens.create_token(
                user=person, name=options["name"], by=None, at=timezone.now()
            )
        except api_tokens.TokenRefusedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(value)
