"""`manage.py revoke_api_token USER [NAME]`: end a person's API tokens, all or those of one name."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from treasury.models import ApiToken
from treasury.services import api_tokens


class Command(BaseCommand):
    help = "Revoke the API tokens of a person: all, or those with one name."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("user", help="username of the person")
        parser.add_argument("name", nargs="?", help="only tokens with this name")

    def handle(self, *args: Any, **options: Any) -> None:
        tokens = ApiToken.objects.filter(user__username=options["user"], revoked_at__isnull=True)
        if options["name"] is not None:
            tokens = tokens.filter(name=options["name"])
        found = list(tokens)
        if not found:
            raise CommandError(f"{options['user']} has no such token in use; nothing was revoked.")
        for token in found:
            api_tokens.revoke_token(token=token, by=None, at=timezone.now())
            self.stdout.write(f"revoked: {token.name}")
