"""How people come in: existing users only. Accounts are made by administrators, never by sign-up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings


class ClosedDoorAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No self-registration; the preferred language is put on when somebody comes in."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def post_login(self, request: Any, user: Any, **kwargs: Any) -> Any:
        """Let the person's own language follow them to this browser."""
        response = super().post_login(request, user, **kwargs)
        if user.language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=365 * 86400,
                secure=settings.HTTPS,
                samesite="Lax",
            )
        return response
