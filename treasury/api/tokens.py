"""Sign-in of programs: a bearer token acts as its person."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import timezone
from rest_framework import authentication, exceptions

from treasury.models import ApiToken


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`; the program acts as the token's person."""

    def authenticate(self, request: Any) -> tuple[Any, ApiToken] | None:
        scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        digest = hashlib.sha256(value.strip().encode()).hexdigest()
        token = ApiToken.objects.select_related("user").filter(digest=digest, revoked_at__isnull=True).first()
        if token is None or not token.user.is_active:
            raise exceptions.AuthenticationFailed(
                "The API token is unknown or revoked. Ask an administrator for one."
            )
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
        return token.user, token

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"
