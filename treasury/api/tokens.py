"""Sign-in of programs: a bearer token acts as its person; how often it may ask."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.throttling import SimpleRateThrottle

from treasury.models import ApiToken
from treasury.services import api_tokens


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`; the program acts as the token's person."""

    def authenticate(self, request: Any) -> tuple[Any, ApiToken] | None:
        scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = api_tokens.find_token(value=value.strip())
        if token is None:
            raise exceptions.AuthenticationFailed
        return token.user, token

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    """How the documentation tells of tokens."""

    target_class = "treasury.api.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class TokenThrottle(SimpleRateThrottle):
    """So many requests a minute for each token; people in the browser are not counted."""

    scope = "token"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        token = request.auth
        return f"api-token-{token.pk}" if isinstance(token, ApiToken) else None
